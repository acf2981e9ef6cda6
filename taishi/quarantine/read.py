"""Read the topic `quarantine`: from a moment to the end it has now. Nothing is committed, nothing waits."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from pipelines.io.bounds import bounds_of, offset_at, partitions_of
from schemas.brokers import kafka_client
from schemas.errors import SettingsError, TaishiError
from schemas.log_errors import is_passing
from schemas.topics import LARGE_BYTES, QUARANTINE
from taishi.quarantine.records import Held, Position, Selection, held

__all__ = ["ends", "read", "read_one"]

_LIMIT_S: Final = 10.0


def read(bootstrap: str, selection: Selection, *, after: dict[int, int] | None = None) -> Iterator[Held]:
    """The wanted records in log order, per partition; `after` gives the first offset wanted of each.

    TaishiError if Kafka does not answer.
    """
    with _consumer(bootstrap) as consumer:
        for partition, (oldest, end) in _bounds(consumer).items():
            start = max(oldest, (after or {}).get(partition, 0))
            if selection.since_ms is not None:
                found = offset_at(consumer, QUARANTINE, partition, selection.since_ms, _LIMIT_S)
                start = max(start, end if found is None else found)
            yield from filter(selection.takes, _records(consumer, partition, start, end))


def read_one(bootstrap: str, position: Position) -> Held:
    """The record at a position; SettingsError if the topic does not hold it (any more)."""
    with _consumer(bootstrap) as consumer:
        bounds = _bounds(consumer)
        oldest, end = bounds.get(position.partition, (0, 0))
        if oldest <= position.offset < end:
            found = _records(consumer, position.partition, position.offset, position.offset + 1)
            for record in found:
                if record.position == position:
                    return record
    spans = ", ".join(
        f"{partition}:{low} to {partition}:{high - 1}" for partition, (low, high) in bounds.items()
    )
    raise SettingsError(f"position: received {position}, allowed: {spans}")


def ends(bootstrap: str) -> dict[int, int]:
    """The offset after the newest record of each partition."""
    with _consumer(bootstrap) as consumer:
        return {partition: end for partition, (_, end) in _bounds(consumer).items()}


@contextmanager
def _consumer(bootstrap: str) -> Iterator[Consumer]:
    consumer = Consumer(
        {
            **kafka_client(bootstrap),
            "group.id": f"taishi-quarantine-{uuid.uuid4().hex}",  # assigned by hand, never joined
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.message.max.bytes": LARGE_BYTES,
            "log_level": 0,
        }
    )
    try:
        yield consumer
    except KafkaException as error:
        raise TaishiError(f"Kafka at {bootstrap}: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _bounds(consumer: Consumer) -> dict[int, tuple[int, int]]:
    """Oldest offset and end of each partition."""
    return {
        partition: bounds_of(consumer, QUARANTINE, partition, _LIMIT_S)
        for partition in partitions_of(consumer, QUARANTINE, _LIMIT_S)
    }


def _records(consumer: Consumer, partition: int, start: int, end: int) -> Iterator[Held]:
    """Records [start, end); silence for longer than the limit is an error, not an end."""
    consumer.assign([TopicPartition(QUARANTINE, partition, start)])
    while start < end:
        message = consumer.poll(_LIMIT_S)
        if message is None:
            raise TaishiError(
                f"topic {QUARANTINE!r}: nothing came for {_LIMIT_S:g} s at offset {start} of {end}"
            )
        if message.error() is not None:
            if is_passing(message.error()):
                continue
            raise KafkaException(message.error())
        start = message.offset() + 1
        if message.offset() < end:
            yield _held(message)


def _held(message: Message) -> Held:
    position = Position(message.partition(), message.offset())
    return held(position, message.timestamp()[1], message.headers() or [], message.value() or b"")
