"""What boards ask, as a flat list: of every panel, every variable and every mark. For whoever runs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from dashboards.influxql import TIME_RANGE
from dashboards.marks import marks
from dashboards.model import Board
from dashboards.sources import DISTRICT, Source
from dashboards.variables import BELOW, LEVEL, PLACE
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
            why = "网格没有下一级 a grid has no level below" if variable.name == BELOW.name else ""
            yield Asked(board.uid, variable.name, "V", variable.source, variable.query, "variable", why)
    for mark in marks(board):
        yield Asked(
            board.uid, str(mark.words), "M", DISTRICT, mark.query, "annotation", "并非总有 not at all times"
        )


def combinations(board: Board, places: Mapping[Level, str]) -> Iterator[dict[str, str]]:
    """Values of the variables that matter: every level with its place, every choice of every other variable.

    `places` names one place a level. `policy` is not in them: it follows from the range
    (`dashboards.variables.policy_query`), as on a board.
    """
    named = {variable.name: variable for variable in board.variables}
    choices = [v for v in board.variables if v.kind == "choice" and v.name != LEVEL.name]
    levels = [level for level in LEVELS if level in places] if PLACE.name in named else [LEVELS[0]]
    for level in levels:
        deeper = LEVELS[LEVELS.index(level) + 1 :][:1]
        where = {LEVEL.name: level, PLACE.name: places[level], BELOW.name: deeper[0] if deeper else ""}
        yield where | {choice.name: choice.value for choice in choices}
    where = {LEVEL.name: levels[0], PLACE.name: places[levels[0]], BELOW.name: LEVELS[1]}
    for choice in choices:
        for _, value in choice.options[1:]:
            yield where | {other.name: other.value for other in choices} | {choice.name: value}
