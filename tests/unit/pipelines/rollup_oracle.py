"""A slow, plain roll-up to compare with, and logs to feed both."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.plan import plan_for
from pipelines.kernels.rollup import PlaceWindow

MEASURES = plan_for("care").measures
GRIDS = [
    f"370202{street:03}{community:03}{grid:03}"
    for street in (1, 2)
    for community in (1, 2)
    for grid in (1, 2)
]
SHARDS = ("readings.care/0", "readings.care/1")
CHUNK_MS = 10_000

Record = tuple[int, dict[str, Any] | bytes | None]
"""(append time, record as JSON would hold it, or raw bytes, or a tick)"""


def window(
    grid: str,
    start: int,
    revision: int,
    values: Sequence[float],
    shard: str | None = None,
    window_s: int = 10,
) -> dict[str, Any]:
    metrics = dict(zip(MEASURES, (values[i % len(values)] for i in range(len(MEASURES))), strict=True))
    return {
        "type": "window",
        "domain": "care",
        "grid": grid,
        "window_s": window_s,
        "start_ms": start * CHUNK_MS,
        "revision": revision,
        "shard": shard or shard_of(grid),
        "metrics": metrics,
    }


def progress(shard: str, closed: int, revision: int = 0) -> dict[str, Any]:
    return {
        "type": "progress",
        "domain": "care",
        "shard": shard,
        "shards": len(SHARDS),
        "closed_through_ms": closed * CHUNK_MS,
        "revision": revision,
    }


def shard_of(grid: str) -> str:
    return SHARDS[GRIDS.index(grid) % 2]


def batches(log: Sequence[Record], sizes: Iterable[int] = (10_000,), at: int = 0) -> Iterable[ShardBatch]:
    """The log from `at` on, cut into batches of the given sizes, the last one repeated."""
    wanted, size = iter(sizes), 1
    while at < len(log):
        size = next(wanted, size)
        rows = log[at : at + size]
        values = [
            None if r is None else r if isinstance(r, bytes) else json.dumps(r).encode() for _, r in rows
        ]
        yield ShardBatch(
            "windows/0",
            at,
            at + len(rows),
            np.arange(at, at + len(rows)),
            np.array([t for t, _ in rows], np.int64),
            values,
        )
        at += len(rows)


@dataclass(frozen=True)
class Row:
    values: tuple[int, ...]
    revision: int
    grids: int
    complete: bool


def held(windows: Iterable[PlaceWindow]) -> dict[tuple[str, str, int, int], Row]:
    """What a store of upserts ends with."""
    return {
        (w.level, w.place, w.window_s, w.start_ms): Row(
            tuple(w.values.tolist()), w.revision, w.grids, w.complete
        )
        for w in windows
    }


def expected(log: Sequence[Record]) -> dict[tuple[str, str, int, int], tuple[tuple[int, ...], int, int]]:
    """Final (values, revision, grids) of every place, added up anew from the newest version of each grid."""
    newest: dict[tuple[str, int, int], dict[str, Any]] = {}
    for _, record in log:
        if isinstance(record, dict) and record["type"] == "window":
            key = (record["grid"], record["window_s"], record["start_ms"])
            if key not in newest or record["revision"] >= newest[key]["revision"]:
                newest[key] = record
    sums: dict[tuple[str, str, int, int], list[tuple[tuple[int, ...], int]]] = defaultdict(list)
    for (grid, window_s, start_ms), record in newest.items():
        fixed = tuple(round(record["metrics"][name] * 1_000_000) for name in MEASURES)
        for level, digits in (("grid", 15), ("community", 12), ("street", 9), ("district", 6)):
            sums[level, grid[:digits], window_s, start_ms].append((fixed, record["revision"]))
    return {
        key: (
            tuple(sum(column) for column in zip(*(fixed for fixed, _ in rows), strict=True)),
            sum(revision for _, revision in rows),
            len(rows),
        )
        for key, rows in sums.items()
    }
