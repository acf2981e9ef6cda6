"""Bounded stretches of a shard as micro-batches: a range of the log, or readings spooled from files."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.io.source import ShardSource
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.received import kept_back, put_back

__all__ = ["LogStretch", "ReceivedStretch", "SpooledStretch", "spool"]

_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class LogStretch:
    """Shard `shard` from the oldest record held to `end_offset` (exclusive)."""

    bootstrap: str
    shard: str
    end_offset: int

    def batches(self) -> Iterator[ShardBatch]:
        """The records, in order; the first batch begins at the oldest offset."""
        source = ShardSource(self.bootstrap, f"taishi-backfill-{uuid.uuid4().hex[:8]}")
        try:
            at = source.add({self.shard: None})[self.shard]
            while at < self.end_offset:
                for batch in source.read(0.5):
                    cut = int(np.searchsorted(batch.offsets, self.end_offset))
                    whole = cut == len(batch)
                    yield batch if whole else batch.part(0, cut, batch.first_offset, self.end_offset)
                    at = batch.next_offset
        finally:
            source.close()

    def cut_at_ms(self) -> int:
        """Append time of the oldest record held if older ones are gone, else 0."""
        source = ShardSource(self.bootstrap, f"taishi-backfill-{uuid.uuid4().hex[:8]}")
        try:
            oldest, _ = source.bounds(self.shard)
            if not 0 < oldest < self.end_offset:
                return 0
            source.add({self.shard: None})
            while True:
                for batch in source.read(0.5):
                    return int(batch.append_times_ms[0])
        finally:
            source.close()


@dataclass(frozen=True, slots=True)
class ReceivedStretch:
    """A stretch of the log as if what was kept back had been taken when it was received; read twice."""

    log: LogStretch

    @property
    def shard(self) -> str:
        """The log's."""
        return self.log.shard

    def batches(self) -> Iterator[ShardBatch]:
        """The records in the order in which connectors received them, where that is far from the log's."""
        kept = [record for batch in self.log.batches() for record in kept_back(batch)]
        yield from put_back(self.log.batches(), kept)


@dataclass(frozen=True, slots=True)
class SpooledStretch:
    """Readings of a file, one JSON a line, in the order of their times; each arrives when it was observed."""

    path: Path
    shard: str
    close_after_ms: int

    def batches(self) -> Iterator[ShardBatch]:
        """The readings, then a tick late enough to close every window."""
        times_ms = np.load(self.path.with_suffix(".npy"))
        start = 0
        with self.path.open("rb") as lines:
            while start < times_ms.size:
                stop = min(start + _BATCH, times_ms.size)
                values: list[bytes | None] = [next(lines).rstrip(b"\n") for _ in range(start, stop)]
                yield _spooled(self.shard, start, times_ms[start:stop], values)
                start = stop
        if times_ms.size:
            yield _spooled(self.shard, start, times_ms[-1:] + self.close_after_ms, [None])


def _spooled(shard: str, first: int, times_ms: np.ndarray, values: list[bytes | None]) -> ShardBatch:
    stop = first + len(values)
    return ShardBatch(shard, first, stop, np.arange(first, stop), times_ms, values)


def spool(path: Path, readings: list[tuple[int, bytes]]) -> None:
    """Write (observed_at_ms, reading) for a `SpooledStretch`, in the order of time."""
    readings.sort(key=lambda item: item[0])
    with path.open("wb") as lines:
        lines.writelines(value + b"\n" for _, value in readings)
    np.save(path.with_suffix(".npy"), np.array([time_ms for time_ms, _ in readings], np.int64))
