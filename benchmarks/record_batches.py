"""What it would gain to take record batches whole: from a fetch to columns, without a message each.

`python -m benchmarks.record_batches [--readings N] [--rounds N]` measures, on one topic of a private Kafka:

    messages    consume and decode each message, as the worker does
    whole       the fetch of the protocol by hand, batches unpacked whole, records found in columns (numpy)
    together    twenty readings a record, as messages: what a connector that gathers them would give

Decision 0022 rests on the ratios. `whole` is an experiment: no leader changes, errors or security, and only
values that end with a brace.
"""

from __future__ import annotations

import json
import socket
import statistics
import struct
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import click
import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.aggregate_load import recreate_topic
from benchmarks.peers.load import Load, Shape, load_of, records
from benchmarks.private_stack import private_stack
from pipelines.kernels.decode import HotReading

__all__ = ["Block", "main", "split"]

_TOPIC: Final = "bench.batches"
_TOGETHER: Final = "bench.together"
_GATHERED: Final = 20
_BATCH_HEADER: Final = struct.Struct(">qiibIhiqqqhii")
_CODECS: Final = {3: "lz4"}
_DECODE: Final = msgspec.json.Decoder(HotReading).decode
_DECODE_LIST: Final = msgspec.json.Decoder(list[HotReading]).decode

Int64s = npt.NDArray[np.int64]


class Block(NamedTuple):
    """The records of one batch: where each value begins and ends, its time and offset (since the batch's)."""

    data: bytes
    begins: Int64s
    ends: Int64s
    time_delta_ms: Int64s
    offset_delta: Int64s

    def values(self) -> list[bytes]:
        """Each value by itself."""
        data = self.data
        return [data[a:b] for a, b in zip(self.begins.tolist(), self.ends.tolist(), strict=True)]


def split(data: bytes) -> Block:
    """Find the records of an unpacked batch without walking from one to the next.

    A JSON text has no zero byte, so a brace before a zero (no headers) ends a record, if the lengths in
    each record say so too. ValueError when they do not.
    """
    octets = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero((octets[:-1] == 0x7D) & (octets[1:] == 0)) + 1
    starts = np.concatenate([[0], ends[:-1] + 1])
    length, at = _varints(octets, starts)
    if not (at + length == ends + 1).all():
        raise ValueError("record batch: a length does not lead to the next record")
    time_delta, at = _varints(octets, at + 1)
    offset_delta, at = _varints(octets, at)
    key_bytes, at = _varints(octets, at)
    value_bytes, begins = _varints(octets, at + np.maximum(key_bytes, 0))
    if not (begins + value_bytes == ends).all():
        raise ValueError("record batch: a value does not end where its record does")
    return Block(data, begins, ends, time_delta, offset_delta)


def _varints(octets: npt.NDArray[np.uint8], at: Int64s) -> tuple[Int64s, Int64s]:
    """Zigzag varints at these places, and the places after them."""
    value, shift, at = np.zeros(at.size, np.int64), 0, at.copy()
    more = np.ones(at.size, np.bool_)
    while more.any():
        octet = octets[at[more]].astype(np.int64)
        value[more] |= (octet & 0x7F) << shift
        at[more] += 1
        more[more] = octet >= 0x80
        shift += 7
    return (value >> 1) ^ -(value & 1), at


class _Fetcher:
    """Fetch, version 4, of one broker and one partition after the other."""

    def __init__(self, bootstrap: str) -> None:
        host, _, port = bootstrap.partition(":")
        self._socket = socket.create_connection((host, int(port)))
        self._stream = self._socket.makefile("rb")

    def fetch(self, topic: str, partition: int, offset: int) -> bytes:
        """Record batches from this offset on; empty at the end."""
        name = topic.encode()
        body = struct.pack(">iiiib", -1, 50, 1, 8 << 20, 1) + struct.pack(">ih", 1, len(name)) + name
        body += struct.pack(">iiqi", 1, partition, offset, 4 << 20)
        request = struct.pack(">hhih", 1, 4, 1, 5) + b"bench" + body
        self._socket.sendall(struct.pack(">i", len(request)) + request)
        (size,) = struct.unpack(">i", self._stream.read(4))
        answer = self._stream.read(size)
        at = 4 + 4 + 4 + 2 + len(name) + 4
        _, error, _, _, aborted = struct.unpack_from(">ihqqi", answer, at)
        if error:
            raise OSError(f"fetch: the broker said {error}")
        at += struct.calcsize(">ihqqi") + max(aborted, 0) * 16
        (length,) = struct.unpack_from(">i", answer, at)
        return answer[at + 4 : at + 4 + max(length, 0)]


def _blocks(fetched: bytes) -> Iterator[tuple[int, Block]]:
    """(offset after the batch, its records) of each whole batch."""
    at = 0
    while at + _BATCH_HEADER.size <= len(fetched):
        base, size, _, _, _, attributes, last_delta, *_ = _BATCH_HEADER.unpack_from(fetched, at)
        end = at + 12 + size
        if end > len(fetched):
            return
        packed = fetched[at + _BATCH_HEADER.size : end]
        codec = _CODECS.get(attributes & 7)
        data = pa.input_stream(pa.py_buffer(packed), compression=codec).read() if codec else packed
        yield base + last_delta + 1, split(data)
        at = end


def _whole(bootstrap: str, load: Load) -> int:
    fetcher, count = _Fetcher(bootstrap), 0
    for partition in range(load.shape.partitions):
        offset = 0
        while fetched := fetcher.fetch(_TOPIC, partition, offset):
            for after, block in _blocks(fetched):
                offset, count = after, count + len(list(map(_DECODE, block.values())))
    return count


def _messages(bootstrap: str, load: Load) -> int:
    return _consumed(bootstrap, _TOPIC, load, lambda value: bool(_DECODE(value)))


def _together(bootstrap: str, load: Load) -> int:
    return _consumed(bootstrap, _TOGETHER, load, lambda value: len(_DECODE_LIST(value)))


def _consumed(bootstrap: str, topic: str, load: Load, decode: Callable[[bytes], int]) -> int:
    """As the worker consumes; with what it needs of a message, its time and offset."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap, "group.id": "bench-batches", "fetch.queue.backoff.ms": 2,
        "fetch.wait.max.ms": 50, "enable.auto.commit": False,
    })  # fmt: skip
    consumer.assign([TopicPartition(topic, number, 0) for number in range(load.shape.partitions)])
    count = 0
    while count < load.shape.readings:
        messages = consumer.consume(10_000, 0.1)
        np.array([message.timestamp()[1] for message in messages], np.int64)
        count += sum(decode(message.value()) for message in messages)
    consumer.close()
    return count


def _fill(bootstrap: str, load: Load) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "compression.type": "lz4"})
    gathered: dict[int, list[bytes]] = {number: [] for number in range(load.shape.partitions)}
    for number, (partition, key, value, _) in enumerate(records(load.shape, load.readings)):
        producer.produce(_TOPIC, value, key, partition)
        gathered[partition].append(value)
        if len(gathered[partition]) == _GATHERED:
            producer.produce(_TOGETHER, b"[%s]" % b",".join(gathered[partition]), key, partition)
            gathered[partition].clear()
        if number % 20_000 == 0:
            producer.flush()
    for partition, left in gathered.items():
        producer.produce(_TOGETHER, b"[%s]" % b",".join(left), b"", partition)
    producer.flush()


@click.command()
@click.option("--readings", default=1_000_000, show_default=True)
@click.option("--rounds", default=3, show_default=True)
def main(readings: int, rounds: int) -> None:
    """Readings per second and CPU of each way, and the ratio to messages."""
    load = load_of(Shape(readings=readings))
    ways = {"messages": _messages, "whole": _whole, "together": _together}
    told: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    with private_stack(("kafka",)) as settings:
        bootstrap = settings.kafka_bootstrap
        for topic in (_TOPIC, _TOGETHER):
            recreate_topic(bootstrap, topic, load.shape.partitions)
        _fill(bootstrap, load)
        for _ in range(rounds):
            for name, way in ways.items():
                started_s, cpu_s = time.perf_counter(), time.process_time()
                if (count := way(bootstrap, load)) != readings:
                    raise RuntimeError(f"{name}: {count} of {readings} readings came")
                took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
                told[name].append((readings / took_s, cpu_s / readings * 1e6))
    usual = statistics.median(rate for rate, _ in told["messages"])
    for name, runs in told.items():
        rate, cpu_us = (statistics.median(column) for column in zip(*runs, strict=True))
        said = {
            "way": name,
            "per_s": round(rate),
            "cpu_us": round(cpu_us, 2),
            "ratio": round(rate / usual, 2),
        }
        click.echo(json.dumps(said))


if __name__ == "__main__":
    main()
