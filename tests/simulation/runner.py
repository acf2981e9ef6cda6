"""A seed from beginning to end: an undisturbed run, a disturbed one, and what both must have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.simulation.desk import Database
from tests.simulation.faults import Broken
from tests.simulation.obligations import annotated, known_and_told
from tests.simulation.patches import Running, install
from tests.simulation.picture import compare, picture, refold
from tests.simulation.world import World

REGRESSIONS = Path(__file__).with_name("regressions.txt")


class Simulation:
    """Runs seeds on one patched product and one database; `fired` counts what went wrong in them."""

    def __init__(self, now: Running, database: Database) -> None:
        self.now, self._database = now, database
        self.fired: Counter[str] = Counter()

    def run(self, seed: int) -> World:
        """The disturbed world of the seed, when all of it held; Broken says what did not, and the rerun."""
        try:
            return self._run(seed)
        except AssertionError as broken:
            raise Broken(f"seed {seed}: {broken}\nrerun: {rerun(seed)}") from broken

    def _run(self, seed: int) -> World:
        calm = self.now.world = World(seed, self._database, faults=False)
        calm.calm()
        expected = picture(calm)
        world = self.now.world = World(seed, self._database)
        world.run()
        self.fired += world.faults.fired
        compare(picture(world), expected)
        if world.scenario.refolded:
            refold(world)
        known_and_told(world)
        annotated(world)
        return world

    def trace(self, seed: int) -> list[object]:
        """Everything that came about in the seed's disturbed run, in order."""
        world = self.run(seed)
        return [world.log.shards, world.told, world.points.held, world.refused, world.now_ms]


@contextmanager
def simulation(patch: pytest.MonkeyPatch) -> Iterator[Simulation]:
    """The product on the simulation, until the end of the block."""
    database = Database()
    try:
        yield Simulation(install(patch), database)
    finally:
        database.close()


def rerun(seed: int) -> str:
    """The line that runs this one seed again."""
    return f"TAISHI_SIMULATION_SEED={seed} .venv/bin/pytest tests/simulation/test_simulation.py -k one_seed"


def regressions() -> list[int]:
    """Seeds that failed once: always run."""
    lines = REGRESSIONS.read_text("utf-8").splitlines()
    return [int(line.split("#")[0]) for line in lines if line.split("#")[0].strip()]
