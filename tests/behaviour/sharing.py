"""Workers of a group as processes of their own: the product's line of `aggregate`, driven without Beam.

`python -m tests.behaviour.sharing BOOTSTRAP PREFIX GROUP` is one of them; its log on standard error.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, TopicPartition

from benchmarks.aggregate_load import fill_topic, recreate_topic
from pipelines.io.bounds import bounds_of
from pipelines.io.checkpoints import load_checkpoints
from pipelines.jobs.aggregate import AggregateFactory
from pipelines.jobs.line import LineRuntime, LineSettings
from pipelines.kernels.state import FoldSettings
from pipelines.kernels.state_codec import state_from_bytes
from taishi import logs

ROOT = Path(__file__).resolve().parents[2]
SHARDS = 4
TOPICS = ("windows", "late", "quarantine", "checkpoints")
SESSION_S = 6.0
"""The shortest that Kafka takes."""
FOLD = FoldSettings(window_s=(1, 2, 4), delay_ms=200, lateness_ms=1_000, long_s=2)


def factory(bootstrap: str, prefix: str, group: str | None) -> AggregateFactory:
    """Of the line, every batch checkpointed: what is in `checkpoints` is how far the workers are."""
    line = LineSettings(
        bootstrap,
        (f"{prefix}readings.parking",),
        checkpoint_topic=f"{prefix}checkpoints",
        checkpoint_interval_s=0.001,
        batch_records=500,
        tick_interval_s=None,
        group=group,
        session_s=SESSION_S,
    )
    return AggregateFactory(line, FOLD, "370202", prefix)


def folded(bootstrap: str, prefix: str) -> dict[str, tuple[int, list[list[int]]]]:
    """Shard -> where its newest checkpoint goes on, and what became of its readings."""
    return {
        shard: (each.next_offset, state_from_bytes(FOLD, each.state).accounts.tolist())
        for shard, each in load_checkpoints(bootstrap, "aggregate", topic=f"{prefix}checkpoints").items()
    }


def ends(bootstrap: str, topic: str, partitions: int = SHARDS) -> dict[str, int]:
    """Shard -> the offset after its newest record."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "sharing"})
    found = {f"{topic}/{each}": bounds_of(consumer, topic, each)[1] for each in range(partitions)}
    consumer.close()
    return found


def records(bootstrap: str, topic: str) -> set[bytes]:
    """Every different record of a topic of one partition."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "sharing", "enable.auto.commit": False})
    _, end = bounds_of(consumer, topic, 0)
    consumer.assign([TopicPartition(topic, 0, 0)])
    values, count = set(), 0
    while count < end:
        messages = consumer.consume(10_000, 1.0)
        count += len(messages)
        values.update(message.value() for message in messages)
    consumer.close()
    return values


def said(log: Path) -> list[dict[str, Any]]:
    """The lines of a log that are whole."""
    lines = log.read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]


class Worker:
    """One process of a group."""

    def __init__(self, words: Sequence[str], log: Path, wrapped: Sequence[str] = ()) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen([*wrapped, sys.executable, *words], stderr=output, cwd=ROOT)

    def events(self, event: str) -> list[dict[str, Any]]:
        """What it has logged under this name."""
        return [each for each in said(self.log) if each["event"].startswith(event)]

    def end(self) -> int:
        """Ask it to hand over and leave; returns its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


def prepare(bootstrap: str, prefix: str) -> None:
    """Empty topics."""
    for name in TOPICS:
        recreate_topic(bootstrap, f"{prefix}{name}", 1)
    recreate_topic(bootstrap, f"{prefix}readings.parking", SHARDS)


class Load(threading.Thread):
    """Readings for as long as the test goes on."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        super().__init__(daemon=True)
        self.bootstrap, self.topic, self.ended = bootstrap, topic, threading.Event()
        self.sent = 0

    def run(self) -> None:
        """300 readings, three times a second."""
        while not self.ended.wait(0.3):
            fill_topic(self.bootstrap, self.topic, 300, lambda _sent: None)
            self.sent += 300

    def end(self) -> None:
        """Returns when the broker has all that was sent."""
        self.ended.set()
        if self.ident is not None:
            self.join()


def all_alone(bootstrap: str, prefix: str) -> tuple[set[bytes], dict[str, Any]]:
    """The same log folded by one worker that nothing happens to: its windows and accounts."""
    for name in TOPICS:
        recreate_topic(bootstrap, f"{prefix}alone.{name}", 1)
    made = factory(bootstrap, prefix, None)
    line = type(made.line)(
        made.line.bootstrap,
        made.line.topics,
        checkpoint_topic=f"{prefix}alone.checkpoints",
        checkpoint_interval_s=0.001,
        tick_interval_s=None,
    )
    runtime = type(made)(line, FOLD, "370202", f"{prefix}alone.")()
    runtime.start()
    wanted = ends(bootstrap, line.topics[0])
    while dict(runtime.next_offsets()) != wanted:
        for batch in runtime.read(0.2):
            runtime.write(runtime.fold(batch))
            runtime.checkpoint(batch.shard)
    runtime.close()
    return records(bootstrap, f"{prefix}alone.windows"), folded(bootstrap, f"{prefix}alone.")


def work(made: Callable[[], LineRuntime[Any, Any]]) -> None:
    """Work until told to end."""
    logs.configure("worker")
    runtime = made()
    runtime.start()

    def leave() -> None:
        os._exit(0 if runtime.leave(10) else 1)

    signal.signal(signal.SIGTERM, lambda _number, _frame: threading.Thread(target=leave).start())
    while True:
        for batch in runtime.read(0.1):
            runtime.write(runtime.fold(batch))
            runtime.checkpoint(batch.shard)


if __name__ == "__main__":
    work(factory(*sys.argv[1:]))
