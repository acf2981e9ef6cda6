"""What every engine must have written, computed another way (all at once), and the judgement of its rows.

Engines write one row a grid and window: `readings`, `occupied` (sum), `mean` and `least` of the value. The
product writes its own window records, which say more; of them readings, devices and the spaces occupied at
the window's end are compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from benchmarks.peers.load import WINDOW_MS, Load, Readings, grid_name

__all__ = ["Expected", "Figures", "Key", "Verdict", "expected_of", "judge"]

Key = tuple[str, int]
"""Grid and the window's start in ms."""
Figures = tuple[float, ...]
_CLOSE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Expected:
    """By window, what must be said.

    By an engine: readings, occupied, mean, least. By the product: readings, devices, spaces occupied
    at its end.
    """

    engine: Mapping[Key, Figures]
    product: Mapping[Key, Figures]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Rows that are wrong, missing or there twice, and readings that no row counts."""

    wrong: int
    missing: int
    doubled: int
    lost: int

    def __str__(self) -> str:
        """`right`, or what is not."""
        faults = [f"{getattr(self, name):,} {name}" for name in ("wrong", "missing", "doubled", "lost")]
        return ", ".join(each for each in faults if not each.startswith("0 ")) or "right"


def expected_of(load: Load) -> Expected:
    """The windows of the measured readings."""
    rows, grids = load.readings, load.shape.grids
    window, grid = rows.observed_ms // WINDOW_MS, rows.device % grids
    first = int(window.min())
    cell = (window - first) * grids + grid
    size = (int(window.max()) - first + 1) * grids
    counts, sums = np.bincount(cell, minlength=size), np.bincount(cell, rows.value, minlength=size)
    least = np.ones(size)
    np.minimum.at(least, cell, rows.value)
    seen = np.unique(cell * load.shape.devices + rows.device) // load.shape.devices
    devices = np.bincount(seen, minlength=size)
    held = _held(load, first, size // grids).reshape(-1)
    keys = [(grid_name(at % grids), (first + at // grids) * WINDOW_MS) for at in range(size)]
    there = np.flatnonzero(counts).tolist()
    return Expected(
        {keys[at]: (counts[at], sums[at], sums[at] / counts[at], least[at]) for at in there},
        {keys[at]: (counts[at], devices[at], held[at]) for at in there},
    )


def _held(load: Load, first: int, windows: int) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """`[window, grid]`: spaces whose newest value by the window's end is 1."""
    grids = load.shape.grids
    every = _joined(load.warm_up, load.readings)
    order = np.lexsort((np.arange(every.device.size), every.observed_ms))
    window = every.observed_ms[order] // WINDOW_MS
    last = np.zeros(load.shape.devices)
    held = np.zeros((windows, grids))
    of_grid = np.arange(load.shape.devices) % grids
    for number in range(windows):
        chosen = order[window == first + number] if number else order[window <= first]
        last[every.device[chosen]] = every.value[chosen]  # the last of several stays
        held[number] = np.bincount(of_grid, last, minlength=grids)[:grids]
    return held


def _joined(one: Readings, other: Readings) -> Readings:
    return Readings(*(
        np.concatenate([getattr(one, name), getattr(other, name)]) for name in Readings.__slots__
    ))  # fmt: skip


def judge(expected: Mapping[Key, Figures], written: Mapping[Key, Figures], doubled: int) -> Verdict:
    """The rows as they are in the end, against what they must be; windows that nobody asked for are wrong."""
    counted = sum(int(figures[0]) for figures in written.values())
    return Verdict(
        wrong=sum(1 for key, figures in written.items() if not _same(figures, expected.get(key))),
        missing=len(expected.keys() - written.keys()),
        doubled=doubled,
        lost=max(0, sum(int(figures[0]) for figures in expected.values()) - counted),
    )


def _same(one: Figures, other: Figures | None) -> bool:
    return other is not None and all(abs(a - b) <= _CLOSE for a, b in zip(one, other, strict=True))
