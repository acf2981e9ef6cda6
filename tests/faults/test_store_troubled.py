"""T6: the real InfluxDB behind a gate that answers 429 and 503, hangs, is slow, or loses the answer.

The job goes on by itself, and the store holds what a plain adding up says.
"""

import dataclasses

import pytest

from pipelines.jobs.situation import SituationFactory
from tests.behaviour.test_influxdb_upserts import City
from tests.faults.gate import RETRY_AFTER_S, Gate

pytestmark = [pytest.mark.stack, pytest.mark.faults]
TIMEOUT_S = 1.5


@pytest.fixture
def gate(stack):
    made = Gate(stack.influxdb_url)
    yield made
    made.close()


@pytest.fixture
def city(stack, gate):
    """Its job writes through the gate; what checks the store asks it directly."""
    made = City(stack)
    store = dataclasses.replace(made.influxdb, url=gate.url, timeout_s=TIMEOUT_S)
    made.factory = SituationFactory(made.factory.line, store, made.factory.rollup)
    yield made
    made.wipe()


def test_a_store_in_every_trouble_gets_everything_and_is_waited_for_as_long_as_it_asks(city, gate):
    gate.next(("busy", "unavailable", "hangs", "slow", "unheard"))
    city.run(city.runtime())
    assert not gate.trouble
    (busy_s, way), (again_s, _) = gate.writes[:2]
    assert way == "busy"
    assert again_s - busy_s >= RETRY_AFTER_S
    city.check()
