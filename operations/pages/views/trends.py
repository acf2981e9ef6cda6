"""The last hours of a place as lines, and the usual of these hours beside them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from operations.outgoing.masking import BASES, K
from operations.pages.metrics import METRICS, Metric
from operations.pages.reading.situation import Hours
from operations.pages.views.usual import usual
from schemas.kinds import Domain
from schemas.places.model import Level

__all__ = ["HOURS", "LINES", "Past", "Trend", "TrendLine", "lines_of", "trend"]

HOURS: Final = 6
LINES: Final = tuple(
    METRICS[key]
    for key in (
        "parking.occupancy",
        "security.people_entered",
        "care.vitals_out_of_range",
        "governance.patrols",
    )
)
"""One line a domain."""
_STEP_MS: Final = 300_000
_MINUTE_MS: Final = 60_000
Past = Mapping[int, Mapping[str, float]]
"""Start in ms -> the values of a window of a minute, of one place."""


class TrendLine(msgspec.Struct, frozen=True):
    """`values` by step, None where there is none or it tells of few people; `usual` is per step too."""

    key: str
    domain: Domain
    chinese: str
    english: str
    share: bool
    values: list[float | None]
    usual: list[float | None]


class Trend(msgspec.Struct, frozen=True):
    """Lines over the same steps of `step_ms`; the first begins at `start_ms`."""

    start_ms: int
    step_ms: int
    lines: list[TrendLine]


def lines_of(level: Level) -> tuple[Metric, ...]:
    """What is drawn at a level: counts of people of the whole district only.

    Below it a count that is left out could be found from those of the neighbours, moment by moment.
    """
    return tuple(line for line in LINES if level == "district" or line.domain not in BASES)


def trend(
    metrics: tuple[Metric, ...], past: Mapping[Domain, Past], hours: Mapping[Domain, Hours], now_ms: int
) -> Trend:
    """The last `HOURS` hours by steps of five minutes: events summed over a step, gauges at its end."""
    end_ms = now_ms - now_ms % _STEP_MS
    start_ms = end_ms - HOURS * 3_600_000
    starts = range(start_ms, end_ms, _STEP_MS)
    return Trend(
        start_ms,
        _STEP_MS,
        [
            TrendLine(
                metric.key,
                metric.domain,
                metric.chinese,
                metric.english,
                metric.share,
                [_step(metric, past.get(metric.domain, {}), start) for start in starts],
                [_usual(metric, hours.get(metric.domain, {}), start) for start in starts],
            )
            for metric in metrics
        ],
    )


def _step(metric: Metric, past: Past, start_ms: int) -> float | None:
    windows = [past.get(at, {}) for at in range(start_ms, start_ms + _STEP_MS, _MINUTE_MS)]
    values = [value for value in map(metric.value, windows) if value is not None]
    if not values:
        return None
    value = values[-1] if metric.span == "now" else sum(values)
    return None if metric.domain in BASES and 0 < value < K else round(value, 4)


def _usual(metric: Metric, hours: Hours, start_ms: int) -> float | None:
    known = usual(metric, hours, start_ms + _STEP_MS)
    if known is None:
        return None
    value = known.value if metric.span == "now" else known.value * _STEP_MS / 3_600_000
    return None if metric.domain in BASES and 0 < value < K else round(value, 4)
