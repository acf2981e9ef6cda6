"""T6: InfluxDB is away for a minute, again and again: alerts wait for it no longer than when it is there.

`TAISHI_FAULT_AWAY_S=n` for longer. Alone: `make test-faults-long ARGS=tests/faults/test_store_away.py`.
"""

import os
import sys
import time

import msgspec
import numpy as np
import pytest

from schemas.alerts import Alert
from schemas.topics import ALERTS
from tests.faults import ends
from tests.faults.load import ALARM_DEVICES, Load
from tests.faults.nemesis import LONG_ONLY, Act
from tests.faults.run import go_through

AWAY_S = float(os.environ.get("TAISHI_FAULT_AWAY_S", "60"))
SEED = int(os.environ.get("TAISHI_FAULT_SEED", "6"))
ROUNDS = 3
RATE_PER_S = 210
ALARM_EVERY = max(70, int(RATE_PER_S * (2 * ROUNDS * AWAY_S + 300)) // len(ALARM_DEVICES))
"""Three alarms a second, or as many fewer as the devices for them last."""
RATIO_MAX, MORE_MAX_S = 1.2, 0.05
SETTLED_S = 30
"""So long after the beginning, and after InfluxDB came back, nothing is held against it being away."""

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(14_400), LONG_ONLY]


def appended_ms(bootstrap):
    """Device -> when the first word of its alert was on the log."""
    first = {}
    for message in ends.records(bootstrap, ALERTS):
        if message.value() is not None:
            device = msgspec.json.decode(message.value(), type=Alert).device
            first.setdefault(device, message.timestamp()[1])
    return first


def waits_s(oracle, alerts):
    """From the sending of each alarm until its alert: with InfluxDB, without it, and just after."""
    away = oracle.rows("SELECT began_ms, ended_ms FROM acts")
    sent = oracle.rows("SELECT key, at_ms FROM issued WHERE alarm ORDER BY at_ms")
    ends_ms = [sent[0][1], *(ended_ms for _, ended_ms in away)]
    waits = {"with": [], "without": [], "after": []}
    for device, at_ms in sent:
        if any(began_ms <= at_ms < ended_ms for began_ms, ended_ms in away):
            when = "without"
        else:
            settled = all(not 0 <= at_ms - end_ms < SETTLED_S * 1000 for end_ms in ends_ms)
            when = "with" if settled else "after"
        waits[when].append((alerts[device] - at_ms) / 1000)
    return waits


def test_alerts_wait_for_no_store(city, oracle):
    load = Load(SEED, time.time_ns() // 1_000_000, RATE_PER_S, ALARM_EVERY)
    run = go_through(city, oracle, load, [Act("away", "influxdb", AWAY_S, AWAY_S)] * ROUNDS)
    run.report(f"TAISHI_FAULT_AWAY_S={AWAY_S:g} TAISHI_FAULT_KILLS=30 pytest {__file__}")
    run.check()
    waits = waits_s(oracle, appended_ms(city.kafka_bootstrap))
    p99_s = {when: float(np.percentile(each, 99)) for when, each in waits.items()}
    counts = {when: len(each) for when, each in waits.items()}
    sys.stderr.write(f"alarm to alert, with InfluxDB, without, and just after: p99 {p99_s} s of {counts}\n")
    assert min(counts.values()) >= 50
    assert p99_s["without"] <= RATIO_MAX * p99_s["with"] + MORE_MAX_S
