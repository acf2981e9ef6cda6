"""The map's colours: a value and a band of every place of a level, in the order of their codes. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from operations.pages.metrics import ALERTS_METRIC, METRICS, Metric, text_of
from operations.pages.views.bands import band, limits
from operations.pages.views.cells import Cell, Cells
from operations.pages.words import LEVELS
from schemas.errors import Refused, received_allowed
from schemas.places.model import Level

__all__ = ["MAP_LEVELS", "Colours", "colours", "map_metric"]

MAP_LEVELS: tuple[Level, ...] = ("grid", "community", "street")


class Colours(msgspec.Struct, frozen=True):
    """Values and bands by place; None: no data, or masked (`masked` has the place's index).

    `end_ms`: where the newest window of the metric's domain ends. `limits` are the lower limits of the bands
    1 to 5, `labels` all bands in words.
    """

    level: Level
    metric: str
    end_ms: int | None
    chinese: str
    english: str
    unit: str
    worse: bool
    limits: list[float]
    labels: list[str]
    values: list[float | None]
    bands: list[int | None]
    masked: list[int]


def map_metric(key: str) -> Metric | None:
    """The metric the map shows by that key, None for alerts; Refused for any other key."""
    if key != ALERTS_METRIC and key not in METRICS:
        raise Refused(received_allowed("metric", key, (*METRICS, ALERTS_METRIC)))
    return METRICS.get(key)


def colours(cells: Cells, level: Level, key: str) -> Colours:
    """The map of a level by a metric."""
    metric = map_metric(key)
    codes = [place.code for place in cells.places.at(level)]
    found = [cells.alerts(code) if metric is None else cells.cell(metric, code) for code in codes]
    lower = (metric.limits if metric else ()) or limits(c.value for c in found if c.value is not None)
    return Colours(
        level=level,
        metric=key,
        end_ms=cells.situation.end_ms(metric.domain) if metric else None,
        chinese=metric.chinese if metric else "活动告警",
        english=metric.english if metric else "active alerts",
        unit=metric.unit if metric else "1",
        worse=metric.worse if metric else True,
        limits=list(lower),
        labels=_labels(metric, lower),
        values=[_rounded(cell) for cell in found],
        bands=[band(cell.value, lower) for cell in found],
        masked=[index for index, cell in enumerate(found) if cell.masked],
    )


def _rounded(cell: Cell) -> float | None:
    return None if cell.value is None else round(cell.value, 4)


def _labels(metric: Metric | None, lower: Sequence[float]) -> list[str]:
    """`<30%`, `30–50%`, …, `≥95%`; of counts whole ones: `0`, `1–4`, …, `≥70`."""
    share = metric is not None and metric.share
    texts = [f"{limit:.0%}" if share else text_of(metric, limit) for limit in lower]
    if share:
        between = [f"{a.rstrip('%')}–{b}" for a, b in pairwise(texts)]
        return [f"<{texts[0]}", *between, f"≥{texts[-1]}"]
    first = "0" if lower[0] == 1 else f"<{texts[0]}"
    between = [_whole(a, b, metric) for a, b in pairwise(lower)]
    return [first, *between, f"≥{texts[-1]}"]


def _whole(low: float, next_low: float, metric: Metric | None) -> str:
    high = next_low - 1
    return text_of(metric, low) if high == low else f"{text_of(metric, low)}–{text_of(metric, high)}"


assert set(MAP_LEVELS) < set(LEVELS)  # noqa: S101 - a table that names what is none must not load
