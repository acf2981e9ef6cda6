"""What a reading costs the worker, beside a loop written by hand in one run: a guard of the hot path."""

import pytest

from benchmarks.aggregate import Prism, bench_aggregate
from tests.conftest import Stack

pytestmark = [pytest.mark.stack]

READINGS = 200_000
MOST = 3.0
"""Of the loop's processor time, of worker and Prism together; on two busy cores it is 1.9."""


def test_a_reading_costs_little_more_than_in_a_loop_that_can_do_nothing_else(stack: Stack) -> None:
    prism = stack.part("prism-aggregate")
    assert prism.pid is not None
    address = f"127.0.0.1:{stack.settings.prism_aggregate_port}"
    figures = bench_aggregate(
        stack.kafka_bootstrap, Prism(address, prism.pid), readings=READINGS, rounds=1, say=print
    )
    assert figures.lost == 0
    assert figures.cpu_us_per_reading < MOST * figures.hand_loop_cpu_us
