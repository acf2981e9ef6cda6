"""The simulation can fail: each deliberately wrong variant of the product is caught within a few seeds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.simulation.faults import Broken
from tests.simulation.runner import Simulation, simulation
from tests.simulation.wrong import PLANTED

ROOT = Path(__file__).resolve().parents[2]
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


def test_the_document_names_all_that_is_planted_and_nothing_else() -> None:
    document = (ROOT / "docs/deterministic-simulation.md").read_text(encoding="utf-8")
    judged = (ROOT / "tests/unit/faults/test_planted_bugs.py").read_text(encoding="utf-8")
    _, _, told = document.partition("## That it can fail")
    told, _, _ = told.partition("\n## ")
    assert set(re.findall(r"(?<!\*)\*([^*\n]+)\*", told)) == set(PLANTED)
    assert f"plants {len(PLANTED)} bugs" in told
    rows = [row for row in told.splitlines() if "| judge: " in row]
    for row in rows:
        for name in re.findall(r"`(\w+)`", row.partition("judge:")[2].partition(";")[0]):
            assert re.search(rf"^(class|def) {name}\b", judged, re.MULTILINE), row
    assert f"plants {len(rows)} beside the judge" in told
