"""What devices were alarming about when the last process ended: read from the log before a door opens."""

from __future__ import annotations

import threading
import time
from typing import Final

import msgspec
import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from connectors.occurrences import Occurrences
from schemas.brokers import kafka_client
from schemas.signals import Signal
from schemas.topics import SIGNALS

__all__ = ["HORIZON_S", "recall"]

_LOG = structlog.get_logger(__name__)
HORIZON_S: Final = 24 * 3600
"""An alarm of which nothing was heard for longer begins anew."""
_LIMIT_S: Final = 10.0
_LOOK_S: Final = 0.2
_BATCH: Final = 10_000
_AGAIN_S: Final = 2.0
_DECODE: Final = msgspec.json.Decoder(Signal).decode


def recall(bootstrap: str, occurrences: Occurrences) -> int:
    """Take up the signals of the last day, to the end the log has now; how many there were.

    Tries until Kafka can be read: a door that opened without would count what goes on as begun anew.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return _read(bootstrap, occurrences)
        except KafkaException as error:
            if attempt == 1:
                _LOG.warning("waiting for the log of signals", error=str(error))
            threading.Event().wait(_AGAIN_S)


def _read(bootstrap: str, occurrences: Occurrences) -> int:
    consumer = Consumer(
        {
            **kafka_client(bootstrap),
            "group.id": "taishi-recall",  # assigned by hand, never joined
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
    try:
        since_ms = int((time.time() - HORIZON_S) * 1000)
        metadata = consumer.list_topics(SIGNALS, timeout=_LIMIT_S).topics[SIGNALS]
        if metadata.error is not None:
            raise KafkaException(metadata.error)
        shards = [TopicPartition(SIGNALS, number, since_ms) for number in metadata.partitions]
        found = consumer.offsets_for_times(shards, timeout=_LIMIT_S)
        return sum(_take_shard(consumer, shard, occurrences) for shard in found)
    finally:
        consumer.close()


def _take_shard(consumer: Consumer, shard: TopicPartition, occurrences: Occurrences) -> int:
    if shard.error is not None:
        raise KafkaException(shard.error)
    _, end = consumer.get_watermark_offsets(shard, timeout=_LIMIT_S)
    if not 0 <= shard.offset < end:
        return 0
    consumer.assign([shard])
    count, position, heard_s = 0, shard.offset, time.monotonic()
    while position < end:
        # `consume` waits its whole time for a full batch: what is there must not wait for what is not.
        messages = consumer.consume(_BATCH, timeout=_LOOK_S)
        if messages:
            heard_s = time.monotonic()
        elif time.monotonic() - heard_s > _LIMIT_S:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))  # noqa: SLF001 - librdkafka's own name
        for message in messages:
            if message.error() is not None:
                raise KafkaException(message.error())
            position = message.offset() + 1
            value = message.value()
            if value is not None:
                occurrences.recall(_DECODE(value))
                count += 1
    return count
