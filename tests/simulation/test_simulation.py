"""The product's own kernels, jobs and desk through seeded faults: every seed ends as if nothing had happened.

500 seeds in `make test`, 50,000 in `make test-faults-long`. Rerun one: TAISHI_SIMULATION_SEED=n.
"""

from __future__ import annotations

import os

import pytest

from tests.simulation.faults import POINTS
from tests.simulation.runner import Simulation, regressions

SEEDS = int(os.environ.get("TAISHI_SIMULATION_SEEDS", "500"))
FROM = int(os.environ.get("TAISHI_SIMULATION_FROM", "0"))
FIRED_MIN = 100
"""How often each fault point must have fired in 500 seeds or more."""


@pytest.mark.timeout(max(900, SEEDS))
def test_every_seed_keeps_every_promise_and_every_fault_point_fires(simulated: Simulation) -> None:
    for seed in range(FROM, FROM + SEEDS):
        simulated.run(seed)
    seldom = {point: simulated.fired[point] for point in POINTS if simulated.fired[point] < FIRED_MIN}
    assert SEEDS < 500 or not seldom, f"of {SEEDS} seeds: {seldom}, allowed: {FIRED_MIN} or more"


@pytest.mark.parametrize("seed", regressions())
def test_seeds_that_failed_once(simulated: Simulation, seed: int) -> None:
    simulated.run(seed)


def test_one_seed(simulated: Simulation) -> None:
    simulated.run(int(os.environ.get("TAISHI_SIMULATION_SEED", "1")))


def test_the_same_seed_is_the_same_run_to_the_last_record(simulated: Simulation) -> None:
    for seed in (3, 4):
        assert simulated.trace(seed) == simulated.trace(seed)
