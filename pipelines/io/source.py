"""From Kafka to micro-batches: one reader a process, its shards assigned by us, no group offsets read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter

import numpy as np
from confluent_kafka import Consumer, TopicPartition

from pipelines.io.bounds import bounds_of
from pipelines.io.log_reader import Fetched, LogReader
from pipelines.io.shards import shard_parts
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.values import joined
from schemas.brokers import kafka_client
from schemas.errors import SettingsError

__all__ = ["ShardSource"]


class ShardSource:
    """Reads shards from given offsets, in offset order, without gap or repetition.

    Nothing is committed here and nothing committed is ever read: where to go on is the
    checkpoint's word alone. An offset the log no longer holds is an error, never a silent leap.
    """

    def __init__(self, bootstrap: str, group: str, *, batch_records: int = 10_000) -> None:
        self._consumer = Consumer(
            {**kafka_client(bootstrap), "group.id": group, "enable.auto.commit": False}
        )  # asks and tells; the reader reads
        self._reader = LogReader(bootstrap)
        self._batch_records = batch_records
        self._next: dict[str, int] = {}
        self._fetched: deque[Fetched] = deque()

    def add(self, next_offsets: Mapping[str, int | None]) -> dict[str, int]:
        """Read these shards too, from these offsets; None is the oldest record held. Returns the true starts.

        SettingsError when a shard's log no longer holds the offset: its records are lost to us, and
        going on must be somebody's decision.
        """
        starts = {shard: self._start(shard, wanted) for shard, wanted in next_offsets.items()}
        self._next |= starts
        self._assign()
        return starts

    def drop(self, shards: Iterable[str]) -> None:
        """Read these no more."""
        for shard in shards:
            del self._next[shard]
        self._assign()

    def _assign(self) -> None:
        """What was fetched ahead of the others is fetched again: shards move seldom."""
        self._fetched.clear()
        self._reader.assign(dict(sorted(self._next.items())))

    def _start(self, shard: str, wanted: int | None) -> int:
        oldest, end = self.bounds(shard)
        if wanted is None:
            return oldest
        if not oldest <= wanted <= end:
            raise SettingsError(
                f"shard {shard}: the checkpoint goes on at offset {wanted}, the log holds {oldest} to {end}; "
                "records are gone: restart with --from-oldest to rebuild from what is held"
            )
        return wanted

    def bounds(self, shard: str, timeout_s: float = 30.0) -> tuple[int, int]:
        """Oldest offset held and the offset after the newest."""
        return bounds_of(self._consumer, *shard_parts(shard), timeout_s)

    def cached_ends(self) -> dict[str, int]:
        """Offset after the newest record of each shard, as last heard from the broker; no round trip."""
        return {shard: max(self._reader.end(shard), at) for shard, at in self._next.items()}

    def read(self, timeout_s: float) -> Iterator[ShardBatch]:
        """What came within `timeout_s`, in batches of a shard each; nothing if nothing came."""
        if not self._fetched:
            self._fetched.extend(self._reader.poll(timeout_s))
        for shard, fetched in groupby(self._some(), attrgetter("shard")):
            if batch := self._batch(shard, list(fetched)):
                yield from batch.parts(self._batch_records)

    def _some(self) -> list[Fetched]:
        """Of what was fetched, about as many records as a batch has."""
        some, count = [], 0
        while self._fetched and count < self._batch_records:
            some.append(self._fetched.popleft())
            count += some[-1].count
        return some

    def _batch(self, shard: str, fetched: list[Fetched]) -> ShardBatch | None:
        """None if there are no records in it, as where all were compacted."""
        offsets, times_ms, values = zip(*(each.columns() for each in fetched), strict=True)
        first, after = self._next[shard], fetched[-1].next_offset
        batch = ShardBatch(
            shard, first, after, np.concatenate(offsets), np.concatenate(times_ms), joined(values)
        ).since(first)  # the first record batch may begin before what was asked for
        if not len(batch):
            return None
        self._next[shard] = batch.next_offset
        return batch

    def commit(self, next_offsets: Mapping[str, int]) -> None:
        """Commit group offsets, for lag displays of other tools only."""
        offsets = [TopicPartition(*shard_parts(shard), offset) for shard, offset in next_offsets.items()]
        self._consumer.commit(offsets=offsets, asynchronous=True)

    def close(self) -> None:
        """Leave; what was read and not checkpointed will be read again."""
        self._reader.close()
        self._consumer.close()
