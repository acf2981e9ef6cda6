"""Record batches of the log as the broker sent them: kafka-python fetches, nothing makes an object a record.

kafka-python knows where leaders are, asks again, proves who we are, and leaves out what was aborted; it is
kept from one thing: to take batches apart record by record (docs/decisions/0025-record-batches.md).
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import cramjam
import numpy as np
from kafka import KafkaConsumer, TopicPartition
from kafka.codec import snappy_decode
from kafka.consumer.fetcher import Fetcher
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch

from pipelines.io.shards import shard_name, shard_parts
from pipelines.kernels.batch import Int64s
from pipelines.kernels.record_batch import records_of
from pipelines.kernels.values import Stretches
from schemas.brokers import kafka_python_client

__all__ = ["Fetched", "LogReader"]

_FETCH_WAIT_MS: Final = 50
_CLOSE_MS: Final = 1_000
_SHARD_BYTES: Final = 4 * 1024 * 1024
_FETCH_BYTES: Final = 16 * 1024 * 1024
_BATCHES: Final = 64
"""Given at once; they are packed yet."""
_FORMAT: Final = 2
"""Of records since Kafka 0.11."""
_UNPACK: Final[dict[int, Callable[[bytes], Any]]] = {
    DefaultRecordBatch.CODEC_NONE: bytes,
    DefaultRecordBatch.CODEC_GZIP: cramjam.gzip.decompress,
    DefaultRecordBatch.CODEC_SNAPPY: snappy_decode,  # in blocks, as Java writes it, or in one
    DefaultRecordBatch.CODEC_LZ4: cramjam.lz4.decompress,
    DefaultRecordBatch.CODEC_ZSTD: cramjam.zstd.decompress,
}


for _name in ("kafka.net.manager", "kafka.cluster"):  # each attempt is told by kafka.net.connection, too
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class _Batch(DefaultRecordBatch):  # type: ignore[misc] # kafka-python publishes no types
    """A record batch that gives itself as one record, so that what asks for its records gets it whole."""

    def __iter__(self) -> Iterator[DefaultRecord]:
        yield DefaultRecord(
            self.size_in_bytes, self.last_offset, self.max_timestamp, self.timestamp_type, None, self, []
        )

    def __len__(self) -> int:
        return int(self.size_in_bytes)

    def unpacked(self) -> bytes:
        packed = bytes(memoryview(self._buffer)[self.HEADER_STRUCT.size :])
        return bytes(_UNPACK[self.compression_type](packed))


class _Batches:
    """kafka-python's record batches of one answer; of them those with data are ours."""

    def __init__(self, records: Any) -> None:
        self._records = records

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        if batch is None or batch.magic < _FORMAT or batch.is_control_batch:
            return batch
        return _Batch(batch._buffer)  # noqa: SLF001 - its bytes, as they came


class _Whole(Fetcher.PartitionRecords):  # type: ignore[misc]
    """What was fetched of a shard, a batch at a time; aborted and control batches are left out."""

    def _unpack_records(self, tp: TopicPartition, records: Any, *deserializers: Any) -> Iterator[Any]:
        return super()._unpack_records(tp, _Batches(records), *deserializers)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Fetched:
    """A record batch of a shard, `count` records, packed yet; the next begins at `next_offset` or later."""

    shard: str
    count: int
    next_offset: int
    _batch: _Batch

    def columns(self) -> tuple[Int64s, Int64s, Stretches]:
        """Offset, append time (ms) and value of each record."""
        batch = self._batch
        deltas, time_deltas_ms, values = records_of(batch.unpacked(), self.count)
        if batch.timestamp_type == batch.LOG_APPEND_TIME:
            times_ms = np.full(self.count, batch.max_timestamp, np.int64)
        else:
            times_ms = time_deltas_ms + batch.first_timestamp
        return deltas + batch.base_offset, times_ms, values


class LogReader:
    """Reads shards from where it is told, in order; a batch that holds the first offset comes whole.

    Errors that pass are waited out; others are raised: kafka.errors.KafkaError.
    """

    def __init__(self, bootstrap: str) -> None:
        self._consumer = KafkaConsumer(
            **kafka_python_client(bootstrap),
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            check_crcs=False,  # the broker has: as in every other client of ours
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            fetch_max_bytes=_FETCH_BYTES,
            max_partition_fetch_bytes=_SHARD_BYTES,
            reconnect_backoff_max_ms=1_000,
            metrics_enabled=False,
        )
        # Its thread would outlive a reader that is dropped without a word.
        self._end = weakref.finalize(self, self._consumer.close, autocommit=False, timeout_ms=_CLOSE_MS)
        self._consumer._fetcher.PartitionRecords = _Whole  # noqa: SLF001 - the one thing it is kept from

    def assign(self, offsets: Mapping[str, int]) -> None:
        """Read these shards and no others, from these offsets on."""
        places = {TopicPartition(*shard_parts(shard)): offset for shard, offset in offsets.items()}
        self._consumer.assign(list(places))
        for place, offset in places.items():
            self._consumer.seek(place, offset)

    def poll(self, timeout_s: float) -> list[Fetched]:
        """What has come, or comes within `timeout_s`."""
        answered = self._consumer.poll(timeout_ms=round(timeout_s * 1000), max_records=_BATCHES)
        return [
            _fetched(shard_name(place.topic, place.partition), record.value)
            for place, records in answered.items()
            for record in records
        ]

    def end(self, shard: str) -> int:
        """Offset after the newest record, as last heard; 0 before anything was."""
        return self._consumer.highwater(TopicPartition(*shard_parts(shard))) or 0

    def close(self) -> None:
        """Leave."""
        self._end()


def _fetched(shard: str, batch: object) -> Fetched:
    if not isinstance(batch, _Batch):
        raise TypeError(f"shard {shard}: received records of a format before 2, allowed: 2")
    return Fetched(shard, batch.records_count, batch.next_offset, batch)
