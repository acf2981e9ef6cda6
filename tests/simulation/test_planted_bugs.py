"""The simulation can fail: each deliberately wrong variant of the product is caught within a few seeds."""

from __future__ import annotations

import pytest

from tests.simulation.faults import Broken
from tests.simulation.runner import Simulation, simulation
from tests.simulation.wrong import PLANTED

CAUGHT_WITHIN = 50
"""Seeds."""


def run_all(made: Simulation) -> None:
    for seed in range(CAUGHT_WITHIN):
        made.run(seed)


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_is_caught(bug: str) -> None:
    with pytest.MonkeyPatch.context() as patch, simulation(patch) as made:
        plant, words = PLANTED[bug]
        plant(patch, made.now)
        with pytest.raises(Broken, match=rf"(?s)({words}).*\nrerun: TAISHI_SIMULATION_SEED=\d+ "):
            run_all(made)
