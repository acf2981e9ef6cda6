"""The log's newest words on alerts and parking spaces, held in memory: each process reads for itself.

Nothing is written and no group is joined, so a process that dies leaves nothing, and the next one reads
again: the topic `alerts` from its beginning (it is compacted), `readings.parking` from an hour ago.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable
from typing import Final

import msgspec
import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition

from operations.outgoing.rows import SpotRow
from operations.outgoing.telemetry import UNREADABLE
from schemas.alerts import Alert
from schemas.brokers import kafka_client
from schemas.kinds import KINDS
from schemas.log_errors import is_passing
from schemas.readings import Reading
from schemas.topics import TOPICS

__all__ = ["AlertBook", "Point", "SpotBook", "Tail"]

_LOG = structlog.get_logger(__name__)
_LIMIT_S: Final = 30.0
_POLL_S: Final = 0.5
_ALERT: Final = msgspec.json.Decoder(Alert).decode
_READING: Final = msgspec.json.Decoder(Reading).decode
_SILENT_MS: Final = KINDS["parking.space"].silent_after_s * 1000
Point = Callable[[str], tuple[float, float] | None]
"""Device -> (longitude, latitude), WGS-84; None where it is not known."""


class Tail:
    """Reads all of a topic's partitions from `since_ms` (None: their beginning), on and on."""

    def __init__(
        self, bootstrap: str, topic: str, take: Callable[[bytes], None], since_ms: int | None
    ) -> None:
        self._topic, self._take, self._since_ms = topic, take, since_ms
        self._caught_up = threading.Event()
        self._consumer = Consumer(
            {
                **kafka_client(bootstrap),
                "group.id": f"taishi-outgoing-{uuid.uuid4().hex}",  # assigned by hand, never joined
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
            }
        )

    @property
    def caught_up(self) -> bool:
        """Whether everything was read that was there at the start."""
        return self._caught_up.is_set()

    def run(self, stopping: threading.Event) -> None:
        """Read until told to stop; KafkaException when the topic cannot be read at all."""
        try:
            ends = self._begin(stopping)
            while not stopping.is_set():
                for message in self._consumer.consume(10_000, _POLL_S):
                    self._one(message)
                if not self.caught_up and self._reached(ends):
                    self._caught_up.set()
        finally:
            self._consumer.close()

    def _begin(self, stopping: threading.Event) -> dict[int, int]:
        """`_assign`, again while the broker's error is one that passes."""
        while not stopping.is_set():
            try:
                return self._assign()
            except KafkaException as error:
                if not is_passing(error.args[0]):
                    raise
                _LOG.warning("waiting for the log", topic=self._topic, error=str(error))
                stopping.wait(_POLL_S)
        return {}

    def _assign(self) -> dict[int, int]:
        """Where to begin; returns what is the end now, by partition."""
        shards = [TopicPartition(self._topic, n) for n in range(TOPICS[self._topic].partitions)]
        marks = [self._consumer.get_watermark_offsets(shard, timeout=_LIMIT_S) for shard in shards]
        starts = [start for start, _ in marks]
        if self._since_ms is not None:
            asked = [TopicPartition(self._topic, shard.partition, self._since_ms) for shard in shards]
            found = self._consumer.offsets_for_times(asked, timeout=_LIMIT_S)
            if failed := [each.error for each in found if each.error is not None]:
                raise KafkaException(failed[0])
            starts = [
                each.offset if each.offset >= 0 else end for each, (_, end) in zip(found, marks, strict=True)
            ]
        self._consumer.assign(
            [TopicPartition(self._topic, s.partition, start) for s, start in zip(shards, starts, strict=True)]
        )
        begun = zip(shards, starts, marks, strict=True)
        return {shard.partition: end for shard, start, (_, end) in begun if start < end}

    def _reached(self, ends: dict[int, int]) -> bool:
        # By position, not by record: compaction leaves holes, also at the end.
        asked = [TopicPartition(self._topic, partition) for partition in ends]
        return all(each.offset >= ends[each.partition] for each in self._consumer.position(asked))

    def _one(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if not is_passing(error):
                raise KafkaException(error)
            return
        value = message.value()
        if value is None:
            return  # a tick, or the end of a key
        try:
            self._take(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as problem:
            UNREADABLE.labels(self._topic).inc()
            _LOG.error("record cannot be read", topic=self._topic, offset=message.offset(), why=str(problem))


class AlertBook:
    """The newest version of each alert."""

    def __init__(self) -> None:
        self._alerts: dict[str, Alert] = {}

    def take(self, value: bytes) -> None:
        """A record of the topic; of two versions the higher revision counts, whatever their order."""
        alert = _ALERT(value)
        held = self._alerts.get(alert.id)
        if held is None or held.revision <= alert.revision:
            self._alerts[alert.id] = alert

    def all(self) -> list[Alert]:
        """Every alert the topic holds."""
        return list(self._alerts.values())


class SpotBook:
    """The last reading of each parking space; people's kinds of reading are not in this topic."""

    def __init__(self, point: Point) -> None:
        self._point = point
        self._spots: dict[str, Reading] = {}

    def take(self, value: bytes) -> None:
        """A record of `readings.parking`; a late one does not undo a newer one."""
        reading = _READING(value)
        held = self._spots.get(reading.device)
        if reading.kind == "parking.space" and (
            held is None or held.observed_at_ms <= reading.observed_at_ms
        ):
            self._spots[reading.device] = reading

    def rows(self) -> list[SpotRow]:
        """Those not silent for longer than their kind allows."""
        oldest_ms = time.time_ns() // 1_000_000 - _SILENT_MS
        return [self._row(each) for each in list(self._spots.values()) if each.observed_at_ms >= oldest_ms]

    def _row(self, reading: Reading) -> SpotRow:
        return SpotRow(
            device=reading.device,
            grid=reading.grid,
            occupied=reading.value >= 0.5,
            observed_at_ms=reading.observed_at_ms,
            simulated=reading.simulated,
            point=self._point(reading.device),
        )
