"""Lists of many open cases: a page, all of them, by place, by what is late; SQLite, in this process."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from operations.cases.clocks import MINUTE_MS
from operations.cases.config import shipped_config
from operations.cases.model import Actor
from operations.cases.opening import Report, open_case
from operations.cases.periods import parse_period
from operations.store.casebook import CaseBook
from operations.store.cases import CaseSelection
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer

__all__ = ["CasesFigures", "bench_cases"]

_NOW_MS = int(datetime(2026, 11, 27, 4, 0, tzinfo=UTC).timestamp()) * 1000
_ACTOR = Actor(name="bench", roles=("collector",))
_LIMIT_MS = 300.0


@dataclass(frozen=True)
class CasesFigures:
    """What -> median and 95th percentile in ms. `good`: each page under 300 ms at the median."""

    cases: int
    ms: dict[str, tuple[float, float]]
    good: bool


def bench_cases(count: int, rounds: int, say: Callable[[str], None]) -> CasesFigures:
    """Make so many open cases in a database of its own, and time what pages ask of it."""
    with tempfile.TemporaryDirectory() as folder:
        book = _Filled(f"sqlite:///{Path(folder) / 'desk.db'}", shipped_config())
        try:
            book.fill(count)
            say(f"{count:,} open cases")
            ms = {name: _timed(ask, rounds) for name, ask in _asked(book).items()}
        finally:
            book.close()
    return CasesFigures(
        count,
        ms,
        all(median < _LIMIT_MS for name, (median, _) in ms.items() if "page" in name or "late" in name),
    )


class _Filled(CaseBook):
    def fill(self, count: int) -> None:
        """All in one transaction: the way they come is measured elsewhere."""
        dice = random.Random(370202)
        grids = PlaceRegistry(known_places("370202"), synthetic_layer("370202")).grid_codes
        flows, categories = list(self.config.workflows), list(self.config.categories)
        with self._engine.begin() as connection:
            for number in range(count):
                flow = dice.choice(flows)
                report = Report(
                    key=f"bench/{number}",
                    source="resident" if flow == "residents-order" else "collector",
                    category=dice.choice(categories),
                    place=dice.choice(grids),
                    title=f"案件 {number}",
                    workflow=flow,
                )
                at_ms = _NOW_MS - dice.randrange(3000) * MINUTE_MS
                case, entry = open_case(report, f"20261127-{number:06}", _ACTOR, self.config, at_ms)
                case = replace(case, department=dice.choice(["市政公司", "园林局", "民政局"]))
                self._write(connection, None, [(case, entry)], _NOW_MS)


def _asked(book: CaseBook) -> dict[str, Callable[[], object]]:
    everything, late = CaseSelection(), CaseSelection(due_before_ms=_NOW_MS)
    street = CaseSelection(place="370202001", department="市政公司")
    november = parse_period("2026-11")
    return {
        "list: first page of 100, and how many there are": lambda: (
            book.lines(everything, 100), book.count_cases(everything)),
        "list: last page of 100": lambda: book.lines(everything, 100, 9_900),
        "list: a page of a street's of one department": lambda: book.lines(street, 100),
        "list: what is late": lambda: (book.lines(late, 100), book.count_cases(late)),
        "list: all of them": lambda: book.lines(everything, 1_000_000),
        "evaluation of the month by street": lambda: book.evaluate(november, "street", _NOW_MS),
    }  # fmt: skip


def _timed(ask: Callable[[], object], rounds: int) -> tuple[float, float]:
    took = []
    for _ in range(rounds):
        start = time.perf_counter()
        ask()
        took.append((time.perf_counter() - start) * 1000)
    took.sort()
    return took[len(took) // 2], took[min(len(took) - 1, int(len(took) * 0.95))]
