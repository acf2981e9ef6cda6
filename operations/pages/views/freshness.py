"""How old what is shown is, and what is wrong with it. Pure; the time passed in.

A window is due `delay_s` after its end; `GRACE_S` later it is overdue, and pages say so. Domains of gauges
(parking, care) have a window every time; where only events come (security, governance) none may be due for
long, so such a domain is judged by the pipeline's newest window, and is `quiet` meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from operations.pages.reading.situation import Situation
from operations.pages.words import DOMAINS
from schemas.calendar import local
from schemas.kinds import DOMAINS as NAMES
from schemas.kinds import KINDS, Domain

__all__ = ["GRACE_S", "LOOK_S", "LOOK_WHEN_DUE_S", "Fresh", "Pace", "Trouble", "freshness", "troubles"]

GRACE_S: Final = 4.0
LOOK_S: Final = 1.0
LOOK_WHEN_DUE_S: Final = 0.2
_PARTS_TOLD: Final = 3
State = Literal["fresh", "quiet", "late", "none"]
_OF_GAUGES: Final = frozenset(
    kind.domain for kind in KINDS.values() if any(metric.series == "gauge" for metric in kind.metrics)
)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often windows come."""

    window_s: int
    delay_s: float

    def due_ms(self, end_ms: int) -> int:
        """The moment from which the window after the one that ended then may be in the store."""
        return end_ms + round((self.window_s + self.delay_s) * 1000)

    def overdue_ms(self, end_ms: int) -> int:
        """The moment from which the window after the one that ended then is overdue."""
        return self.due_ms(end_ms) + round(GRACE_S * 1000)

    def look_in_s(self, ends_ms: Iterable[int], now_ms: int) -> float:
        """How long to wait with the next look: short while a window is due, otherwise `LOOK_S` at most.

        `ends_ms`: where the newest window of each domain ends. A domain that is more than a window behind the
        others is not waited for.
        """
        ends = sorted(ends_ms)
        newest_ms = ends[-1] if ends else 0
        awaited_ms = next((end for end in ends if newest_ms - end <= self.window_s * 1000), newest_ms)
        if now_ms >= self.overdue_ms(awaited_ms):
            return LOOK_S
        until_due_s = (self.due_ms(awaited_ms) - now_ms) / 1000
        return min(LOOK_S, max(LOOK_WHEN_DUE_S, until_due_s))


class Fresh(msgspec.Struct, frozen=True):
    """A domain's newest window: where it ends, None where there is none yet."""

    domain: Domain
    chinese: str
    english: str
    state: State
    end_ms: int | None
    complete: bool
    simulated: bool


class Trouble(msgspec.Struct, frozen=True):
    """Something the banner says."""

    chinese: str
    english: str


def freshness(situation: Situation, pace: Pace, now_ms: int) -> list[Fresh]:
    """One line a domain, in the order of the domains."""
    ends = {domain: situation.end_ms(domain) for domain in NAMES}
    newest = max((end for end in ends.values() if end is not None), default=None)
    return [_fresh(domain, situation, _state(domain, ends[domain], newest, pace, now_ms)) for domain in NAMES]


def troubles(
    fresh: list[Fresh], unavailable: str, unwell: Mapping[str, str], pace: Pace, now_ms: int
) -> list[Trouble]:
    """Why what is shown may not be the present. `unavailable`: why the store does not answer, "" if it does.

    `unwell`: parts of the pipeline that do not serve, and their state.
    """
    found = [_parts(unwell)] if unwell else []
    if unavailable:
        found.append(Trouble("时序库无应答，画面停在最后的数据", "InfluxDB does not answer"))
    ends = [each.end_ms for each in fresh if each.end_ms is not None]
    if not ends:
        return [*found, Trouble("尚无数据", "no window yet")]
    if now_ms >= pace.overdue_ms(max(ends)):
        found.append(_stopped("数据", "data", max(ends)))
    else:
        late = [each for each in fresh if each.state == "late" and each.end_ms is not None]
        found += [_stopped(each.chinese, each.english, each.end_ms or 0) for each in late]
    return found


def _parts(unwell: Mapping[str, str]) -> Trouble:
    """The first few by name and state; how many more."""
    told = [f"{name}（{state}）" for name, state in list(unwell.items())[:_PARTS_TOLD]]
    more = f" 等 {len(unwell)} 个" if len(unwell) > _PARTS_TOLD else ""
    return Trouble(f"部件异常：{'、'.join(told)}{more}", f"{len(unwell)} parts do not serve")


def _stopped(chinese: str, english: str, end_ms: int) -> Trouble:
    at = f"{local(end_ms):%H:%M:%S}"
    return Trouble(f"{chinese}停在 {at}", f"{english} stopped at {at}")


def _state(domain: Domain, end_ms: int | None, newest_ms: int | None, pace: Pace, now_ms: int) -> State:
    if end_ms is None or newest_ms is None:
        return "none"
    if now_ms >= pace.overdue_ms(newest_ms):
        return "late"  # nothing flows
    # Domains are written one after the other: a window behind the newest is none too late.
    behind = newest_ms - end_ms > pace.window_s * 1000
    if not behind:
        return "fresh"
    return "late" if domain in _OF_GAUGES else "quiet"


def _fresh(domain: Domain, situation: Situation, state: State) -> Fresh:
    rows = situation.now.get(domain, {}).values()
    return Fresh(
        domain,
        *DOMAINS[domain],
        state=state,
        end_ms=situation.end_ms(domain),
        complete=all(row.values.get("complete", 1) > 0 for row in rows),
        simulated=any(row.simulated for row in rows),
    )
