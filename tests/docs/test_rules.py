"""docs/rules.md does what it says: its file is judged, its wrong file is refused in its words."""

import re
from pathlib import Path

import numpy as np
import pytest

from pipelines.kernels.minute import Minute, PlaceTable
from pipelines.kernels.rules.evaluate import evaluate
from pipelines.kernels.rules.fields import CHECKS
from pipelines.kernels.rules.figures import known_figures
from pipelines.kernels.rules.load import RulesRefused, load_rules
from pipelines.kernels.rules.model import MINUTE_MS
from pipelines.kernels.rules.state import RulesState

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
GRID = "370202001001001"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def minute(at, domain, figures):
    names = known_figures(domain)
    values = np.array([[figures.get(name, 0.0) for name in names]])
    levels = {"grid": 15, "community": 12, "street": 9, "district": 6}
    tables = {level: PlaceTable((GRID[:digits],), names, values) for level, digits in levels.items()}
    return Minute(domain, at * MINUTE_MS, tables)


def judged(domain, minutes):
    rules, state = load_rules(blocks("toml")[0]), RulesState()
    found = [c for at, f in enumerate(minutes) for c in evaluate(rules, state, minute(at, domain, f))]
    return [(c.at_ms // MINUTE_MS, c.rule, c.level, c.active) for c in found]


def test_the_parking_rule_has_its_delays_and_its_deadband():
    full = [{"occupancy": 0.96, "spaces": 30}] * 11
    between = [{"occupancy": 0.92, "spaces": 30}] * 10
    free = [{"occupancy": 0.85, "spaces": 30}] * 6
    assert judged("parking", full + between + free) == [
        *[(10, "parking-full", level, True) for level in ("community", "street")],
        *[(26, "parking-full", level, False) for level in ("community", "street")],
    ]
    assert judged("parking", [{"occupancy": 0.96, "spaces": 19}] * 11) == []


def test_the_combination_gathers_a_crowd_and_a_fire_of_one_community():
    calm, crowd, fire = {"people_entered": 5}, {"people_entered": 400}, {"fire_smoke": 2, "fire_gas": 1}
    assert judged("security", [calm] * 10 + [crowd, calm, fire]) == [
        (12, "fire", "community", True),
        (12, "fire-in-a-crowd", "community", True),
    ]


def test_the_page_names_every_field():
    named = set(re.findall(r"^(\w+) = ", blocks("toml")[0], re.MULTILINE))
    named |= set(re.findall(r"# or ((?:\w+, )*\w+)", blocks("toml")[0])[0].split(", "))
    assert named >= CHECKS.keys() - {"fall_below"}


def test_the_wrong_file_is_refused_in_the_words_of_the_page():
    with pytest.raises(RulesRefused) as refused:
        load_rules(blocks("toml")[1], "rules.toml")
    assert str(refused.value) == blocks("text")[0].strip()
