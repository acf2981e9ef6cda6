"""Shards and how they are named: one shard = one partition of a topic, `readings.parking/0`."""

from __future__ import annotations

from dataclasses import dataclass

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from schemas.brokers import kafka_client
from schemas.errors import SettingsError

__all__ = ["TopicIdentity", "shard_name", "shard_parts", "topic_identities"]


def shard_name(topic: str, partition: int) -> str:
    """`readings.parking`, 0 -> `readings.parking/0`."""
    return f"{topic}/{partition}"


def shard_parts(shard: str) -> tuple[str, int]:
    """The inverse of `shard_name`."""
    topic, _, partition = shard.rpartition("/")
    return topic, int(partition)


@dataclass(frozen=True, slots=True)
class TopicIdentity:
    """Which topic this really is: one deleted and made anew has the same name and another id."""

    topic_id: str
    partitions: int


def topic_identities(
    bootstrap: str, topics: tuple[str, ...], timeout_s: float = 30.0
) -> dict[str, TopicIdentity]:
    """Identity of each topic; SettingsError names a topic that is not there."""
    from confluent_kafka import TopicCollection  # noqa: PLC0415 - not exported where typed

    admin = AdminClient(kafka_client(bootstrap))
    described = admin.describe_topics(TopicCollection(list(topics)), request_timeout=timeout_s)
    identities = {}
    for topic, future in described.items():
        try:
            found = future.result()
        except KafkaException as error:
            raise SettingsError(
                f"topic {topic!r} at {bootstrap}: {error}; run `taishi topics create`"
            ) from error
        identities[topic] = TopicIdentity(str(found.topic_id), len(found.partitions))
    return identities
