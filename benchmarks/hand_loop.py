"""The loop that somebody would write by hand, beside which the worker is measured.

`python -m benchmarks.hand_loop BOOTSTRAP RECORDS` folds the benchmark's topic into windows of 10 s a grid
(count, sum, least), writes each to Kafka once five seconds of event time have passed after it, and prints one
JSON object. The client, the decoder and the batches are those of the product, and it decodes no more fields
than it needs. It has no checkpoint, no duplicates, no lateness, no quarantine and no revisions: what it read
before it died is lost or counted twice.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.aggregate_load import PREFIX

__all__ = ["BATCH", "HAND_WINDOWS", "Reading", "Windows", "fault_of", "main"]

HAND_WINDOWS: Final = f"{PREFIX}hand.windows"
_TOPIC: Final = f"{PREFIX}readings.parking"
_PARTITIONS: Final = 4
_WINDOW_MS: Final = 10_000
_DELAY_MS: Final = 5_000
BATCH: Final = 10_000


class Reading(msgspec.Struct):
    """What the loop needs of a reading."""

    grid: str
    value: float
    observed_at_ms: int


@dataclass
class Windows:
    """Open windows: (start, grid) -> count, sum, least; and the newest time of each partition.

    Partitions are read at different speeds, and a grid is in one of them: a window is over when the slowest
    partition is past it.
    """

    partitions: Iterable[int] = range(_PARTITIONS)
    open: dict[tuple[int, str], list[float]] = field(default_factory=dict)
    newest_ms: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.newest_ms = dict.fromkeys(self.partitions, 0)

    def fold(self, readings: Iterable[tuple[int, Reading]]) -> None:
        """Count each, which comes with its partition, in its window."""
        held, newest_ms = self.open, self.newest_ms
        for partition, reading in readings:
            at_ms, value = reading.observed_at_ms, reading.value
            key = at_ms - at_ms % _WINDOW_MS, reading.grid
            window = held.get(key)
            if window is None:
                held[key] = [1, value, value]
            else:
                window[0] += 1
                window[1] += value
                window[2] = min(window[2], value)
            newest_ms[partition] = max(newest_ms[partition], at_ms)

    def closed(self, until_ms: int | None = None) -> list[tuple[bytes, bytes]]:
        """Records of the windows that are over, which are open no more; with `until_ms` all before it."""
        over_ms = min(self.newest_ms.values()) - _DELAY_MS if until_ms is None else until_ms
        keys = sorted(key for key in self.open if key[0] + _WINDOW_MS <= over_ms)
        return [_record(*key, self.open.pop(key)) for key in keys]


def _record(start_ms: int, grid: str, window: list[float]) -> tuple[bytes, bytes]:
    count, total, least = window
    facts = {"start_ms": start_ms, "grid": grid, "readings": int(count), "occupied": total}
    return grid.encode(), msgspec.json.encode(facts | {"mean": total / count, "least": least})


def main(bootstrap: str, records: int) -> None:
    """Fold so many records and tell."""
    settings = {"bootstrap.servers": bootstrap, "group.id": "taishi-bench-hand", "enable.auto.commit": False}
    consumer = Consumer({**settings, "fetch.queue.backoff.ms": 2})
    consumer.assign([TopicPartition(_TOPIC, partition, 0) for partition in range(_PARTITIONS)])
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 20, "acks": "all"})
    decode, windows = msgspec.json.Decoder(Reading).decode, Windows()
    messages = consumer.consume(BATCH, 30.0)
    count = first = len(messages)
    started_s, cpu_s, written = time.perf_counter(), time.process_time(), 0
    while True:
        windows.fold([(message.partition(), decode(message.value())) for message in messages])
        over = windows.closed(2**53 if count >= records else None)
        for key, value in over:
            producer.produce(HAND_WINDOWS, value, key)
        producer.poll(0)
        written += len(over)
        if count >= records:
            break
        messages = consumer.consume(BATCH, 0.1)
        count += len(messages)
    left = producer.flush(60)
    elapsed_s = time.perf_counter() - started_s
    figures = {
        "readings_per_s": (count - first) / elapsed_s,
        "cpu_us_per_reading": (time.process_time() - cpu_s) / (count - first) * 1e6,
        "windows": written - left,
    }
    consumer.close()
    print(json.dumps(figures), flush=True)


def fault_of(rows: Iterable[bytes], records: int) -> str:
    """What is wrong with the windows as written: one that is there twice, or readings too few or too many."""
    counts: dict[tuple[int, str], int] = {}
    for row in rows:
        told = msgspec.json.decode(row)
        key = told["start_ms"], told["grid"]
        if key in counts:
            return f"window {key} was written twice"
        counts[key] = told["readings"]
    counted = sum(counts.values())
    return "" if counted == records else f"{counted:,} readings counted of {records:,}"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
