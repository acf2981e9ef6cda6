"""To Kafka, confirmed: `send` returns when the broker has every record, or raises; so does `confirm`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from schemas.brokers import kafka_client

__all__ = ["KafkaSink", "Record", "RenewedSink"]


@dataclass(frozen=True, slots=True)
class Record:
    """A record to send; `partition` -1 lets the key decide."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    partition: int = -1


class KafkaSink:
    """An idempotent producer (`acks=all`): nothing is checkpointed that is not confirmed.

    Killed between two records of a batch, or before what was posted is confirmed, part of it is in the log;
    the caller has not checkpointed, so the same is sent again under the same keys. One that has not had
    something confirmed refuses for ever, so that no checkpoint covers it; who tries again has `RenewedSink`.
    """

    def __init__(self, bootstrap: str, *, give_up_s: float = 120.0) -> None:
        self._give_up_s = give_up_s
        self._refused: list[KafkaError] = []
        self._producer = Producer(
            {
                **kafka_client(bootstrap),
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
        self.post(records)
        self.confirm()

    def post(self, records: Iterable[Record]) -> None:
        """Send without waiting, in order; KafkaException if anything posted before was refused."""
        for record in records:
            self._produce(record, self._note)
        self._producer.poll(0)
        self._check()

    def confirm(self) -> None:
        """Wait until all that was posted is confirmed; KafkaException if one is not."""
        self._confirmed(self._refused)

    def _note(self, error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            self._refused.append(error)

    def _check(self) -> None:
        if self._refused:
            raise KafkaException(self._refused[0])

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


class RenewedSink:
    """For who sends the same again until it is taken: after a refusal it goes on with a new producer."""

    def __init__(self, make: Callable[[], KafkaSink]) -> None:
        self._make, self._sink = make, make()

    def send(self, records: Iterable[Record]) -> None:
        """As `KafkaSink.send`, whatever was refused before."""
        try:
            self._sink.send(records)
        except KafkaException:
            self._sink = self._make()
            raise
