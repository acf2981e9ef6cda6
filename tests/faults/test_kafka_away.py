"""T5: Kafka is restarted cleanly and hard, again and again, and is away for five minutes, under load.

The short form of it, one clean restart and a kill, is in test_kills.py. `TAISHI_FAULT_AWAY_S=n` shortens the
five minutes. Alone: `make test-faults-long ARGS=tests/faults/test_kafka_away.py`.
"""

import os
import sys
import threading
import time

import psutil
import pytest

from tests.faults.afterwards import probe
from tests.faults.load import Load
from tests.faults.nemesis import LONG_ONLY, RECOVERY_MAX_S, Act
from tests.faults.run import go_through

AWAY_S = float(os.environ.get("TAISHI_FAULT_AWAY_S", "300"))
SEED = int(os.environ.get("TAISHI_FAULT_SEED", "5"))
ROUNDS = 5
DOORS = ("mqtt", "connect-mqtt", "connect-http")
MORE_MAX_MIB = 64
RATE_PER_S = 150
AHEAD = 2_000
"""Twice what the broker lets a device have unconfirmed: the broker then reads it no further."""

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(14_400), LONG_ONLY]


class Weights(threading.Thread):
    """Looks at broker and connectors each second, until told to stop: their processes, the most MiB."""

    def __init__(self, city):
        super().__init__(daemon=True)
        self.city, self.enough = city, threading.Event()
        self.before = {name: mib for name, _, mib in self.now()}
        self.most, self.pids = dict(self.before), {name: set() for name in DOORS}

    def now(self):
        for name in DOORS:
            pid = self.city.part(name).pid
            if pid is not None:
                yield name, pid, psutil.Process(pid).memory_info().rss / 2**20

    def run(self):
        while not self.enough.wait(1.0):
            for name, pid, mib in self.now():
                self.most[name] = max(self.most[name], mib)
                self.pids[name].add(pid)

    def stop(self):
        self.enough.set()
        self.join()


def resumed_s(oracle):
    """How long after each time Kafka served again the first message was confirmed, s."""
    firsts = oracle.rows(
        "SELECT min(acked.at_ms) - ended_ms FROM acts JOIN acked ON at_ms > ended_ms GROUP BY ended_ms"
    )
    return [first_ms / 1000 for (first_ms,) in firsts]


def test_kafka_restarted_and_away_loses_nothing_and_costs_the_doors_no_memory(city, oracle):
    restarts = [Act(kind, "kafka", 10) for _ in range(ROUNDS) for kind in ("restart", "kill")]
    acts = [*restarts, Act("away", "kafka", 10, AWAY_S)]
    weights = Weights(city)
    weights.start()
    load = Load(SEED, time.time_ns() // 1_000_000, RATE_PER_S, alarm_every=RATE_PER_S * 20, ahead=AHEAD)
    run = go_through(city, oracle, load, acts)
    weights.stop()
    run.report(
        f"TAISHI_FAULT_SEED={SEED} TAISHI_FAULT_AWAY_S={AWAY_S:g} TAISHI_FAULT_KILLS=30 pytest {__file__}"
    )
    resumed = resumed_s(oracle)
    sys.stderr.write(
        f"MiB of the doors: {weights.before} before, {weights.most} at most; most that waited: "
        f"{run.found.waiting}; confirmed again after {resumed} s\n"
    )
    run.check()
    assert len(resumed) == len(run.acts)
    assert max(resumed) < RECOVERY_MAX_S
    for name, pids in weights.pids.items():
        assert len(pids) == 1, f"{name} ended meanwhile: {pids}"
    for name, before in weights.before.items():
        assert weights.most[name] <= before + MORE_MAX_MIB, f"{name}: {before} MiB, then {weights.most[name]}"
    probe(city)
