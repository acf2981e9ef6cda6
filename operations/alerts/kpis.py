"""The alarm load of a console, K1 to K12 of ISA-18.2 and IEC 62682, with a verdict each. Pure.

Only what was annunciated counts. Averages hide floods: K3 comes with its distribution. The limits are those
the standards name for one operator; K8 and K11 have no "manageable". A shift's rates are by its own hours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from operations.alerts.actions import Action
from operations.alerts.load import (
    DAY_MS,
    HOUR_MS,
    Annunciation,
    Period,
    counts,
    days,
    fleeting,
    most_in,
    overlap_ms,
    shift_periods,
    stale_on,
    unapproved,
)
from operations.alerts.refusals import MAX_SHELVE_S
from operations.oncall.flood import FloodLimits, floods_of
from operations.oncall.hours import SHIFTS, Span
from schemas.alerts import SEVERITIES, Alert

__all__ = ["LIMITS", "Facts", "Kpi", "Limit", "Report", "Verdict", "reports"]

Verdict = Literal["acceptable", "manageable", "over", ""]
_TEN_MS: Final = 600_000


@dataclass(frozen=True, slots=True)
class Limit:
    """`acceptable` and below is very likely acceptable, `manageable` and below the most that is."""

    chinese: str
    english: str
    unit: str
    acceptable: float
    manageable: float | None = None


LIMITS: Final[dict[str, Limit]] = {
    "K1": Limit("每日告警数", "annunciated a day", "", 144, 288),
    "K2": Limit("每小时平均", "an hour, average", "", 6, 12),
    "K3": Limit("每 10 分钟平均", "per 10 min, average", "", 1, 2),
    "K4": Limit("超过 30 条的小时占比", "hours with more than 30", "%", 1),
    "K5": Limit("超过 10 条的 10 分钟占比", "10-min periods with more than 10", "%", 1),
    "K6": Limit("任意 10 分钟最多", "most in any 10 min", "", 10),
    "K7": Limit("洪峰时间占比", "time in flood", "%", 1),
    "K8": Limit("最频繁 10 项占比", "share of the 10 most frequent", "%", 5),
    "K9": Limit("抖动与瞬时告警", "chattering and fleeting alarms", "", 0),
    "K10": Limit("陈旧告警（超过 24 h）", "stale (active > 24 h), most on a day", "", 4),
    "K11": Limit("优先级“高”的占比", "share of priority high", "%", 5),
    "K12": Limit("未经批准的抑制", "suppression outside the method", "", 0),
}
_SPLIT_MAX: Final = {"medium": 15.0, "high": 5.0, "life_safety": 1.0}


@dataclass(frozen=True, slots=True)
class Kpi:
    """One figure. `value` None: nothing was annunciated, so there is no share. `detail`: beside it."""

    name: str
    value: float | None
    verdict: Verdict
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one console, of all shifts (`shift` "") or of one."""

    console: str
    shift: str
    annunciated: int
    hours: float
    kpis: list[Kpi]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the figures are made of. K10 and K12 are of the whole desk: its list and its rules are shared.

    `annunciations` may reach back before the period, so that a flood that began there is known. `alerts`:
    those that are on the list or changed in the period.
    """

    period: Period
    annunciations: Sequence[Annunciation]
    alerts: Sequence[Alert] = ()
    actions: Sequence[Action] = ()
    flood: FloodLimits = field(default_factory=FloodLimits)
    shifts: Sequence[Span] = SHIFTS
    max_shelve_s: int = MAX_SHELVE_S


def reports(facts: Facts, consoles: Iterable[str] = ()) -> list[Report]:
    """Of every console (those named, and those that were told anything): all shifts, then each."""
    names = dict.fromkeys((*consoles, *sorted({each.console for each in facts.annunciations})))
    cuts = [("", [facts.period]), *((str(s), shift_periods(facts.period, s)) for s in facts.shifts)]
    return [_report(facts, name, shift, periods) for name in names for shift, periods in cuts if periods]


def _report(facts: Facts, console: str, shift: str, periods: Sequence[Period]) -> Report:
    every = [each for each in facts.annunciations if each.console == console]
    own = [each for each in every if any(period.holds(each.at_ms) for period in periods)]
    length_ms = sum(period.end_ms - period.start_ms for period in periods)
    floods = floods_of(console, [each.at_ms for each in every], facts.period.end_ms, facts.flood)
    flood_ms = overlap_ms(floods, periods, facts.period.end_ms)
    kpis = [*_rates(own, periods, length_ms), _judged("K7", 100 * flood_ms / length_ms)]
    kpis += [_frequent(own), _nuisance(own, facts.alerts), _stale(facts), _split(own), _unapproved(facts)]
    return Report(console, shift, len(own), length_ms / HOUR_MS, kpis)


def _rates(own: Sequence[Annunciation], periods: Sequence[Period], length_ms: int) -> list[Kpi]:
    times = [each.at_ms for each in own]
    hours, tens = counts(times, periods, HOUR_MS), counts(times, periods, _TEN_MS)
    ordered = sorted(tens)
    spread = f"p50 {_rank(ordered, 0.5)}, p95 {_rank(ordered, 0.95)}, max {ordered[-1]}"
    return [
        _judged("K1", len(own) * DAY_MS / length_ms),
        _judged("K2", len(own) * HOUR_MS / length_ms),
        _judged("K3", len(own) * _TEN_MS / length_ms, spread),
        _judged("K4", _share(sum(n > 30 for n in hours), len(hours)), f"max {max(hours)}"),
        _judged("K5", _share(sum(n > 10 for n in tens), len(tens))),
        _judged("K6", most_in(times, _TEN_MS)),
    ]


def _frequent(own: Sequence[Annunciation]) -> Kpi:
    alarms = Counter(each.alarm for each in own)
    top = alarms.most_common(10)
    words = ", ".join(f"{' '.join(part for part in alarm if part)} ×{n}" for alarm, n in top[:3])
    return _judged("K8", _share(sum(n for _, n in top), len(own)), words)


def _nuisance(own: Sequence[Annunciation], alerts: Iterable[Alert]) -> Kpi:
    told = {each.alert_id for each in own}
    mine = [alert for alert in alerts if alert.id in told]
    chattering = {(a.rule, a.place, a.device) for a in mine if a.chattering}
    short = {(a.rule, a.place, a.device) for a in mine if fleeting(a)}
    return _judged(
        "K9", len(chattering | short), f"抖动 chattering {len(chattering)}, 瞬时 fleeting {len(short)}"
    )


def _stale(facts: Facts) -> Kpi:
    now_ms = facts.period.end_ms
    return _judged("K10", max((stale_on(facts.alerts, day, now_ms) for day in days(facts.period)), default=0))


def _split(own: Sequence[Annunciation]) -> Kpi:
    held = Counter(each.severity for each in own)
    shares = {severity: _share(held[severity], len(own)) for severity in SEVERITIES}
    if not own:
        return Kpi("K11", None, "")
    words = ", ".join(f"{severity} {share:.1f} %" for severity, share in shares.items())
    good = all((shares[s] or 0) <= most for s, most in _SPLIT_MAX.items())  # type: ignore[index]
    return Kpi("K11", shares["high"], "acceptable" if good else "over", words)


def _unapproved(facts: Facts) -> Kpi:
    urgent = [alert.id for alert in facts.alerts if alert.severity == "life_safety"]
    found = unapproved(facts.actions, urgent, facts.max_shelve_s)
    return _judged("K12", len(found), ", ".join(f"{each.kind} {each.by}" for each in found[:3]))


def _judged(name: str, value: float | None, detail: str = "") -> Kpi:
    limit = LIMITS[name]
    verdict: Verdict = "over"
    if value is None:
        verdict = ""
    elif value <= limit.acceptable:
        verdict = "acceptable"
    elif limit.manageable is not None and value <= limit.manageable:
        verdict = "manageable"
    return Kpi(name, value, verdict, detail)


def _share(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def _rank(ordered: Sequence[int], share: float) -> int:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
