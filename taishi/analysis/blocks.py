"""Windows out of InfluxDB, a block of them at a time: arrays of windows × places.

A block holds some 200,000 cells a measure, whatever the period, so memory is bounded. The rows are counted
first, by InfluxDB, and compared at the end: an answer that broke off is told, not taken for the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from operations.outgoing.masking import BASES
from schemas.errors import TaishiError
from schemas.kinds import Domain
from schemas.places.model import DEFAULT_SCHEME
from schemas.store import measurement
from taishi.analysis.influx import Store
from taishi.analysis.question import Question

__all__ = ["CELLS", "UNKNOWN", "Block", "Census", "blocks", "extent", "take_census"]

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
CELLS: Final = 200_000
"""Windows × places of a block."""

UNKNOWN: Final[Mapping[Domain, tuple[str, str]]] = {
    "parking": ("unknown", "spaces"),
    "care": ("beds_unknown", "beds"),
}
"""Domain -> what is silent, of how many."""
_ALWAYS: Final = ("complete", "readings", "readings_simulated")


@dataclass(frozen=True)
class Block:
    """`values`: measure -> (windows, places), NaN where there is none; `starts_ms` ascends.

    `hidden`: measure -> cells whose count is of too few people to be given.
    """

    starts_ms: Int64s
    places: tuple[str, ...]
    values: Mapping[str, Floats]
    hidden: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    def at(self, columns: Int64s) -> Block:
        """The block of some of the places."""
        return Block(
            self.starts_ms,
            tuple(self.places[column] for column in columns),
            {name: values[:, columns] for name, values in self.values.items()},
            {name: hidden[:, columns] for name, hidden in self.hidden.items()},
        )


@dataclass(frozen=True, slots=True)
class Census:
    """Which places have how many windows in the period, by code."""

    windows: Mapping[str, int]

    @property
    def places(self) -> tuple[str, ...]:
        """The places, by code."""
        return tuple(sorted(self.windows))


def take_census(store: Store, question: Question) -> Census:
    """Count what there is; UnavailableError if InfluxDB cannot be asked."""
    counted = _select('count("complete") AS windows', question, *question.extent_ms)
    return Census({each["tags"]["place"]: int(each["values"][0][1]) for each in store.series(counted)})


def extent(store: Store, question: Question) -> tuple[int | None, int | None]:
    """Start of the oldest and of the newest window of the domain in that size (epoch ms), whenever."""
    measured = measurement(question.domain, question.window_s)
    first, last = (
        [row["values"][0][0] for row in store.series(f'SELECT {which}("complete") FROM {measured}')]  # noqa: S608
        for which in ("first", "last")
    )
    return (first[0] if first else None), (last[0] if last else None)


def blocks(store: Store, question: Question, census: Census) -> Iterator[Block]:
    """The windows of the period in ascending order, those of all places the census found.

    Where counts of few people are left out, the places of every level come, for they hide each other.
    TaishiError if fewer rows came than were counted.
    """
    places, step_ms = census.places, question.window_ms
    index = {place: column for column, place in enumerate(places)}
    seen, fields = np.zeros(len(places), np.int64), _fields(question)
    first_ms, end_ms = question.extent_ms
    many_ms = max(1, CELLS // max(1, len(places))) * step_ms
    for from_ms in range(first_ms, end_ms, many_ms):
        starts = np.arange(from_ms, min(from_ms + many_ms, end_ms), step_ms, dtype=np.int64)
        found = _rows(store, question, int(starts[0]), int(starts[-1]) + step_ms)
        yield _dense(found, starts, index, fields, seen)
    short = [place for place, column in index.items() if seen[column] < census.windows[place]]
    if short:
        raise TaishiError(
            f"InfluxDB counted {sum(census.windows.values())} windows and gave {seen.sum()}, fewer than "
            f"counted of {len(short)} places, the first {short[0]}; its log says why. Try again"
        )


def _fields(question: Question) -> tuple[str, ...]:
    """The measures needed: of the figures, of what hides them, of the flags."""
    wanted = {*_ALWAYS, *(name for figure in question.figures for name in figure.sums)}
    wanted |= set(UNKNOWN.get(question.domain, ()))
    if question.masked:
        wanted |= {BASES[question.domain].get(name, "") for name in wanted} - {""}
    return tuple(sorted(wanted))


def _select(what: str, question: Question, since_ms: int, until_ms: int) -> str:
    # Codes are digits, names those of the tables: nothing of a user's making goes in unchecked.
    codes = [place.code for place in question.within]
    level = f" AND level = '{question.level}'"
    if question.masked:
        codes, level = [DEFAULT_SCHEME.ancestor(code, "district") for code in codes], ""
    where = f"place =~ /^({'|'.join(sorted(set(codes)))})/{level}"
    return (
        f"SELECT {what} FROM {measurement(question.domain, question.window_s)} "  # noqa: S608
        f"WHERE {where} AND time >= {since_ms}ms AND time < {until_ms}ms GROUP BY place"
    )


def _rows(store: Store, question: Question, since_ms: int, until_ms: int) -> pa.Table | None:
    fields = _fields(question)
    what = ", ".join(f'"{name}"' for name in fields)
    return store.columns(_select(what, question, since_ms, until_ms), dict.fromkeys(fields, pa.float64()))


def _dense(
    found: pa.Table | None, starts_ms: Int64s, index: Mapping[str, int], fields: Iterable[str], seen: Int64s
) -> Block:
    """Rows into arrays; `seen` counts them by place. A place that the census did not know is left out."""
    values = {name: np.full((starts_ms.size, len(index)), np.nan) for name in fields}
    if found is not None:
        step_ms = int(starts_ms[1] - starts_ms[0]) if starts_ms.size > 1 else 1
        tags = found["tags"].combine_chunks()
        of_tag = np.array([index.get(tag.as_py().removeprefix("place="), -1) for tag in tags.dictionary])
        column = of_tag[tags.indices.to_numpy()]
        row = (found["time"].to_numpy() - starts_ms[0]) // step_ms
        known = column >= 0
        seen += np.bincount(column[known], minlength=seen.size)
        for name, cells in values.items():
            cells[row[known], column[known]] = found[name].to_numpy()[known]
    return Block(starts_ms, tuple(index), values)
