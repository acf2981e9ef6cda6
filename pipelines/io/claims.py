"""Claims of shards: one small record each in a compacted topic, and whether ours are still the newest.

Key `<job>/<shard>`, value a `Claim`; rules in `pipelines.kernels.ownership`. Claimed is before the checkpoint
is loaded: what a former owner writes from then on carries an older epoch. Dies a worker between the two, its
claim stands and nobody folds the shard until the next claim.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable

import msgspec
from confluent_kafka import Consumer, TopicPartition

from pipelines.io.bounds import bounds_of
from pipelines.io.sink import KafkaSink, Record
from pipelines.io.stretch import read_stretch
from pipelines.kernels.ownership import Ownership
from schemas.brokers import kafka_client
from schemas.errors import TaishiError
from schemas.topics import CLAIMS

__all__ = ["Claim", "Claims", "Fenced"]

_PATIENCE_S = 120.0
"""How long Kafka may be away: as long as the sink waits for it."""


class Fenced(TaishiError):  # noqa: N818 - names what happened to the worker
    """Somebody else has claimed what this worker was told to hold for itself."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """`owner`, host:process, holds the shard from this record on."""

    job: str
    shard: str
    owner: str


class Claims:
    """One job's claims by this process. Not thread-safe."""

    def __init__(self, bootstrap: str, job: str, sink: KafkaSink, *, topic: str = CLAIMS) -> None:
        self._job, self._sink, self._topic = job, sink, topic
        self.owner = f"{socket.gethostname()}:{os.getpid()}"
        self._ownership = Ownership()
        self._next: int | None = None
        self._consumer = Consumer(
            {
                **kafka_client(bootstrap),
                "group.id": f"taishi-claims-{job}",
                "enable.auto.commit": False,
                "auto.offset.reset": "error",
                "fetch.wait.max.ms": 10,
            }
        )

    def take(self, shards: Iterable[str]) -> dict[str, int]:
        """Claim shards, confirmed; returns at which offset the log has the claim of each."""
        placed: dict[str, int] = {}
        waiting = list(shards)
        while waiting:  # again where the broker does not tell the offset: it had the record already
            offsets = self._sink.place([self._record(shard) for shard in waiting])
            placed |= {s: at for s, at in zip(waiting, offsets, strict=True) if at >= 0}
            waiting = [shard for shard in waiting if shard not in placed]
        for shard, claimed_at in placed.items():
            self._ownership.take(shard, claimed_at)
        if self._next is None and placed:
            self._next = min(placed.values())
        return placed

    def _record(self, shard: str) -> Record:
        claim = Claim(job=self._job, shard=shard, owner=self.owner)
        key = f"{self._job}/{shard}".encode()
        return Record(self._topic, key, msgspec.json.encode(claim), partition=0)

    def superseded(self) -> dict[str, str]:
        """Shards of ours that somebody has claimed since -> who, as the log stands now: a round trip.

        Blocks while Kafka is away, for as long as a write would; KafkaException then.
        """
        if self._next is None:
            return {}
        _, end = bounds_of(self._consumer, self._topic, 0, _PATIENCE_S)
        if end > self._next:
            self._hear(self._next, end)
            self._next = end
        return self._ownership.superseded()

    def _hear(self, start: int, end: int) -> None:
        """Assigned only meanwhile: the broker would answer the next question for the end after our fetch.

        It takes one request of a connection at a time, and a fetch of a log where nothing is new waits.
        """
        self._consumer.assign([TopicPartition(self._topic, 0, start)])
        for each in read_stretch(self._consumer, self._topic, start, end, _PATIENCE_S):
            claim = msgspec.json.decode(each.value, type=Claim)
            if claim.job == self._job:
                self._ownership.hear(claim.shard, each.offset, claim.owner)
        self._consumer.assign([])

    def release(self, shard: str) -> None:
        """Hold it no more; nothing is written: the next owner's claim says it."""
        self._ownership.release(shard)

    def close(self) -> None:
        """Leave."""
        self._consumer.close()
