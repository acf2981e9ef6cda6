"""A worker's place in a Kafka consumer group: who gets which shards, and nothing else.

The group's offsets are never read, nothing is fetched through it: where a shard goes on is its checkpoint's
word, who may write for it is the word of its claims (docs/decisions/0020-shards-between-workers.md). Shards
move one by one (cooperative): the others are read on meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import structlog
from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from pipelines.io.shards import shard_name
from schemas.brokers import kafka_client
from schemas.log_errors import is_passing

__all__ = ["Group"]

_LOG = structlog.get_logger(__name__)


class Group:
    """One member; it calls what it is given within `poll` and `close`, and nowhere else.

    `give_up` is told what is to go to somebody else, before that one gets it; `lose` what may have gone
    already, because the group has not heard of us for `session_s`, or of `poll` for `stall_s`.
    """

    def __init__(
        self,
        configuration: dict[str, str],
        topics: Iterable[str],
        give_up: Callable[[list[str]], None],
        lose: Callable[[list[str]], None],
    ) -> None:
        self._give_up, self._lose = give_up, lose
        self._given: dict[str, None] = {}
        self._consumer = Consumer(configuration)
        self._consumer.subscribe(
            list(topics), on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    @staticmethod
    def configuration(bootstrap: str, name: str, session_s: float, stall_s: float) -> dict[str, str]:
        """Settings of a member of the group `name`."""
        return {
            **kafka_client(bootstrap),
            "group.id": name,
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": str(int(session_s * 1000)),
            "heartbeat.interval.ms": str(int(session_s * 1000 / 10)),
            "max.poll.interval.ms": str(int(max(stall_s, session_s) * 1000)),
            "enable.auto.commit": "false",
            "auto.offset.reset": "latest",
        }

    def poll(self) -> list[str]:
        """Tell the group that we live; returns the shards that have become ours since the last call."""
        message = self._consumer.poll(0)
        if message is not None and message.error() is not None:
            self._judge(message.error())
        given, self._given = list(self._given), {}
        return given

    def _judge(self, error: KafkaError) -> None:
        """What takes our shards away comes as a loss of its own; only what stays wrong ends the worker."""
        if not is_passing(error) and error.code() != KafkaError._MAX_POLL_EXCEEDED:  # noqa: SLF001 - its name
            raise KafkaException(error)
        _LOG.warning("the group of workers tells an error that passes", why=error.str())

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for partition in partitions:
            partition.offset = OFFSET_END  # nothing is looked up, and nothing is fetched
        consumer.incremental_assign(partitions)
        consumer.pause(partitions)
        self._given |= dict.fromkeys(_names(partitions))

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._give_up(self._no_more(partitions))
        consumer.incremental_unassign(partitions)

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._lose(self._no_more(partitions))
        consumer.incremental_unassign(partitions)

    def _no_more(self, partitions: list[TopicPartition]) -> list[str]:
        names = _names(partitions)
        for name in names:
            self._given.pop(name, None)
        return names

    def close(self) -> None:
        """Give up what is ours and leave, so that others get it at once."""
        self._consumer.close()


def _names(partitions: Iterable[TopicPartition]) -> list[str]:
    return [shard_name(each.topic, each.partition) for each in partitions]
