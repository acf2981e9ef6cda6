"""Counting alarms over time: bins, the most in any window, stale, chattering and fleeting ones. Pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from operations.alerts.actions import Action
from operations.oncall.flood import Flood
from operations.oncall.hours import Span
from schemas.alerts import Alert, Severity
from schemas.calendar import local

__all__ = ["Annunciation", "Period", "counts", "days", "fleeting", "most_in", "overlap_ms", "shift_periods",
           "stale_on", "unapproved"]  # fmt: skip

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
FLEETING_MS = 60_000
"""One that is over sooner leaves no time to respond."""


class Annunciation(msgspec.Struct, frozen=True):
    """One alarm told to one console. The alarm is rule, place and device; the alert one occurrence of it."""

    at_ms: int
    alert_id: str
    rule: str
    place: str
    device: str
    severity: Severity
    console: str

    @classmethod
    def of(cls, alert: Alert, at_ms: int, console: str) -> Annunciation:
        """That alert, told then."""
        return cls(at_ms, alert.id, alert.rule, alert.place, alert.device, alert.severity, console)

    @property
    def alarm(self) -> tuple[str, str, str]:
        """What repeats."""
        return self.rule, self.place, self.device


@dataclass(frozen=True, slots=True)
class Period:
    """From `start_ms` to before `end_ms`."""

    start_ms: int
    end_ms: int

    def holds(self, at_ms: int) -> bool:
        """Whether the moment is in it."""
        return self.start_ms <= at_ms < self.end_ms


def counts(times_ms: Iterable[int], periods: Iterable[Period], width_ms: int) -> list[int]:
    """How many in each bin of the clock (hours, ten minutes) that a period touches."""
    touched = {
        number
        for period in periods
        for number in range(period.start_ms // width_ms, -(-period.end_ms // width_ms))
    }
    held = Counter(at_ms // width_ms for at_ms in times_ms)
    return [held[number] for number in sorted(touched)]


def most_in(times_ms: Iterable[int], width_ms: int) -> int:
    """The most in any window of that width, wherever it begins."""
    window: deque[int] = deque()
    most = 0
    for at_ms in sorted(times_ms):
        window.append(at_ms)
        while window[0] <= at_ms - width_ms:
            window.popleft()
        most = max(most, len(window))
    return most


def overlap_ms(floods: Iterable[Flood], periods: Sequence[Period], now_ms: int) -> int:
    """How long it was flood within the periods; one that goes on lasts until now."""
    return sum(
        max(0, min(flood.end_ms or now_ms, period.end_ms) - max(flood.start_ms, period.start_ms))
        for flood in floods
        for period in periods
    )


def days(period: Period) -> list[Period]:
    """The days of the district's clock that it touches, whole."""
    first = local(period.start_ms).replace(hour=0, minute=0, second=0, microsecond=0)
    found = []
    while (start_ms := int(first.timestamp() * 1000)) < period.end_ms:
        found.append(Period(start_ms, start_ms + DAY_MS))
        first += timedelta(days=1)
    return found


def shift_periods(period: Period, shift: Span) -> list[Period]:
    """When that shift is on, within the period; the night shift of the day before is cut where it begins."""
    found = []
    for day in days(Period(period.start_ms - DAY_MS, period.end_ms)):
        start_ms = day.start_ms + shift.start * 60_000
        cut = Period(max(start_ms, period.start_ms), min(start_ms + shift.minutes * 60_000, period.end_ms))
        if cut.start_ms < cut.end_ms:
            found.append(cut)
    return found


def stale_on(alerts: Iterable[Alert], day: Period, now_ms: int) -> int:
    """How many alerts were active for longer than 24 h at some moment of the day."""
    until_ms = min(day.end_ms, now_ms)
    return sum(
        alert.onset_ms + DAY_MS < (until_ms if alert.active else min(until_ms, alert.cleared_ms))
        and (alert.active or alert.cleared_ms > day.start_ms)
        for alert in alerts
    )


def fleeting(alert: Alert) -> bool:
    """Whether it was over too soon to respond."""
    return not alert.active and 0 < alert.cleared_ms < alert.onset_ms + FLEETING_MS


def unapproved(actions: Iterable[Action], life_safety: Iterable[str], max_shelve_s: int) -> list[Action]:
    """Hidings outside the approved method: nobody named, no reason, too long, one person on life safety.

    `life_safety`: ids of such alerts. The desk refuses these; what is found was written past it.
    """
    urgent = set(life_safety)
    return [
        each
        for each in actions
        if each.kind in {"shelve", "shelve_once", "suppress", "out_of_service"}
        and (
            not each.by.strip()
            or not each.why.strip()
            or (each.kind.startswith("shelve") and _too_long(each, max_shelve_s))
            or (each.target.alert_id in urgent and not each.second)
        )
    ]


def _too_long(action: Action, max_shelve_s: int) -> bool:
    return not action.until_ms or action.until_ms - action.at_ms > max_shelve_s * 1000
