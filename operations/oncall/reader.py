"""The topic `alerts` into the desk's store, together with how far it is read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import msgspec
import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, Message, TopicPartition

from operations.oncall.clock import now_ms
from operations.oncall.store import Store
from operations.oncall.telemetry import UNREADABLE
from schemas.alerts import Alert
from schemas.brokers import kafka_client
from schemas.log_errors import is_passing
from schemas.topics import ALERTS

__all__ = ["Reader"]

_LOG = structlog.get_logger(__name__)
_DECODE: Final = msgspec.json.Decoder(Alert).decode
_POLL_S: Final = 0.1


class Reader:
    """The topic `alerts` into the store; `heard` is called when something was."""

    def __init__(self, bootstrap: str, store: Store, heard: Callable[[], None]) -> None:
        self._store, self._heard = store, heard
        self._consumer = Consumer(
            {
                **kafka_client(bootstrap),
                "group.id": "taishi-oncall",  # assigned by hand: where to go on is the store's word
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
            }
        )

    def run(self, stopping: threading.Event) -> None:
        """Read until told to stop; KafkaException when the topic cannot be read at all."""
        known = self._store.next_offset(ALERTS)
        # A log that was begun anew, or cleaned beyond what we knew, is read from where it begins: by
        # auto.offset.reset, so that nothing is asked of a broker that may not be well at this moment.
        self._consumer.assign([TopicPartition(ALERTS, 0, OFFSET_BEGINNING if known is None else known)])
        try:
            while not stopping.is_set():
                self._take(self._consumer.consume(1_000, _POLL_S))
        finally:
            self._consumer.close()

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            if message.error() is not None and not is_passing(message.error()):
                raise KafkaException(message.error())
        good = [message for message in messages if message.error() is None]
        if not good:
            return
        alerts = [alert for alert in map(_alert, good) if alert is not None]
        self._store.take(ALERTS, alerts, good[-1].offset() + 1, now_ms())
        self._heard()


def _alert(message: Message) -> Alert | None:
    value = message.value()
    if value is None:
        return None
    try:
        return _DECODE(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        UNREADABLE.inc()
        _LOG.error("record is no alert", offset=message.offset(), why=str(error))
        return None
