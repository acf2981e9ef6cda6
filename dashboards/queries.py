"""What boards ask, as a flat list: of every panel, every variable and every mark. For whoever runs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dashboards.influxql import TIME_RANGE
from dashboards.marks import marks
from dashboards.model import Board
from dashboards.sources import DISTRICT, Source
from dashboards.variables import HERE, LEVEL, PLACE
from schemas.places.model import LEVELS, Level

__all__ = ["Asked", "asked", "combinations"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One query as it stands in the board, with its variables; `empty`: why it may rightly have no rows.

    `names` are the columns or series that the panel relies on.
    """

    board: str
    panel: str
    ref: str
    source: Source
    text: str
    form: Literal["time_series", "table", "variable", "annotation"]
    empty: str = ""

    @property
    def by_time(self) -> bool:
        """Whether the board's time range is in it."""
        return TIME_RANGE in self.text or "${__to}" in self.text


def asked(board: Board) -> Iterator[Asked]:
    """Every query of a board: panels in their order, then variables, then marks."""
    for panel in board.panels:
        for query in panel.queries:
            yield Asked(board.uid, panel.name, query.ref, query.source, query.text, query.form, query.empty)
    for variable in board.variables:
        if variable.kind == "query":
            why = "网格没有下一级 a grid has no level below" if variable.name == LEVEL.name else ""
            yield Asked(board.uid, variable.name, "V", variable.source, variable.query, "variable", why)
    for mark in marks(board):
        yield Asked(
            board.uid, str(mark.words), "M", DISTRICT, mark.query, "annotation", "并非总有 not at all times"
        )


def combinations(board: Board, places: Mapping[Level, str]) -> Iterator[dict[str, str]]:
    """Values of the variables that matter: a place of every level with every level below it; every choice.

    `places` names one place a level. `policy` is not in them: it follows from the range
    (`dashboards.variables.policy_query`), as on a board.
    """
    choices = [variable for variable in board.variables if variable.kind == "choice"]
    first = {choice.name: choice.value for choice in choices}
    wheres = [_where(level, compared, places) for level in LEVELS for compared in _below(level)]
    for where in wheres if PLACE.name in {variable.name for variable in board.variables} else [{}]:
        yield where | first
    for choice in choices:
        for _, value in choice.options:
            if value != choice.value:
                yield wheres[0] | first | {choice.name: value}


def _below(level: Level) -> tuple[str, ...]:
    """The levels that may be compared within a place; of a grid none, which is ""."""
    return LEVELS[LEVELS.index(level) + 1 :] or ("",)


def _where(level: Level, compared: str, places: Mapping[Level, str]) -> dict[str, str]:
    return {PLACE.name: places[level], HERE.name: level, LEVEL.name: compared}
