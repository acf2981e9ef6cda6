"""The load that every engine gets: seeded readings with fixed event times, and who closes their windows.

Three parts, in the order of their append times:

    warm-up     40 s at 2,500/s: engines start, load their classes and show that they work
    readings    what is measured, at 20,000/s of event time
    closers     one reading of each grid, two minutes later: all windows before are over for every engine,
                whether its time is that of a grid, a partition or all

Append times only grow; a reading was observed up to two seconds before. So none is late for an engine that
waits five seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["BASE_MS", "WINDOW_MS", "Load", "Readings", "Shape", "load_of", "records"]

BASE_MS: Final = 1_767_225_600_000
"""2026-01-01T00:00:00Z, where the warm-up begins; a whole number of windows."""
WINDOW_MS: Final = 10_000
WARM_UP_PER_S: Final = 2_500
WARM_UP_MS: Final = 40_000
GAP_MS: Final = 40_000
"""Between warm-up and readings; and engines that let an idle clock run on may idle for so long."""
CLOSERS_AFTER_MS: Final = 120_000
JITTER_MS: Final = 2_000

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Shape:
    """How large; `padding` bytes are added to each reading, `rate_per_s` is of event time."""

    readings: int = 2_000_000
    grids: int = 573
    devices: int = 20_000
    partitions: int = 4
    padding: int = 0
    rate_per_s: int = 20_000
    seed: int = 370202


@dataclass(frozen=True, slots=True)
class Readings:
    """Columns of equal length: append and event time, device number, 0 or 1; grid = device % grids."""

    append_ms: Int64s
    observed_ms: Int64s
    device: Int64s
    value: Int64s


@dataclass(frozen=True, slots=True)
class Load:
    """The three parts."""

    shape: Shape
    warm_up: Readings
    readings: Readings
    closers: Readings


def load_of(shape: Shape) -> Load:
    """The load of a shape; the same for the same shape."""
    rng = np.random.default_rng(shape.seed)
    warm_up = _readings(rng, shape, WARM_UP_PER_S * WARM_UP_MS // 1000, WARM_UP_PER_S, BASE_MS)
    begin_ms = BASE_MS + WARM_UP_MS + GAP_MS
    readings = _readings(rng, shape, shape.readings, shape.rate_per_s, begin_ms)
    grids = np.arange(shape.grids, dtype=np.int64)
    end_ms = np.full(shape.grids, int(readings.append_ms[-1]) + CLOSERS_AFTER_MS, np.int64)
    return Load(shape, warm_up, readings, Readings(end_ms, end_ms, grids, np.zeros_like(grids)))


def _readings(rng: np.random.Generator, shape: Shape, count: int, per_s: int, begin_ms: int) -> Readings:
    append_ms = begin_ms + np.arange(count, dtype=np.int64) * 1000 // per_s
    observed_ms = append_ms - rng.integers(0, JITTER_MS, count)
    device = rng.integers(0, shape.devices, count)
    # A function of device and time: of two readings of one moment either may be the newest.
    value = (device * 2_654_435_761 + observed_ms * 40_503 >> 17) & 1
    return Readings(append_ms, observed_ms, device, value)


def grid_name(number: int) -> str:
    """Of grid 0, 1, …: digits as of a district, its streets and communities."""
    return f"370202{number // 1000 + 1:06d}{number % 1000:03d}"


def records(shape: Shape, part: Readings) -> Iterator[tuple[int, bytes, bytes, int]]:
    """(partition, grid, JSON reading, append time) of each, as a connector writes it."""
    names = [grid_name(number) for number in range(shape.grids)]
    keys = [name.encode() for name in names]
    ids = np.random.default_rng(shape.seed + part.device.size).bytes(16 * part.device.size).hex()
    padding = f',"note":"{"x" * (shape.padding - 10)}"' if shape.padding > 10 else ""
    rows = zip(
        part.append_ms.tolist(), part.observed_ms.tolist(), part.device.tolist(), part.value.tolist(),
        strict=True,
    )  # fmt: skip
    for number, (append_ms, observed_ms, device, value) in enumerate(rows):
        grid = device % shape.grids
        yield (
            grid % shape.partitions,
            keys[grid],
            (
                f'{{"id":"{ids[32 * number : 32 * number + 32]}","kind":"parking.space","metric":"occupied",'
                f'"value":{value},"device":"70b3d57ed0{device:06x}","grid":"{names[grid]}",'
                f'"source":"bench.native","observed_at_ms":{observed_ms},"received_at_ms":{append_ms},'
                f'"seq":{number & 0xFFFF}{padding}}}'
            ).encode(),
            append_ms,
        )
