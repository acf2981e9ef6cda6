"""T7: no byte is free on the disk of InfluxDB, of Kafka, under load; with room again nothing is missing.

For `TAISHI_FAULT_FULL_S=n`, 300 s. Alone: `make test-faults-long ARGS=tests/faults/test_full_disks.py`.
"""

import os
import sys
import threading
import time

import pytest

from taishi.status.assemble import assemble
from taishi.status.collect import Collector
from tests.faults.afterwards import probe
from tests.faults.load import Load
from tests.faults.nemesis import LONG_ONLY, Act
from tests.faults.run import go_through

FULL_S = float(os.environ.get("TAISHI_FAULT_FULL_S", "300"))
SEED = int(os.environ.get("TAISHI_FAULT_SEED", "7"))
DISK_MIB, ROUNDS = 256, 2
RATE_PER_S = 150
TOLD_MAX_S = 60
CALM_S = 60
"""Between two, so that all is well in between."""

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(14_400), LONG_ONLY]


@pytest.fixture(scope="module")
def disks_mib():
    return {"influxdb": DISK_MIB, "kafka": DISK_MIB}


class Told(threading.Thread):
    """What `taishi status` says, every other second, until told to stop: (ms, what is wrong)."""

    def __init__(self, settings):
        super().__init__(daemon=True)
        self.settings, self.enough, self.found, self.error = settings, threading.Event(), [], None

    def run(self):
        before = None
        with Collector(self.settings) as collector:
            try:
                while not self.enough.wait(2.0):
                    now = collector.gather()
                    said = assemble(self.settings.district, self.settings.window_s[0], now, before)
                    self.found.append((time.time_ns() // 1_000_000, said.problems))
                    before = now
            except Exception as error:  # noqa: BLE001 - of a thread: the test raises it
                self.error = error

    def stop(self):
        self.enough.set()
        self.join()
        if self.error is not None:
            raise self.error


def told_after_s(found, began_ms):
    """How long after the disk was full a problem was told that was not there just before, and which."""
    before = {each for at_ms, problems in found if began_ms - 5_000 <= at_ms < began_ms for each in problems}
    for at_ms, problems in found:
        if at_ms >= began_ms and (news := set(problems) - before):
            return (at_ms - began_ms) / 1000, sorted(news)
    return float("inf"), []


def test_full_disks_lose_nothing_and_are_told(city, oracle):
    acts = [Act("full", part, CALM_S, FULL_S) for _ in range(ROUNDS) for part in ("influxdb", "kafka")]
    told = Told(city.settings)
    told.start()
    load = Load(SEED, time.time_ns() // 1_000_000, RATE_PER_S, alarm_every=RATE_PER_S * 20)
    run = go_through(city, oracle, load, acts)
    told.stop()
    run.report(
        f"TAISHI_FAULT_SEED={SEED} TAISHI_FAULT_FULL_S={FULL_S:g} TAISHI_FAULT_KILLS=30 pytest {__file__}"
    )
    rows = oracle.rows("SELECT part, began_ms FROM acts ORDER BY began_ms")
    firsts = [(part, *told_after_s(told.found, began_ms)) for part, began_ms in rows]
    for part, after_s, said in firsts:
        sys.stderr.write(f"{part} full: told after {after_s:.0f} s: {said}\n")
    run.check()
    assert len(firsts) == len(acts)
    assert max(after_s for _, after_s, _ in firsts) <= TOLD_MAX_S
    probe(city)
