"""What it gains to take record batches whole: from a fetch to columns, without a message each.

`python -m benchmarks.record_batches [--readings N] [--rounds N]` measures, on one topic of a private Kafka:

    messages    consume and decode each message, as a worker would with confluent-kafka
    whole       the product's reader of record batches, and each value decoded
    together    twenty readings a record, as messages: what a connector that gathers them would give

Decisions 0022 and 0025 rest on the ratios.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Final

import click
import msgspec
import numpy as np
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.aggregate_load import recreate_topic
from benchmarks.peers.load import Load, Shape, load_of, records
from benchmarks.private_stack import private_stack
from pipelines.io.log_reader import LogReader
from pipelines.io.shards import shard_name
from pipelines.kernels.decode import HotReading

__all__ = ["main"]

_TOPIC: Final = "bench.batches"
_TOGETHER: Final = "bench.together"
_GATHERED: Final = 20
_DECODE: Final = msgspec.json.Decoder(HotReading).decode
_DECODE_LIST: Final = msgspec.json.Decoder(list[HotReading]).decode


def _whole(bootstrap: str, load: Load) -> int:
    reader, count = LogReader(bootstrap), 0
    reader.assign({shard_name(_TOPIC, number): 0 for number in range(load.shape.partitions)})
    while count < load.shape.readings:
        for fetched in reader.poll(0.1):
            count += len([_DECODE(value or b"") for value in fetched.columns()[2]])
    reader.close()
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
