"""What the log says of its shards, asked again while its error is one that passes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.log_errors import is_passing

__all__ = ["bounds_of", "offset_at", "partitions_of"]

_AGAIN_S: Final = 0.2
_Answer = TypeVar("_Answer")


def bounds_of(consumer: Consumer, topic: str, partition: int, timeout_s: float = 30.0) -> tuple[int, int]:
    """Oldest offset held and the offset after the newest; KafkaException when none is heard in time."""

    def ask(left_s: float) -> tuple[int, int]:
        oldest, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), timeout=left_s)
        return int(oldest), int(end)

    return _asked(consumer, topic, ask, timeout_s)


def offset_at(
    consumer: Consumer, topic: str, partition: int, moment_ms: int, timeout_s: float = 30.0
) -> int | None:
    """First offset the log took at or after the moment, None if there is none; KafkaException likewise."""

    def ask(left_s: float) -> int | None:
        (found,) = consumer.offsets_for_times([TopicPartition(topic, partition, moment_ms)], timeout=left_s)
        if found.error is not None:
            raise KafkaException(found.error)
        return int(found.offset) if found.offset >= 0 else None

    return _asked(consumer, topic, ask, timeout_s)


def partitions_of(consumer: Consumer, topic: str, timeout_s: float = 30.0) -> list[int]:
    """The topic's partitions in order; KafkaException likewise."""

    def ask(left_s: float) -> list[int]:
        metadata = consumer.list_topics(topic, timeout=left_s).topics[topic]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        return sorted(metadata.partitions)

    return _asked(consumer, topic, ask, timeout_s)


def _asked(consumer: Consumer, topic: str, ask: Callable[[float], _Answer], timeout_s: float) -> _Answer:
    """The answer, `ask` being told how long it may take; the last error when time is up.

    Between two questions the leader is looked for by metadata and not by `poll`, which would take a
    record away from a consumer that reads already.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            return ask(max(deadline_s - time.monotonic(), _AGAIN_S))
        except KafkaException as error:
            if not is_passing(error.args[0]) or time.monotonic() + _AGAIN_S > deadline_s:
                raise
        threading.Event().wait(_AGAIN_S)
        _look_for_leader(consumer, topic)


def _look_for_leader(consumer: Consumer, topic: str) -> None:
    try:
        consumer.list_topics(topic, timeout=_AGAIN_S)
    except KafkaException as error:
        if not is_passing(error.args[0]):
            raise
