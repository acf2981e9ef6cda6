"""T3: one part is killed 0 to 2 s after another came up again; all 72 ordered pairs of nine parts.

`TAISHI_FAULT_PAIRS=n` takes n of them. Alone: `make test-faults-long ARGS=tests/faults/test_double_kills.py`.
"""

import os

import pytest

from tests.faults.afterwards import probe, told
from tests.faults.load import load_of
from tests.faults.nemesis import LONG_ONLY, pairs
from tests.faults.run import go_through

PAIRS = int(os.environ.get("TAISHI_FAULT_PAIRS", "72"))
SEED = int(os.environ.get("TAISHI_FAULT_SEED", "72"))
VICTIMS = (
    *("mqtt", "connect-mqtt", "kafka", "influxdb", "worker-aggregate"),
    *("prism-aggregate", "worker-signals", "desk", "oncall"),
)

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(14_400), LONG_ONLY]


def test_a_second_kill_while_the_first_is_made_good_loses_nothing(city, hook, oracle):
    load = load_of(SEED, long=True, alarm_every=8_000)
    run = go_through(city, oracle, load, pairs(SEED, VICTIMS, PAIRS))
    run.report(f"TAISHI_FAULT_SEED={SEED} TAISHI_FAULT_PAIRS={PAIRS} TAISHI_FAULT_KILLS=30 pytest {__file__}")
    run.check()
    probe(city)
    told(city, hook, run.acts)
