"""Checkpoints: one record a shard in a compacted topic; one record, so it is atomic.

Key `<job>/<shard>`; value a `Checkpoint`. Written only after the outputs it covers are confirmed.
Dies the process between outputs and checkpoint, the outputs are written again, the same; between
checkpoint and group offset, a lag display is behind for a moment.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from confluent_kafka import Consumer, TopicPartition

from pipelines.io.bounds import bounds_of
from pipelines.io.shards import TopicIdentity
from pipelines.io.sink import KafkaSink, Record
from pipelines.io.stretch import read_stretch
from schemas.brokers import kafka_client
from schemas.errors import SettingsError
from schemas.topics import CHECKPOINTS, LARGE_BYTES

__all__ = ["Checkpoint", "load_checkpoints", "newest", "save_checkpoint"]


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """State of a shard and where to go on; of two the one with the higher (epoch, next_offset) counts."""

    job: str
    shard: str
    epoch: int
    next_offset: int
    topic_id: str
    partitions: int
    state: bytes

    def check(self, identity: TopicIdentity) -> None:
        """SettingsError if the topic is not the one the state was made from."""
        if (self.topic_id, self.partitions) != (identity.topic_id, identity.partitions):
            raise SettingsError(
                f"checkpoint of {self.job}/{self.shard}: made from topic id {self.topic_id} with "
                f"{self.partitions} partitions, found {identity.topic_id} with {identity.partitions}; its "
                "offsets mean something else: restart with --from-oldest to rebuild"
            )


def newest(checkpoints: Iterable[Checkpoint]) -> dict[tuple[str, str], Checkpoint]:
    """The checkpoint that counts of each (job, shard), whatever the order they were written in.

    A former owner that wakes up may write last; its epoch is lower, so it does not count.
    """
    best: dict[tuple[str, str], Checkpoint] = {}
    for checkpoint in checkpoints:
        key = (checkpoint.job, checkpoint.shard)
        held = best.get(key)
        if held is None or (held.epoch, held.next_offset) <= (checkpoint.epoch, checkpoint.next_offset):
            best[key] = checkpoint
    return best


def load_checkpoints(
    bootstrap: str, job: str, *, topic: str = CHECKPOINTS, timeout_s: float = 60.0
) -> dict[str, Checkpoint]:
    """The checkpoints of a job by shard, read to the end the topic has now; SettingsError if that fails.

    Stopping at a first empty poll would look like "no checkpoint" and begin anew.
    """
    consumer = Consumer(
        {
            **kafka_client(bootstrap),
            "group.id": f"taishi-checkpoints-{job}",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": LARGE_BYTES,
        }
    )
    try:
        start, end = bounds_of(consumer, topic, 0, timeout_s)
        consumer.assign([TopicPartition(topic, 0, start)])
        found = read_stretch(consumer, topic, start, end, timeout_s)
    finally:
        consumer.close()
    prefix = f"{job}/".encode()
    mine = [msgspec.msgpack.decode(r.value, type=Checkpoint) for r in found if r.key.startswith(prefix)]
    return {shard: checkpoint for (_, shard), checkpoint in newest(mine).items()}


def save_checkpoint(sink: KafkaSink, checkpoint: Checkpoint, *, topic: str = CHECKPOINTS) -> int:
    """Write a checkpoint and wait for its confirmation; returns its size in bytes."""
    value = msgspec.msgpack.encode(checkpoint)
    key = f"{checkpoint.job}/{checkpoint.shard}".encode()
    sink.send([Record(topic, key, value, partition=0)])
    return len(value)
