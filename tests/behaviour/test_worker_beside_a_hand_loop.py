"""What a reading costs the worker, beside a loop written by hand in one run: a guard of the hot path."""

import pytest

from benchmarks.peers.catalogue import named
from benchmarks.peers.load import Shape, load_of
from benchmarks.peers.reference import expected_of
from benchmarks.peers.run import Site, run_engine
from tests.conftest import Stack

pytestmark = [pytest.mark.stack]

READINGS = 150_000
MOST = 3.0
"""Of the loop's processor time, of worker and Prism together; on two busy cores it is 1.9."""


def test_a_reading_costs_little_more_than_in_a_loop_that_can_do_nothing_else(stack: Stack) -> None:
    kafka = stack.part("kafka")
    assert kafka.pid is not None
    site = Site(stack.kafka_bootstrap, kafka.pid, stack.settings.cache)
    load = load_of(Shape(readings=READINGS))
    expected = expected_of(load)
    hand, ours = (run_engine(engine, load, expected, site) for engine in named("hand,ours"))
    assert str(hand.verdict) == "right"
    assert str(ours.verdict) == "right"
    assert ours.cpu_us < MOST * hand.cpu_us
