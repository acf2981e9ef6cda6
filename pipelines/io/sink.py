"""To Kafka, confirmed: `send` returns when the broker has every record, or raises."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

__all__ = ["KafkaSink", "Record"]


@dataclass(frozen=True, slots=True)
class Record:
    """A record to send; `partition` -1 lets the key decide."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int = -1


class KafkaSink:
    """An idempotent producer (`acks=all`) whose every batch is confirmed before the caller goes on.

    Killed between two records of a batch, part of it is in the log; the caller has not checkpointed,
    so the same batch is sent again under the same keys.
    """

    def __init__(self, bootstrap: str, *, give_up_s: float = 120.0) -> None:
        self._give_up_s = give_up_s
        self._producer = Producer(
            {
                "bootstrap.servers": bootstrap,
                "enable.idempotence": True,
                "acks": "all",
                "linger.ms": 2,
                "compression.type": "lz4",
                "message.max.bytes": 32 * 1024 * 1024,
                "delivery.timeout.ms": int(give_up_s * 1000),
            }
        )

    def send(self, records: Iterable[Record]) -> None:
        """Send and wait for the broker's confirmation of all; KafkaException if one is not confirmed."""
        errors: list[KafkaError] = []

        def confirm(error: KafkaError | None, _message: Message) -> None:
            if error is not None:
                errors.append(error)

        for record in records:
            self._produce(record, confirm)
        self._confirmed(errors)

    def place(self, records: Sequence[Record]) -> list[int]:
        """Send and wait as `send` does; returns the offset of each, by its key.

        -1 where the broker does not tell it.
        """
        errors: list[KafkaError] = []
        offsets: dict[bytes | None, int] = {}

        def confirm(error: KafkaError | None, message: Message) -> None:
            if error is None:
                offsets[message.key()] = message.offset()
            else:
                errors.append(error)

        for record in records:
            self._produce(record, confirm)
        self._confirmed(errors)
        return [offsets[record.key] for record in records]

    def _confirmed(self, errors: list[KafkaError]) -> None:
        left = self._producer.flush(self._give_up_s)
        if errors:
            raise KafkaException(errors[0])
        if left:
            raise KafkaException(KafkaError(KafkaError._MSG_TIMED_OUT, f"{left} records not confirmed"))  # noqa: SLF001

    def _produce(self, record: Record, confirm: object) -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    headers=list(record.headers),
                    partition=record.partition,
                    on_delivery=confirm,
                )
            except BufferError:
                self._producer.poll(1.0)  # the queue is full: wait for confirmations, then try again
            else:
                return

    def append(self, record: Record) -> None:
        """Send without waiting (ticks: one that is lost is replaced by the next)."""
        self._producer.produce(record.topic, value=record.value, key=record.key, partition=record.partition)
        self._producer.poll(0)
