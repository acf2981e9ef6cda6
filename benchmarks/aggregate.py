"""`taishi bench aggregate`: readings per second of one worker, beside what the client alone can do.

A private Kafka and Prism are started, a topic of JSON readings over 573 grids in 4 partitions is filled, and
then in turn, in the same run: the limit (consume and decode, nothing else), a loop written by hand
(`benchmarks/hand_loop.py`), and the product's own worker with everything on: exact duplicate suppression,
lateness, checkpoints, outputs confirmed. Only their ratios mean anything on a shared machine.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec
from confluent_kafka import Consumer, TopicPartition

from benchmarks.aggregate_load import PREFIX, fill_topic, recreate_topic
from benchmarks.hand_loop import HAND_WINDOWS, fault_of
from pipelines.kernels.decode import HotReading

__all__ = ["AggregateFigures", "Prism", "bench_aggregate"]

PARTITIONS = 4
TOPIC = f"{PREFIX}readings.parking"


class Prism(NamedTuple):
    """The job server that the worker runs on."""

    address: str
    pid: int


@dataclass(frozen=True, slots=True)
class AggregateFigures:
    """Medians over the rounds; `ratio` (to the limit) and `hand_loop_ratio` are medians of each round's own.

    `cpu_us_per_reading`: of worker and Prism together, after their start. `hand_loop_cpu_us`: of that loop.
    """

    readings: int
    rounds: int
    readings_per_s: float
    limit_per_s: float
    ratio: float
    ratios: tuple[float, ...]
    worker_cpu_us_per_reading: float
    cpu_us_per_reading: float
    hand_loop_per_s: float
    hand_loop_cpu_us: float
    hand_loop_ratio: float
    lost: int


def bench_aggregate(
    bootstrap: str, prism: Prism, *, readings: int, rounds: int, say: Callable[[str], None]
) -> AggregateFigures:
    """Fill the topic, then measure limit, loop and worker in turn."""
    recreate_topic(bootstrap, TOPIC, PARTITIONS)
    fill_topic(bootstrap, TOPIC, readings, lambda sent: say(f"load: {sent:,} of {readings:,} readings"))
    limits, hands, workers = [], [], []
    for number in range(1, rounds + 1):
        limits.append(_limit(bootstrap, readings))
        say(f"round {number}: limit (consume + decode) {limits[-1]:,.0f} readings/s")
        for topic in ("windows", "late", "quarantine", "checkpoints", "claims", "hand.windows"):
            recreate_topic(bootstrap, PREFIX + topic, 1)
        hands.append(_told("benchmarks.hand_loop", bootstrap, str(readings)))
        if fault := fault_of(_rows(bootstrap, HAND_WINDOWS, hands[-1]["windows"]), readings):
            raise RuntimeError(f"the loop by hand is wrong: {fault}")
        say(f"round {number}: loop by hand {hands[-1]['readings_per_s']:,.0f} readings/s")
        given = (bootstrap, prism.address, str(prism.pid), str(readings))
        workers.append(_told("benchmarks.aggregate_worker", *given))
        say(f"round {number}: worker {workers[-1]['readings_per_s']:,.0f} readings/s")
    rates = [float(worker["readings_per_s"]) for worker in workers]
    ratios = tuple(rate / limit for rate, limit in zip(rates, limits, strict=True))
    return AggregateFigures(
        readings=readings,
        rounds=rounds,
        readings_per_s=statistics.median(rates),
        limit_per_s=statistics.median(limits),
        ratio=statistics.median(ratios),
        ratios=ratios,
        worker_cpu_us_per_reading=statistics.median(w["worker_cpu_us_per_reading"] for w in workers),
        cpu_us_per_reading=statistics.median(w["cpu_us_per_reading"] for w in workers),
        hand_loop_per_s=statistics.median(hand["readings_per_s"] for hand in hands),
        hand_loop_cpu_us=statistics.median(hand["cpu_us_per_reading"] for hand in hands),
        hand_loop_ratio=statistics.median(
            rate / hand["readings_per_s"] for rate, hand in zip(rates, hands, strict=True)
        ),
        lost=max(readings - worker["accounts"]["stored"] for worker in workers),
    )


def _limit(bootstrap: str, readings: int) -> float:
    """Records a second of a loop that consumes and decodes each into a struct, with the product's client."""
    consumer = Consumer({
        "bootstrap.servers": bootstrap,
        "group.id": "taishi-bench-limit",
        "enable.auto.commit": False,
        "fetch.queue.backoff.ms": 2,
    })  # fmt: skip
    consumer.assign([TopicPartition(TOPIC, partition, 0) for partition in range(PARTITIONS)])
    decode = msgspec.json.Decoder(HotReading).decode
    count = len(consumer.consume(10_000, 30.0))
    started_s, first = time.perf_counter(), count
    while count < readings:
        count += len([decode(message.value()) for message in consumer.consume(10_000, 0.1)])
    rate = (count - first) / (time.perf_counter() - started_s)
    consumer.close()
    return rate


def _rows(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """All records of a topic of one partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "taishi-bench-check"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    rows: list[bytes] = []
    while len(rows) < count:
        found = consumer.consume(10_000, 30.0)
        if not found:
            raise TimeoutError(f"{topic}: {len(rows)} of {count} rows came")
        rows += [message.value() for message in found]
    consumer.close()
    return rows


def _told(module: str, *given: str) -> dict[str, Any]:
    """What a process of the benchmark prints in the end."""
    command = [sys.executable, "-m", module, *given]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    if done.returncode:
        raise RuntimeError(f"{module} ended with {done.returncode}:\n{done.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures
