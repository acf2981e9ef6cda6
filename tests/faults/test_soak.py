"""T20: hours under load with a kill every ten minutes; nothing creeps, nothing is lost.

`make test-soak MINUTES=120`; what creeping means is in soak.py, which `make test` has judge planted samples.
"""

import os
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import psutil
import pytest

from benchmarks.latency import watch
from deploy.embedded import stack as embedded
from pipelines.io.influxdb import InfluxDb
from taishi.promises.record import stamp_of
from taishi.stack_settings import stack_settings
from taishi.status.assemble import assemble
from taishi.status.collect import Collector
from taishi.status.exposition import parse
from taishi.store import influx_settings
from tests.faults import ends
from tests.faults.judge import judge
from tests.faults.load import Load, Sender, obligations
from tests.faults.nemesis import RECOVERY_MAX_S, Act, perform
from tests.faults.soak import Sample, broken, judge_soak, table

ROOT = Path(__file__).resolve().parents[2]
MINUTES = float(os.environ.get("TAISHI_SOAK_MINUTES", "0"))
RATE_PER_S = int(os.environ.get("TAISHI_SOAK_RATE", "200"))
VICTIMS = ("worker-aggregate", "kafka", "worker-situation")
SAMPLE_S, KILL_S = 20.0, 600.0
ALARM_EVERY_S = 60

pytestmark = [
    pytest.mark.stack,
    pytest.mark.faults,
    pytest.mark.timeout(int(MINUTES * 60) + 3600),
    pytest.mark.skipif(not MINUTES, reason="hours long: make test-soak MINUTES=120"),
]


class Look:
    """Takes samples; what is down at that moment is missing in one."""

    def __init__(self, settings, collector, began_s):
        self.settings, self.collector, self.began_s = settings, collector, began_s
        self.before, self.shards = None, Counter()

    def sample(self, state):
        now = self.collector.gather()
        snapshot = assemble(self.settings.district, self.settings.window_s[0], now, self.before)
        self.before = now
        pids = {part.name: part.pid for part in state.parts if part.phase == "healthy" and part.pid}
        weighed = {name: weigh(pid) for name, pid in pids.items()} | {"supervisor": weigh(state.pid, False)}
        there = {name: of for name, of in weighed.items() if of}
        return Sample(
            at_s=time.monotonic() - self.began_s,
            pid=pids | {"supervisor": state.pid},
            rss_bytes={name: rss for name, (rss, _) in there.items()},
            handles={name: handles for name, (_, handles) in there.items()},
            checkpoint_bytes=dict(self.checkpoints(now.metrics)),
            accounts=Counter(check.verdict for check in snapshot.checks),
        )

    def checkpoints(self, metrics):
        """Bytes of each job's checkpoints; a job that has not written all its shards' yet is left out."""
        for part, text in metrics.items():
            sizes = parse([text]).by("taishi_checkpoint_bytes", "shard")
            sizes = {shard: size for shard, size in sizes.items() if size}
            self.shards[part] = max(self.shards[part], len(sizes))
            if sizes and len(sizes) == self.shards[part]:
                yield part, sum(sizes.values())


def weigh(pid, with_children=True):
    """Resident bytes and open handles of a process and all it started; None of one that has just ended."""
    try:
        process = psutil.Process(pid)
        family = [process, *(process.children(recursive=True) if with_children else ())]
        return sum(each.memory_info().rss for each in family), sum(each.num_fds() for each in family)
    except psutil.NoSuchProcess:
        return None


class Delays(threading.Thread):
    """How long after its end each of the district's 10 s windows can be read: (when, s)."""

    def __init__(self, settings, began_s):
        super().__init__(daemon=True)
        self.settings, self.began_s, self.found, self.error = settings, began_s, [], None

    def run(self):
        store = InfluxDb(influx_settings(self.settings))
        try:
            for delay_s in watch(store, self.settings.district, 10, MINUTES * 60, pause_s=0.2):
                self.found.append((time.monotonic() - self.began_s, delay_s))
        except Exception as error:  # noqa: BLE001 - of a thread: the test raises it
            self.error = error


class Kills(threading.Thread):
    """One every ten minutes, in turn: (when, part, recovery in s)."""

    def __init__(self, city, oracle, began_s):
        super().__init__(daemon=True)
        self.city, self.oracle, self.began_s = city, oracle, began_s
        self.found, self.error, self.enough = [], None, threading.Event()

    def run(self):
        try:
            while not self.enough.wait(KILL_S):
                part = VICTIMS[len(self.found) % len(VICTIMS)]
                at_s = time.monotonic() - self.began_s
                self.found.append((at_s, part, perform(self.city, Act("kill", part, 0), self.oracle)))
        except Exception as error:  # noqa: BLE001 - of a thread: the test raises it
            self.error = error


def test_hours_under_load_let_nothing_creep_and_lose_nothing(city, oracle):
    settings = city.settings
    load = Load(20, time.time_ns() // 1_000_000, RATE_PER_S, alarm_every=RATE_PER_S * ALARM_EVERY_S)
    sender, waiting = Sender(settings, load, oracle, client="soak"), ends.Waiting(settings)
    began_s = time.monotonic()
    delays, kills = Delays(settings, began_s), Kills(city, oracle, began_s)
    for each in (sender, waiting, delays, kills):
        each.start()
    samples, tick = [], threading.Event()
    with Collector(settings) as collector:
        look = Look(settings, collector, began_s)
        while time.monotonic() - began_s < MINUTES * 60:
            samples.append(look.sample(city.state))
            tell(samples[-1])
            tick.wait(SAMPLE_S)
    kills.enough.set()
    for each in (kills, delays):
        each.join(2 * RECOVERY_MAX_S)
        if each.error is not None:
            raise each.error
    embedded.wait_well(stack_settings(settings), RECOVERY_MAX_S)
    left, issued = sender.stop(120), obligations(oracle)
    rows = judge_soak(samples, kills.found, delays.found)
    report(rows, kills.found, len(issued))
    ends.drain(settings, [each for each in issued if not load.too_late(each.number)], 300)
    verdict = judge(issued, ends.gathered(settings, issued, waiting.stop()), settings.lateness_s * 1000)
    sys.stderr.write(f"{verdict.table()}\n")
    assert left == 0
    assert verdict.broken == {}, verdict.table()
    assert broken(rows) == []


def tell(sample):
    """A line a sample: what a run that is ended early leaves."""
    mib = " ".join(f"{name} {rss / 2**20:.1f}" for name, rss in sample.rss_bytes.items())
    kib = " ".join(f"{job} {size / 1024:.1f}" for job, size in sample.checkpoint_bytes.items())
    sys.stderr.write(
        f"{sample.at_s:7.0f} s  MiB: {mib}  KiB of checkpoints: {kib}  handles: "
        f"{sum(sample.handles.values())}  accounts: {dict(sample.accounts)}\n"
    )


def report(rows, recoveries, messages):
    stamp, took_s = stamp_of(ROOT), [each for _, _, each in recoveries]
    sys.stderr.write(
        f"\n{table(rows)}\n{MINUTES:g} min at {RATE_PER_S} readings/s: {messages:,} messages, "
        f"{len(recoveries)} kills, recovery max {max(took_s, default=0):.1f} s\n"
        f"commit {stamp.commit[:9]}{'*' if stamp.modified else ''} on {stamp.machine}; "
        f"rerun: make test-soak MINUTES={MINUTES:g} RATE={RATE_PER_S}\n"
    )
