"""What is asked of InfluxDB to find out whether boards show anything, and how fast. Pure.

Every query of every board, over some ranges, with every combination of variables that matters. A query must
give rows each time, unless its panel declares why it may rightly give none (`dashboards.model.Query.empty`).
The variable `policy` is asked first, as on a board: it follows from the range.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from dashboards.formats import interval_for
from dashboards.interpolate import Range, interpolate
from dashboards.model import Board
from dashboards.queries import Asked, asked, combinations
from dashboards.variables import POLICY, policy_query
from schemas.places.model import Level

__all__ = ["SPANS_S", "Outcome", "Pace", "Trial", "fault_of", "paces", "policy_text", "ranges", "trials"]

SPANS_S: Final[Mapping[str, int]] = {
    "1h": 3_600,
    "6h": 21_600,
    "24h": 86_400,
    "7d": 604_800,
    "30d": 2_592_000,
    "90d": 7_776_000,
    "1y": 31_536_000,
}
"""How far boards are looked back on: those that Grafana's time picker offers first."""
_POINTS: Final = 1_000
"""About as many as fit in a panel: half of a wide screen's pixels."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One query as it is sent: of which panel, over which span, with which variables."""

    asked: Asked
    span: str
    values: tuple[tuple[str, str], ...]
    text: str

    def __str__(self) -> str:
        chosen = ", ".join(f"{name}={value}" for name, value in self.values)
        return f"{self.asked.board}: {self.asked.panel} {self.asked.ref} over {self.span} with {chosen}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trial: rows that hold a value, how long it took, or what InfluxDB said against it."""

    trial: Trial
    rows: int
    seconds: float
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one board's queries were."""

    board: str
    queries: int
    p50_s: float
    p95_s: float
    slowest_s: float
    slowest: str


def ranges(spans: Iterable[str], until_ms: int) -> dict[str, Range]:
    """Ranges that end at `until_ms`, by the name of their span."""
    return {
        span: Range(until_ms - SPANS_S[span] * 1000, until_ms, interval_for(SPANS_S[span] * 1000, _POINTS))
        for span in spans
    }


def policy_text(over: Range) -> str:
    """The query that says which policy a board reads over a range."""
    return interpolate(policy_query(), over, {})


def trials(
    boards: Iterable[Board],
    places: Mapping[Level, str],
    over: Mapping[str, Range],
    policies: Mapping[str, str],
) -> Iterator[Trial]:
    """What is to be asked, each text once a query; `policies` by span, `places` one a level.

    A query that does not look at the board's time is asked over the first range only.
    """
    first = next(iter(over))
    for board in boards:
        for query in asked(board):
            seen: set[str] = set()
            for span in over if query.by_time else (first,):
                for values in combinations(board, places):
                    trial = _trial(query, span, values | {POLICY.name: policies[span]}, over[span])
                    if trial.text not in seen:
                        seen.add(trial.text)
                        yield trial


def _trial(query: Asked, span: str, values: Mapping[str, str], over: Range) -> Trial:
    return Trial(query, span, tuple(sorted(values.items())), interpolate(query.text, over, values))


def fault_of(outcome: Outcome) -> str | None:
    """Why a board is not as it should be; None where it is."""
    if outcome.refused:
        return f"{outcome.trial}: refused: {outcome.refused}"
    if outcome.rows == 0 and not outcome.trial.asked.empty:
        return f"{outcome.trial}: no rows, and the panel does not say why: {outcome.trial.text}"
    return None


def paces(outcomes: Iterable[Outcome]) -> list[Pace]:
    """Each board's, in their order, then of all together (`all`)."""
    by_board: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_board[outcome.trial.asked.board].append(outcome)
    every = [outcome for found in by_board.values() for outcome in found]
    return [_pace(name, found) for name, found in (*by_board.items(), ("all", every)) if found]


def _pace(name: str, outcomes: Sequence[Outcome]) -> Pace:
    seconds = [outcome.seconds for outcome in outcomes]
    p50_s, p95_s = np.percentile(seconds, [50, 95]).tolist()
    slowest = max(outcomes, key=lambda outcome: outcome.seconds)
    return Pace(name, len(outcomes), p50_s, p95_s, slowest.seconds, str(slowest.trial))
