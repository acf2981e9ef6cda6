"""The usual for this hour: the same time of day on earlier days of the same kind. Pure; the time passed in.

A window of an hour says a gauge at its end and a sum over its length. So for both the value at a moment lies
between those of the hour that ended last and of the one that runs, in proportion.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from operations.pages.metrics import Metric
from operations.pages.reading.situation import Hours
from schemas.calendar import is_working_day, local

__all__ = ["DAYS_BACK", "Usual", "Verdict", "usual", "verdict"]

DAYS_BACK: Final = 35
_DAYS_TO_JUDGE: Final = 3
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
Verdict = Literal["above", "below", "usual", "unknown"]


@dataclass(frozen=True, slots=True)
class Usual:
    """The median of `days` days, and the least and the most of them."""

    value: float
    low: float
    high: float
    days: int


def usual(metric: Metric, hours: Hours, now_ms: int) -> Usual | None:
    """What is usual at this time of day; None where no day of this kind is known."""
    values = list(_earlier(metric, hours, now_ms))
    if not values:
        return None
    return Usual(statistics.median(values), min(values), max(values), len(values))


def verdict(value: float | None, known: Usual | None) -> Verdict:
    """Whether a value lies above or below all of those days; `unknown` where they are fewer than three."""
    if value is None or known is None or known.days < _DAYS_TO_JUDGE:
        return "unknown"
    if value > known.high:
        return "above"
    return "below" if value < known.low else "usual"


def _earlier(metric: Metric, hours: Hours, now_ms: int) -> Iterator[float]:
    today = local(now_ms).date()
    running_ms = now_ms - now_ms % _HOUR_MS  # the zone lies whole hours from UTC
    share = (now_ms - running_ms) / _HOUR_MS
    for days in range(1, DAYS_BACK + 1):
        if is_working_day(today - timedelta(days=days)) != is_working_day(today):
            continue
        start_ms = running_ms - days * _DAY_MS
        before = metric.value(hours.get(start_ms - _HOUR_MS, {}))
        after = metric.value(hours.get(start_ms, {}))
        if before is not None and after is not None:
            yield before + (after - before) * share
