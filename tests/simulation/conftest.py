"""One simulation for a file's tests: the product is patched once, the database is made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.simulation.runner import Simulation, simulation


@pytest.fixture(scope="module")
def simulated() -> Iterator[Simulation]:
    with pytest.MonkeyPatch.context() as patch, simulation(patch) as made:
        yield made
