"""One run of one engine, measured from outside: from when its readings can be read to the last window."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from benchmarks.peers.catalogue import Engine, Job
from benchmarks.peers.load import Load
from benchmarks.peers.reference import Expected, Figures, Key, Verdict, judge
from benchmarks.peers.rows import EngineRows, LimitRows, ProductRows, Rows
from benchmarks.peers.topics import OUT, TOPIC, Hidden, new_topics
from benchmarks.pinned import cpu_s

__all__ = ["Run", "Site", "run_engine"]

READY_LIMIT_S: Final = 180.0
IDLE_LIMIT_S: Final = 60.0
"""Without a new row: whatever is missing then counts as lost."""
QUIET_S: Final = 2.0
"""Without a new row after the warm-up: the engine is ready."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where it is measured."""

    bootstrap: str
    broker_pid: int
    cache: Path


@dataclass(frozen=True, slots=True)
class Run:
    """`start_s`: from start to ready; CPU, of its processes and the broker: from showing to the last row."""

    readings: int
    per_s: float
    cpu_us: float
    broker_cpu_us: float
    start_s: float
    peak_mib: float
    verdict: Verdict


class Tree:
    """The processes of an engine: CPU used by all that ever were, and the most memory they held together."""

    def __init__(self, roots: list[subprocess.Popen[bytes]]) -> None:
        self._roots = [psutil.Process(root.pid) for root in roots]
        self._cpu_s: dict[tuple[int, float], float] = {}
        self.peak_bytes = 0
        self._ended = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self._watch, daemon=True).start()

    def cpu_s(self) -> float:
        """Until now."""
        with self._lock:
            resident = 0
            for process in self._alive():
                with suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    self._cpu_s[process.pid, process.create_time()] = times.user + times.system
                    resident += process.memory_info().rss
            self.peak_bytes = max(self.peak_bytes, resident)
            return sum(self._cpu_s.values())

    def _alive(self) -> Iterator[psutil.Process]:
        for root in self._roots:
            with suppress(psutil.NoSuchProcess):
                yield from (root, *root.children(recursive=True))

    def _watch(self) -> None:
        while not self._ended.wait(0.25):
            self.cpu_s()

    def end(self) -> None:
        """All of them, at once: nothing of theirs is needed any more."""
        self._ended.set()
        for process in list(self._alive()):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)


def run_engine(engine: Engine, load: Load, expected: Expected, site: Site) -> Run:
    """Fill a new topic, start the engine, show it the readings, wait for the last window, judge its rows.

    Raises:
        RuntimeError: it ended, or said nothing of the warm-up; with the end of what it printed.
    """
    new_topics(site.bootstrap, load.shape.partitions)
    hidden = Hidden(site.bootstrap, load)
    wanted, rows = _wanted(engine, load, expected, site.bootstrap)
    with tempfile.TemporaryDirectory(prefix="taishi-peer-") as folder:
        job = Job(site.bootstrap, TOPIC, OUT, load.shape.partitions, Path(folder), site.cache)
        with _started(engine, job, load) as started:
            start_s = started.until_ready(rows)
            before_s, broker_s = started.tree.cpu_s(), cpu_s(site.broker_pid)
            shown_s = hidden.show()
            started.until_done(rows)
            used_s, broker_s = started.tree.cpu_s() - before_s, cpu_s(site.broker_pid) - broker_s
    rows.close()
    count = load.shape.readings
    return Run(
        readings=count,
        per_s=count / (rows.last_s - shown_s),
        cpu_us=used_s / count * 1e6,
        broker_cpu_us=broker_s / count * 1e6,
        start_s=start_s,
        peak_mib=started.tree.peak_bytes / 2**20,
        verdict=judge(wanted, rows.figures, rows.doubled),
    )


def _wanted(
    engine: Engine, load: Load, expected: Expected, bootstrap: str
) -> tuple[Mapping[Key, Figures], Rows]:
    if engine.writes == "nothing":
        return {}, LimitRows(bootstrap, _records(load))
    if engine.writes == "product":
        return expected.product, ProductRows(bootstrap, expected.product)
    return expected.engine, EngineRows(bootstrap, expected.engine)


def _records(load: Load) -> int:
    return sum(part.device.size for part in (load.warm_up, load.readings, load.closers))


class _Started:
    """An engine that runs; what it prints is kept for the message of its failure."""

    def __init__(self, processes: list[subprocess.Popen[bytes]], log: Path) -> None:
        self.tree, self._processes, self._log = Tree(processes), processes, log
        self._started_s = time.monotonic()

    def until_ready(self, rows: Rows) -> float:
        """Wait for the windows of the warm-up, all that come; seconds from its start to the last."""
        ready_s = last_s = time.monotonic()
        while not rows.count or time.monotonic() - last_s < QUIET_S:
            if rows.read(0.1):
                ready_s = last_s = time.monotonic()
            self._check(time.monotonic() - self._started_s < READY_LIMIT_S, "no window of the warm-up came")
        return ready_s - self._started_s

    def until_done(self, rows: Rows) -> None:
        """Wait for every window, or until none has come for long."""
        last_s = time.monotonic()
        while not rows.done and time.monotonic() - last_s < IDLE_LIMIT_S:
            if rows.read(0.1):
                last_s = time.monotonic()
            self._check(rows.last_s > 0 or time.monotonic() - last_s < IDLE_LIMIT_S - 1, "no window came")

    def _check(self, good: bool, what: str) -> None:
        ended = [process.returncode for process in self._processes if process.poll() is not None]
        if ended:
            what, good = f"ended with {ended[0]}", False
        if not good:
            raise RuntimeError(f"{what}\n{self._log.read_text('utf-8', 'replace')[-3000:]}")


@contextmanager
def _started(engine: Engine, job: Job, load: Load) -> Iterator[_Started]:
    log = job.folder / "log"
    told = {"WARM_UP": str(load.warm_up.device.size), "RECORDS": str(_records(load))}
    with log.open("wb") as output:
        processes = [
            subprocess.Popen(
                command, stdout=output, stderr=output, env=dict(os.environ) | told | engine.variables(job)
            )
            for command in engine.commands(job)
        ]
    started = _Started(processes, log)
    try:
        yield started
    finally:
        started.tree.end()
        for process in processes:
            process.wait()
