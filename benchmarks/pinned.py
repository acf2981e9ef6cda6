"""Processes held to one core each, so that a rate is a rate of one core, and what they used of it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psutil
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from connectors.registry import COLUMNS
from schemas.errors import SettingsError

__all__ = ["LogEnd", "cores", "cpu_s", "devices_file", "end", "line_of", "started", "wait_for"]

LIMIT_S = 120.0


def cores() -> tuple[int, tuple[int, ...]]:
    """The core that is measured, and the others, which do everything else. SettingsError with one only."""
    known = sorted(os.sched_getaffinity(0))
    if len(known) < 2:
        raise SettingsError(f"cores: received {len(known)}, allowed: at least 2, one of them to be measured")
    return known[-1], tuple(known[:-1])


@contextmanager
def started(
    words: Iterable[str], on: Iterable[int], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`python -m words…` on these cores until the block ends; its stderr in `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            env=dict(os.environ) | dict(environment or {}),
        )
    os.sched_setaffinity(process.pid, set(on))
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end; make it, if it does not within half a minute."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


def line_of(process: subprocess.Popen[bytes]) -> str:
    """The next line it prints; RuntimeError when it ends without one."""
    line = process.stdout.readline().decode().strip() if process.stdout else ""
    if not line:
        raise RuntimeError(f"{process.args!r} ended with {process.wait()}")
    return line


def cpu_s(pid: int) -> float:
    """Seconds of processor time the process has used, of all its threads."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def wait_for(condition: Callable[[], bool], every_s: float = 0.01, what: str = "it") -> None:
    """Poll until true; TimeoutError after two minutes."""
    tick, deadline_s = threading.Event(), time.monotonic() + LIMIT_S
    while not condition():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{what}: not within {LIMIT_S:.0f} s")
        tick.wait(every_s)


def devices_file(path: Path, names: Iterable[str], grid: str) -> None:
    """A registry of simulated parking sensors, all in one grid."""
    rows = "".join(f"{name},native,parking.space,{grid},,,,,,true\n" for name in names)
    path.write_text(f"{','.join(COLUMNS)}\n{rows}", "utf-8")


class LogEnd:
    """How many records a topic holds, all shards together.

    One request for all shards: asked of each, begin and end, they cost the Kafka that is measured several
    times as much.
    """

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._client = AdminClient({"bootstrap.servers": bootstrap, "log_level": 0})
        shards = self._client.list_topics(topic, timeout=30).topics[topic].partitions
        self._asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in shards}

    def __call__(self) -> int:
        """The count now."""
        told = self._client.list_offsets(self._asked, request_timeout=30)
        return sum(each.result().offset for each in told.values())
