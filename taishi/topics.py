"""The Kafka topics as `schemas.topics` declares them: made when missing, verified when there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from schemas.brokers import kafka_client
from schemas.errors import SettingsError, TaishiError
from schemas.topics import TOPICS, Topic

__all__ = ["TopicsError", "create", "differences", "found", "verify"]

LIMIT_S: Final = 30.0

Found = Mapping[str, tuple[int, Mapping[str, str]]]
"""Topic -> (partitions, settings by Kafka's names)."""


class TopicsError(TaishiError):
    """Kafka did not answer or refused; the message says at which address and what it said."""


def create(bootstrap: str, topics: Iterable[Topic] = TOPICS.values(), replication: int = 1) -> list[str]:
    """Make the missing topics, verify the others; returns the names made.

    Safe to run at once in several processes: a topic somebody else made meanwhile is verified.

    Raises:
        SettingsError: a topic is there but not as declared.
        TopicsError: Kafka did not answer within LIMIT_S, or refused.
    """
    wanted = list(topics)
    client = _client(bootstrap)
    present = found(client, bootstrap, wanted)
    verify(present, wanted)
    absent = [topic for topic in wanted if topic.name not in present]
    if not absent:
        return []
    made = [
        topic.name
        for topic, future in _requested(client, absent, replication)
        if _made(future, topic, bootstrap)
    ]
    verify(found(client, bootstrap, absent), absent)
    return made


def verify(present: Found, topics: Iterable[Topic]) -> None:
    """SettingsError naming every topic, setting, what Kafka has and what is wanted; absent topics pass."""
    wrong = [
        line for topic in topics if topic.name in present for line in differences(topic, *present[topic.name])
    ]
    if wrong:
        raise SettingsError(
            "; ".join(wrong) + ". Change them with kafka-configs.sh (partitions cannot shrink: delete the "
            "topic if its data may go), or point kafka_address at another Kafka"
        )


def differences(topic: Topic, partitions: int, settings: Mapping[str, str]) -> list[str]:
    """One line for each way the topic is not as declared; settings nobody declared may be anything."""
    lines = []
    if partitions != topic.partitions:
        lines.append(f"topic {topic.name}: partitions: received {partitions}, wanted {topic.partitions}")
    for name, value in topic.config.items():
        received = settings.get(name)
        if received != value:
            lines.append(f"topic {topic.name}: {name}: received {received!r}, wanted {value!r}")
    return lines


def found(client: AdminClient, bootstrap: str, topics: Iterable[Topic]) -> Found:
    """Partitions and settings of those of the topics that Kafka has."""
    try:
        metadata = client.list_topics(timeout=LIMIT_S).topics
        names = [topic.name for topic in topics if topic.name in metadata]
        resources = [ConfigResource(ResourceType.TOPIC, name) for name in names]
        answers = client.describe_configs(resources, request_timeout=LIMIT_S) if resources else {}
        settings = {
            resource.name: {entry.name: entry.value for entry in future.result(LIMIT_S).values()}
            for resource, future in answers.items()
        }
    except (KafkaException, TimeoutError) as error:
        raise TopicsError(f"Kafka at {bootstrap} did not describe its topics: {error}") from error
    return {name: (len(metadata[name].partitions), settings[name]) for name in names}


def _client(bootstrap: str) -> AdminClient:
    return AdminClient({**kafka_client(bootstrap), "log_level": 0, "client.id": "taishi-topics"})


def _requested(
    client: AdminClient, topics: list[Topic], replication: int
) -> list[tuple[Topic, Future[None]]]:
    new = [
        NewTopic(t.name, num_partitions=t.partitions, replication_factor=replication, config=dict(t.config))
        for t in topics
    ]
    futures: dict[str, Any] = client.create_topics(new, operation_timeout=LIMIT_S, request_timeout=LIMIT_S)
    return [(topic, futures[topic.name]) for topic in topics]


def _made(future: Future[None], topic: Topic, bootstrap: str) -> bool:
    try:
        future.result(LIMIT_S)
    except KafkaException as error:
        if error.args[0].code() == KafkaError.TOPIC_ALREADY_EXISTS:
            return False
        raise TopicsError(f"Kafka at {bootstrap} refused topic {topic.name}: {error}") from error
    return True
