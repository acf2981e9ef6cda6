"""Kafka in memory, as its clients see it: a partition never reorders, never loses what it confirmed.

`LogConsumer` and `LogProducer` have the methods of confluent_kafka's that the product calls, `BatchReader`
those of its reader of record batches, so its own source, sink, checkpoints and readers run on them unchanged.
"""

from __future__ import annotations

import zlib
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple

import numpy as np
from confluent_kafka import KafkaError, TopicPartition

from pipelines.io.shards import TopicIdentity, shard_parts
from pipelines.kernels.batch import Int64s
from pipelines.kernels.values import Stretches
from schemas.topics import CHECKPOINTS
from tests.simulation.faults import Crash, Faults, hold

_CUT_MAX = 30
"""Records a reader is given at most while things go wrong, so that batches are of every size."""
_WHOLE = 10_000
_BEFORE = 3
"""Records before the one asked for that its batch begins with, at most."""


class Stored(NamedTuple):
    """A record as the log holds it; it is its own confluent `Message`."""

    shard: str
    at: int
    append_ms: int
    body: bytes | None
    name: bytes | None
    facts: tuple[tuple[str, bytes], ...]

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return shard_parts(self.shard)[0]

    def partition(self) -> int:
        return shard_parts(self.shard)[1]

    def offset(self) -> int:
        return self.at

    def timestamp(self) -> tuple[int, int]:
        return 2, self.append_ms

    def key(self) -> bytes | None:
        return self.name

    def value(self) -> bytes | None:
        return self.body


@dataclass(frozen=True)
class StoredBatch:
    """Some records of a shard, as the product's reader gives them."""

    shard: str
    records: list[Stored]

    @property
    def count(self) -> int:
        return len(self.records)

    @property
    def next_offset(self) -> int:
        return self.records[-1].at + 1

    def columns(self) -> tuple[Int64s, Int64s, Stretches]:
        lengths = np.array([-1 if each.body is None else len(each.body) for each in self.records], np.int64)
        data = b"".join(each.body or b"" for each in self.records)
        begins = np.cumsum(np.maximum(lengths, 0)) - np.maximum(lengths, 0)
        offsets, times_ms = (
            np.array([each.at for each in self.records], np.int64),
            np.array([each.append_ms for each in self.records], np.int64),
        )
        return offsets, times_ms, Stretches(data, begins, lengths)


class MemoryLog:
    """Topics and their partitions. `noted` is called with each record that was appended."""

    def __init__(self, topics: dict[str, int], faults: Faults, order: Random) -> None:
        self.topics, self.faults, self.order = topics, faults, order
        self.shards: dict[str, list[Stored]] = {
            f"{topic}/{number}": [] for topic, count in topics.items() for number in range(count)
        }
        self.ends = dict.fromkeys(self.shards, 0)
        self.clock_ms: Callable[[], int] = lambda: 0
        self.noted: Callable[[Stored], None] = lambda _stored: None

    def append(
        self,
        topic: str,
        value: bytes | None,
        key: bytes | None = None,
        partition: int = -1,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> Stored:
        number = zlib.crc32(key or b"") % self.topics[topic] if partition < 0 else partition
        shard = f"{topic}/{number}"
        stored = Stored(shard, self.ends[shard], self.clock_ms(), value, key, headers)
        self.ends[shard] += 1
        self.shards[shard].append(stored)
        self.noted(stored)
        return stored

    def since(self, shard: str, offset: int, most: int | None = None) -> list[Stored]:
        records = self.shards[shard]
        start = bisect_left(records, offset, key=Stored.offset)
        return records[start : None if most is None else start + most]

    def of(self, topic: str) -> Iterator[Stored]:
        """Every record of a topic that has a value."""
        for number in range(self.topics[topic]):
            yield from (each for each in self.shards[f"{topic}/{number}"] if each.body is not None)

    def compact(self, topic: str) -> None:
        """Of each key what was written last."""
        for number in range(self.topics[topic]):
            newest = {each.name: each for each in self.shards[f"{topic}/{number}"]}
            self.shards[f"{topic}/{number}"] = sorted(newest.values(), key=Stored.offset)

    def identities(self, topics: tuple[str, ...]) -> dict[str, TopicIdentity]:
        return {topic: TopicIdentity(f"id of {topic}", self.topics[topic]) for topic in topics}


class LogConsumer:
    """Reads what it was assigned; a consumer of its own has its own positions."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._at: dict[str, int] = {}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self._at = {f"{each.topic}/{each.partition}": max(0, each.offset) for each in partitions}

    def unassign(self) -> None:
        self._at = {}

    def get_watermark_offsets(self, partition: TopicPartition, **_asked: object) -> tuple[int, int]:
        return 0, self._log.ends[f"{partition.topic}/{partition.partition}"]

    def consume(self, most: int, _timeout_s: float) -> list[Stored]:
        if self._log.faults.fires("log.delay"):
            return []
        found: list[Stored] = []
        for shard, at in self._at.items():
            cut = self._log.order.randint(1, _CUT_MAX) if self._log.faults.active else most
            found += self._take(shard, at, min(cut, most))
        return found

    def poll(self, _timeout_s: float) -> Stored | None:
        ((shard, at),) = self._at.items()
        found = self._take(shard, at, 1)
        return found[0] if found else None

    def _take(self, shard: str, at: int, most: int) -> list[Stored]:
        found = self._log.since(shard, at, most)
        whole = not found or len(found) < most
        self._at[shard] = self._log.ends[shard] if whole else found[-1].at + 1
        return found

    def position(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        return [
            TopicPartition(p.topic, p.partition, self._at[f"{p.topic}/{p.partition}"]) for p in partitions
        ]

    def commit(self, **_offsets: object) -> None:
        """For lag displays only: nobody reads it back."""

    def close(self) -> None:
        self._at.clear()


class BatchReader:
    """Reads what it was assigned in batches of every size; the first begins before what was asked for."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._at: dict[str, int] = {}

    def assign(self, offsets: Mapping[str, int]) -> None:
        self._at = {shard: max(0, at - self._log.order.randint(0, _BEFORE)) for shard, at in offsets.items()}

    def poll(self, _timeout_s: float) -> list[StoredBatch]:
        if self._log.faults.fires("log.delay"):
            return []
        return [batch for shard in self._at for batch in self._batches(shard)]

    def _batches(self, shard: str) -> Iterator[StoredBatch]:
        most = self._log.order.randint(1, _CUT_MAX) if self._log.faults.active else _WHOLE
        while records := self._log.since(shard, self._at[shard], most):
            self._at[shard] = records[-1].at + 1
            yield StoredBatch(shard, records)
            if self._log.faults.active:
                return

    def end(self, shard: str) -> int:
        return self._log.ends[shard]

    def close(self) -> None:
        self._at.clear()


Confirm = Callable[[KafkaError | None, Stored | None], None]


class LogProducer:
    """Sends what was given to it in order; `poll` some of it, `flush` all.

    Who dies while it is sent has sent a beginning of what goes to each topic.
    """

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self._given: list[tuple[dict[str, Any], Confirm | None]] = []

    def produce(self, topic: str, **given: Any) -> None:
        confirm = given.pop("on_delivery", None)
        record = {"topic": topic, "headers": tuple(given.pop("headers", ()))} | given
        self._given.append((record, confirm))

    def poll(self, _timeout_s: float) -> int:
        few = self._log.faults.active and any(confirm for _, confirm in self._given)
        count = self._log.order.randint(0, len(self._given)) if few else len(self._given)
        given, self._given = self._given[:count], self._given[count:]
        self._send(given)
        return count

    def flush(self, _timeout_s: float) -> int:
        given, self._given = self._given, []
        if self._log.faults.fires("log.timeout"):
            return len(given)
        if self._log.faults.fires("crash.half_sent"):
            self._half(given)
        self._send(given)
        return 0

    def _send(self, given: list[tuple[dict[str, Any], Confirm | None]]) -> None:
        faults, placed = self._log.faults, []
        topics = {record["topic"] for record, confirm in given if confirm is not None}
        beside = topics - {CHECKPOINTS} if CHECKPOINTS in topics else None
        hold(not beside, f"a checkpoint while outputs before it are on their way to {beside}")
        for record, confirm in given:
            if confirm is not None:
                placed.append((confirm, self._log.append(**record)))
            elif not faults.fires("log.tick_lost"):
                self._log.append(**record)
        lost = placed and faults.fires("log.lost_ack")
        error = KafkaError(KafkaError._MSG_TIMED_OUT, "simulated") if lost else None
        for confirm, stored in placed:
            confirm(error, stored)

    def _half(self, given: list[tuple[dict[str, Any], Confirm | None]]) -> None:
        for topic in dict.fromkeys(record["topic"] for record, _ in given):
            mine = [record for record, _ in given if record["topic"] == topic]
            for record in mine[: self._log.order.randint(0, len(mine))]:
                self._log.append(**record)
        raise Crash("crash.half_sent")
