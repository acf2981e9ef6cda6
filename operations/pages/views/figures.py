"""Key figures of a place, each against the usual for this hour. Pure; the time passed in."""

from __future__ import annotations

import msgspec

from operations.outgoing.masking import BASES, K
from operations.pages.metrics import FIGURES, Metric, text_of
from operations.pages.views.cells import Cells
from operations.pages.views.usual import Usual, Verdict, usual, verdict
from operations.pages.words import DOMAINS
from schemas.kinds import Domain

__all__ = ["DomainFigures", "Figure", "domain_figures", "shown_usual"]


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One tile. `text` is empty where there is no value, `usual` where nothing is known of earlier days."""

    key: str
    chinese: str
    english: str
    span: str
    text: str = ""
    usual: str = ""
    days: int = 0
    verdict: Verdict = "unknown"
    worse: bool = False
    masked: bool = False


class DomainFigures(msgspec.Struct, frozen=True):
    """The figures of a domain in one place."""

    domain: Domain
    chinese: str
    english: str
    figures: list[Figure]
    simulated: bool
    complete: bool


def domain_figures(cells: Cells, domain: Domain, place: str, now_ms: int) -> DomainFigures:
    """What is shown of a domain in a place."""
    row = cells.situation.now.get(domain, {}).get(place)
    hour = cells.situation.hour.get(domain, {}).get(place)
    return DomainFigures(
        domain,
        *DOMAINS[domain],
        figures=[_figure(cells, metric, place, now_ms) for metric in FIGURES[domain]],
        simulated=any(each.simulated for each in (row, hour) if each is not None),
        complete=row is None or row.values.get("complete", 1) > 0,
    )


def _figure(cells: Cells, metric: Metric, place: str, now_ms: int) -> Figure:
    cell = cells.cell(metric, place)
    known = shown_usual(cells, metric, place, now_ms) if not cell.masked else None
    return Figure(
        metric.key,
        metric.chinese,
        metric.english,
        metric.span,
        text="" if cell.value is None else text_of(metric, cell.value),
        usual="" if known is None else text_of(metric, known.value),
        days=0 if known is None else known.days,
        verdict=verdict(cell.value, known),
        worse=metric.worse,
        masked=cell.masked,
    )


def shown_usual(cells: Cells, metric: Metric, place: str, now_ms: int) -> Usual | None:
    """The usual, unless it tells of fewer than K people."""
    hours = cells.situation.usual.get((metric.domain, place), {})
    known = usual(metric, hours, now_ms)
    of_few = known is not None and metric.domain in BASES and 0 < known.value < K
    return None if of_few else known
