"""From Kafka to micro-batches: one consumer a process, its shards assigned by us, no group offsets read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from pipelines.io.bounds import bounds_of
from pipelines.io.shards import shard_name, shard_parts
from pipelines.kernels.batch import ShardBatch
from schemas.brokers import kafka_client
from schemas.errors import SettingsError
from schemas.log_errors import is_passing

__all__ = ["ShardSource"]


class ShardSource:
    """Reads shards from given offsets, in offset order, without gap or repetition.

    Nothing is committed here and nothing committed is ever read: where to go on is the
    checkpoint's word alone. An offset the log no longer holds is an error, never a silent leap
    (`auto.offset.reset=error`).
    """

    def __init__(self, bootstrap: str, group: str, *, batch_records: int = 10_000) -> None:
        self._consumer = Consumer(
            {
                **kafka_client(bootstrap),
                "group.id": group,
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "error",
                # The default, 1000 ms, lets the queue run dry: 134,000 instead of 409,000 readings/s.
                "fetch.queue.backoff.ms": 2,
                "fetch.wait.max.ms": 50,
                "queued.max.messages.kbytes": 64 * 1024,
                "fetch.message.max.bytes": 4 * 1024 * 1024,
            }
        )
        self._batch_records = batch_records
        self._next: dict[str, int] = {}

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
        self._consumer.assign(
            [TopicPartition(*shard_parts(shard), offset) for shard, offset in sorted(self._next.items())]
        )

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
        ends = {}
        for shard in self._next:
            _, end = self._consumer.get_watermark_offsets(TopicPartition(*shard_parts(shard)), cached=True)
            ends[shard] = max(int(end), self._next[shard])
        return ends

    def read(self, timeout_s: float) -> Iterator[ShardBatch]:
        """What came within `timeout_s` as one batch a shard and stretch; nothing if nothing came."""
        messages = self._consumer.consume(self._batch_records, timeout_s)
        if any(map(Message.error, messages)):
            messages = [message for message in messages if not _failed_for_now(message)]
        for start, stop in _runs(messages):
            yield self._batch(messages[start:stop])

    def _batch(self, records: list[Message]) -> ShardBatch:
        shard = shard_name(records[0].topic(), records[0].partition())
        offsets = _offsets(records)
        first, self._next[shard] = self._next[shard], int(offsets[-1]) + 1
        return ShardBatch(
            shard,
            first,
            self._next[shard],
            offsets,
            np.array([at_ms for _, at_ms in map(Message.timestamp, records)], np.int64),
            list(map(Message.value, records)),
        )

    def commit(self, next_offsets: Mapping[str, int]) -> None:
        """Commit group offsets, for lag displays of other tools only."""
        offsets = [TopicPartition(*shard_parts(shard), offset) for shard, offset in next_offsets.items()]
        self._consumer.commit(offsets=offsets, asynchronous=True)

    def close(self) -> None:
        """Leave; what was read and not checkpointed will be read again."""
        self._consumer.close()


def _runs(messages: list[Message]) -> Iterator[tuple[int, int]]:
    """Stretches of one shard: (start, stop). A fetch brings thousands of one shard in a row."""
    if not messages:
        return
    partition = np.fromiter(map(Message.partition, messages), np.int64, len(messages))
    topics = list(map(Message.topic, messages))
    changes = partition[1:] != partition[:-1]
    if topics.count(topics[0]) != len(topics):
        changes |= np.array([one != other for one, other in pairwise(topics)], np.bool_)
    cuts = [0, *(np.flatnonzero(changes) + 1).tolist(), len(messages)]
    yield from pairwise(cuts)


def _offsets(records: list[Message]) -> npt.NDArray[np.int64]:
    first, last = records[0].offset(), records[-1].offset()
    if last - first + 1 == len(records):  # no holes: offsets of a partition only grow
        return np.arange(first, last + 1, dtype=np.int64)
    return np.array([record.offset() for record in records], np.int64)


def _failed_for_now(message: Message) -> bool:
    error = message.error()
    if error is None or is_passing(error):
        return error is not None
    raise KafkaException(error)
