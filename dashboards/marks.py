"""What is marked on every chart: alerts of the chosen place, holidays and make-up working days (调休)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from dashboards.influxql import TIME_RANGE, Column, Select, matches, name, tag
from dashboards.model import Board
from dashboards.palette import SEVERITY_COLOURS, Colour
from dashboards.variables import PLACE, chosen
from dashboards.words import Words
from schemas.alerts import Severity
from schemas.calendar import DayKind
from schemas.store import EVENTS

__all__ = ["Mark", "marks"]


@dataclass(frozen=True, slots=True)
class Mark:
    """One kind of mark; `title`, `text`, `tags` and `until` are columns of the query."""

    words: Words
    query: str
    colour: Colour
    title: str = ""
    text: str = ""
    tags: tuple[str, ...] = ()
    until: str = ""


_SEVERE: Final[tuple[tuple[Words, Severity], ...]] = (
    (Words("高级告警", "high alerts"), "high"),
    (Words("生命安全告警", "life-safety alerts"), "life_safety"),
)
_DAYS: Final[tuple[tuple[Words, DayKind, Colour], ...]] = (
    (Words("节假日", "holidays"), "holiday", "none"),
    (Words("调休上班", "make-up working days"), "make_up", "caution"),
)
_MARKS_MAX: Final = 200


def marks(board: Board) -> tuple[Mark, ...]:
    """Those of a board: alerts of its place (of all where it has none), and special days."""
    if not board.annotated:
        return ()
    placed = PLACE in board.variables
    return (*_alerts(placed=placed), *_days())


def _alerts(*, placed: bool) -> Iterable[Mark]:
    where = (matches("place", f"^{chosen(PLACE)}"),) if placed else ()
    for words, severity in _SEVERE:
        columns = tuple(Column(name(each)) for each in ("title", "explanation", "rule", "place"))
        select = Select(
            columns,
            f"{name(EVENTS)}.{name('alerts')}",
            (tag("severity", severity), *where, TIME_RANGE),
            newest_first=True,
            limit=_MARKS_MAX,
        )
        yield Mark(words, str(select), SEVERITY_COLOURS[severity], "title", "explanation", ("rule", "place"))


def _days() -> Iterable[Mark]:
    for words, kind, colour in _DAYS:
        select = Select(
            (Column(name("title")), Column(name("until_ms"))),
            f"{name(EVENTS)}.{name('calendar')}",
            (tag("kind", kind), TIME_RANGE),
        )
        yield Mark(words, str(select), colour, text="title", until="until_ms")
