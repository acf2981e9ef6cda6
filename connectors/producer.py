"""The one Kafka producer of a connector process: a group of records counts only when all are confirmed.

Idempotent, acks=all, and without an end to its patience: while Kafka is away records wait here, their
devices stay unacknowledged, and nothing is dropped. The number that can wait is bounded by the
gateway, not here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import structlog
from confluent_kafka import KafkaError, Message, Producer

from schemas.brokers import kafka_client
from schemas.topics import LARGE_BYTES

__all__ = ["LogProducer", "Record"]

_LOG = structlog.get_logger(__name__)
_FOREVER_MS: Final = 2_147_483_647
_POLL_S: Final = 0.2
_RETRY_S: Final = 1.0


class Record(msgspec.Struct, frozen=True):
    """One record to append."""

    topic: str
    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class _Group:
    """Records that stand or fall together; only the polling thread counts down."""

    left: int
    on_delivered: Callable[[], None]


_Report = Callable[[KafkaError | None, Message], None]


class LogProducer:
    """Appends groups of records; callbacks run on one thread of its own.

    `on_fatal` is called once when the producer can never go on (librdkafka's fatal errors, or an
    error of ours in a callback): the process should end, what was not confirmed comes again.
    """

    def __init__(self, bootstrap: str, on_fatal: Callable[[str], None]) -> None:
        self._producer = Producer(_settings(bootstrap, self._on_error))
        self._on_fatal = on_fatal
        self._again: deque[tuple[float, Record, _Group]] = deque()
        self._room = threading.Event()
        self._ending = threading.Event()
        self._refusing: int | None = None
        self._lock = threading.Lock()
        self._given = self._confirmed = 0
        self._thread = threading.Thread(target=self._serve, name="kafka-delivery", daemon=True)
        self._thread.start()

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        """Append all in order; `on_delivered` once Kafka has confirmed every one of them.

        Waits while the local queue is full. Without records `on_delivered` runs at once, here.
        """
        if not records:
            on_delivered()
            return
        group = _Group(len(records), on_delivered)
        with self._lock:
            self._given += len(records)
        delivered = self._reporter(group)
        for record in records:
            while not self._offered(record, group, delivered):
                self._room.clear()
                self._room.wait(_POLL_S)

    def close(self, limit_s: float) -> int:
        """Wait for confirmations, at most `limit_s`; the number of records still without one."""
        self._producer.flush(limit_s)
        self._ending.set()
        self._thread.join()
        return self._given - self._confirmed

    def _reporter(self, group: _Group, record: Record | None = None) -> _Report:
        """What librdkafka calls when it is done with a record of the group.

        One serves all records without headers: a report brings back everything but the headers.
        """

        def delivered(error: KafkaError | None, message: Message) -> None:
            self._delivered(error, _record_of(message) if error and not record else record, group)

        return delivered

    def _offered(self, record: Record, group: _Group, delivered: _Report) -> bool:
        produce = self._producer.produce
        try:
            if record.headers:
                headers, delivered = list(record.headers), self._reporter(group, record)
                produce(record.topic, record.value, record.key, headers=headers, on_delivery=delivered)
            else:
                produce(record.topic, record.value, record.key, on_delivery=delivered)
        except BufferError:
            return False
        return True

    def _delivered(self, error: KafkaError | None, record: Record | None, group: _Group) -> None:
        if error is not None and record is not None:
            self._room.set()
            self._again.append((time.monotonic() + _RETRY_S, record, group))
            if error.code() != self._refusing:
                _LOG.error("kafka refused a record; trying again", topic=record.topic, error=error.str())
            self._refusing = error.code()
            return
        self._confirmed += 1
        group.left -= 1
        if group.left == 0:
            self._room.set()
            self._refusing = None
            group.on_delivered()

    def _serve(self) -> None:
        try:
            while not self._ending.is_set():
                self._producer.poll(_POLL_S)
                while self._again and self._again[0][0] <= time.monotonic():
                    _, record, group = self._again[0]
                    if not self._offered(record, group, self._reporter(group)):
                        break
                    self._again.popleft()
        except Exception as error:  # noqa: BLE001 - whatever it is, silence here would hold every device
            _LOG.exception("delivery thread failed")
            self._on_fatal(f"delivery thread: {error}")

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal():
            self._on_fatal(f"kafka producer: {error.str()}")


def _record_of(message: Message) -> Record:
    """The record of a delivery report, headers excepted."""
    topic, key, value = message.topic(), message.key(), message.value()
    return Record(str(topic), bytes(key or b"").decode(), bytes(value or b""))


def _settings(bootstrap: str, on_error: Callable[[KafkaError], None]) -> dict[str, Any]:
    return {
        **kafka_client(bootstrap),
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": 5,
        "compression.type": "lz4",
        "delivery.timeout.ms": _FOREVER_MS,
        "message.max.bytes": LARGE_BYTES,
        # The gateway bounds what waits; the local queue only has to hold that much.
        "queue.buffering.max.messages": 1_000_000,
        "queue.buffering.max.kbytes": 1024 * 1024,
        "reconnect.backoff.max.ms": 2_000,
        "log.connection.close": False,
        "logger": logging.getLogger("librdkafka"),
        "error_cb": on_error,
    }
