"""Read the topic `alerts` from its beginning to the end it has now: the newest version of each alert."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Final

import msgspec
import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from pipelines.io.bounds import bounds_of
from schemas.alerts import Alert
from schemas.brokers import kafka_client
from schemas.errors import TaishiError
from schemas.log_errors import is_passing
from schemas.topics import ALERTS

__all__ = ["read_alerts"]

_LOG = structlog.get_logger(__name__)
_LIMIT_S: Final = 10.0
_DECODE: Final = msgspec.json.Decoder(Alert).decode


def read_alerts(bootstrap: str) -> list[Alert]:
    """Every alert the topic holds, by onset; TaishiError if Kafka does not answer.

    Of two versions the higher revision counts, whatever their order: a worker that died writes again what
    it wrote since its checkpoint. A record that is no alert is told in the log and passed over.
    """
    newest: dict[str, Alert] = {}
    for value in _records(bootstrap):
        try:
            alert = _DECODE(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            _LOG.warning("record of the topic is no alert", why=str(error))
            continue
        held = newest.get(alert.id)
        if held is None or held.revision <= alert.revision:
            newest[alert.id] = alert
    return sorted(newest.values(), key=lambda alert: (alert.onset_ms, alert.id))


def _records(bootstrap: str) -> Iterator[bytes]:
    consumer = Consumer(
        {
            **kafka_client(bootstrap),
            "group.id": f"taishi-alerts-{uuid.uuid4().hex}",  # assigned by hand, never joined
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "log_level": 0,
        }
    )
    try:
        start, end = bounds_of(consumer, ALERTS, 0, _LIMIT_S)
        consumer.assign([TopicPartition(ALERTS, 0, start)])
        heard_s = time.monotonic()
        # By position, not by record: compaction leaves holes, also at the end.
        while consumer.position([TopicPartition(ALERTS, 0)])[0].offset < end and start < end:
            for message in _good(consumer.consume(10_000, timeout=0.2)):
                heard_s = time.monotonic()
                if message.value() is not None and message.offset() < end:
                    yield message.value()
            if time.monotonic() - heard_s > _LIMIT_S:
                raise TaishiError(f"topic {ALERTS!r}: nothing came for {_LIMIT_S:g} s; is Kafka well?")
    except KafkaException as error:
        raise TaishiError(f"Kafka at {bootstrap}: {error.args[0].str()}") from error
    finally:
        consumer.close()


def _good(messages: list[Message]) -> Iterator[Message]:
    for message in messages:
        error = message.error()
        if error is None:
            yield message
        elif not is_passing(error):
            raise KafkaException(error)
