"""A stretch of a topic of one partition, read to its end: a first empty poll is not the end."""

from __future__ import annotations

import time
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition

from schemas.errors import SettingsError
from schemas.log_errors import is_passing

__all__ = ["Stored", "read_stretch"]


@dataclass(frozen=True, slots=True)
class Stored:
    """One record as the log has it."""

    offset: int
    key: bytes
    value: bytes


def read_stretch(consumer: Consumer, topic: str, start: int, end: int, timeout_s: float) -> list[Stored]:
    """What an assigned consumer that stands at `start` finds before `end`, records without value left out.

    SettingsError if that cannot be read in time; KafkaException for an error that does not pass.
    """
    found: list[Stored] = []
    deadline_s = time.monotonic() + timeout_s
    while start < end:
        message = consumer.poll(1.0)
        if message is not None:
            if message.error() is not None and not is_passing(message.error()):
                raise KafkaException(message.error())
            if message.error() is None and message.value() is not None:
                found.append(Stored(message.offset(), message.key(), message.value()))
        (position,) = consumer.position([TopicPartition(topic, 0)])
        start = max(start, position.offset)
        if time.monotonic() > deadline_s:
            raise SettingsError(
                f"topic {topic!r}: read to offset {start} of {end} in {timeout_s:.0f} s; is Kafka well?"
            )
    return found
