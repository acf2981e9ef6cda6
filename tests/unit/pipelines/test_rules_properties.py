"""The vectorised judgement equals a slow one; a state kept as bytes equals one that was never put down."""

import importlib.util
from datetime import datetime
from pathlib import Path

import hypothesis.strategies as st
import msgspec
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings

from pipelines.kernels.minute import Minute, PlaceTable
from pipelines.kernels.rules.codec import rules_from_bytes, rules_to_bytes
from pipelines.kernels.rules.evaluate import evaluate
from pipelines.kernels.rules.figures import known_figures
from pipelines.kernels.rules.model import MINUTE_MS, Rule, RuleSet, history_minutes
from pipelines.kernels.rules.state import RulesState
from schemas.calendar import ZONE
from schemas.errors import OutdatedState

_spec = importlib.util.spec_from_file_location("rules_oracle", Path(__file__).with_name("rules_oracle.py"))
rules_oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(rules_oracle)

START = int(datetime(2026, 11, 11, 11, 50, tzinfo=ZONE).timestamp() * 1000) // MINUTE_MS
FIGURES = known_figures("parking")
GRIDS = tuple(f"370202001001{n:03}" for n in range(1, 5))
BOUNDS = ("above", "below", "at_least", "at_most")
COMMUNITY = GRIDS[0][:12]
NUMBERS = st.integers(0, 6).map(float)
DELAYS = st.sampled_from((0, 60, 120))


@st.composite
def simple_rules(draw, name="rule"):
    kind = draw(st.sampled_from(("threshold", "rate", "count", "absence")))
    values = {"threshold": draw(NUMBERS), "bound": draw(st.sampled_from(BOUNDS))}
    values |= {"deadband": draw(st.sampled_from((0.0, 1.0, 2.5))), "figures": ("turnover",)}
    if kind == "absence":
        values = {
            "threshold": draw(st.sampled_from((60.0, 120.0))),
            "bound": "at_least",
            "figures": ("readings",),
        }
    if kind in ("rate", "count"):
        values["over_s"] = draw(st.sampled_from((60, 120, 180)))
    return Rule(
        name=name,
        title="规则",
        title_en="a rule",
        severity="low",
        domain="parking",
        kind=kind,
        levels=draw(st.sampled_from((("grid",), ("community",), ("grid", "community")))),
        needs=draw(st.sampled_from(((), (("spaces", 2.0),)))),
        per=draw(st.sampled_from(("", "spaces"))) if kind in ("threshold", "rate") else "",
        on_delay_s=draw(DELAYS),
        off_delay_s=draw(DELAYS),
        hours=draw(st.sampled_from(((), ((0, 12 * 60),), ((12 * 60, 6 * 60),)))),
        **values,
    )


@st.composite
def rule_sets(draw):
    simple = [draw(simple_rules(f"rule-{n}")) for n in range(draw(st.integers(1, 3)))]
    for rule in simple[1:]:
        common = tuple(level for level in rule.levels if level in simple[0].levels)
        gathers = draw(st.booleans())
        levels = ("community",) if gathers else common
        if levels:
            simple.append(_combination(f"with-{rule.name}", (simple[0].name, rule.name), levels, gathers))
    return RuleSet(tuple(simple))


def _combination(name, members, levels, gathers):
    return Rule(
        name=name,
        title="组合",
        title_en="combination",
        severity="high",
        domain="parking",
        kind="combination",
        levels=levels,
        members=members,
        member_titles=(("甲", "a"), ("乙", "b")),
        over_s=120,
        gathers=gathers,
    )


FIGURE = st.one_of(st.none(), NUMBERS)
PLACE = st.fixed_dictionaries(
    {"turnover": FIGURE, "readings": FIGURE, "spaces": st.sampled_from((None, 0.0, 4.0))}
)
CITY = st.fixed_dictionaries(dict.fromkeys(GRIDS[:2], PLACE), optional=dict.fromkeys(GRIDS[2:], PLACE))
MINUTES = st.lists(st.one_of(st.none(), CITY), min_size=1, max_size=14)


def minutes(cities):
    """Grids as they are; their community's figures are those of its first grid. None: a missing minute."""
    known = []
    for at, city in enumerate(cities):
        if city is not None:
            known += [place for place in city if place not in known]
            above = table((COMMUNITY,), {COMMUNITY: city[GRIDS[0]]})
            tables = {"grid": table(tuple(known), city), "community": above}
            yield Minute("parking", (START + at) * MINUTE_MS, tables)


def table(places, city):
    rows = [[city.get(place, {}).get(figure) for figure in FIGURES] for place in places]
    return PlaceTable(places, FIGURES, np.array(rows, object).astype(float))


def slowly(rule, cities):
    """What the scalar reference says, of every place of every level of the rule."""
    found = []
    for level in rule.levels:
        for place, held in histories(cities, level):
            found += [(rule.name, place, *change) for change in rules_oracle.judged(rule, held)]
    return sorted(found)


def histories(cities, level):
    """Place of the level -> what it said, by minute, from the first minute at which it was heard of."""
    for place in GRIDS if level == "grid" else (COMMUNITY,):
        grid = place if level == "grid" else GRIDS[0]
        if any(city and grid in city for city in cities):
            yield (
                place,
                {START + at: city.get(grid, {}) for at, city in enumerate(cities) if city is not None},
            )


def slowly_combined(rules, rule, cities):
    found, minutes = [], [START + at for at, city in enumerate(cities) if city is not None]
    members = [rules.by_name[name] for name in rule.members]
    for level in rule.levels:
        for place in GRIDS if level == "grid" else (COMMUNITY,):
            active = [_active_in(member, place, level, rule.gathers, cities) for member in members]
            found += [(rule.name, place, *change) for change in rules_oracle.combined(rule, active, minutes)]
    return sorted(found)


def _active_in(member, place, level, gathers, cities):
    below = member.levels if gathers else (level,)
    every = [(at, held) for each in below for at, held in histories(cities, each)]
    return set().union(
        *(rules_oracle.active_minutes(member, held) for at, held in every if at.startswith(place))
    )


def told(conditions):
    return sorted(
        (c.rule, c.place, c.at_ms, "raised" if c.active else "cleared", c.onset_ms) for c in conditions
    )


@given(rule=simple_rules(), cities=MINUTES)
@settings(max_examples=400, deadline=None)
def test_vectorised_over_places_equals_place_by_place(rule, cities):
    state = RulesState()
    rules = RuleSet((rule,))
    found = [c for minute in minutes(cities) for c in evaluate(rules, state, minute)]
    assert told(found) == slowly(rule, cities)


@given(rules=rule_sets(), cities=MINUTES)
@settings(max_examples=200, deadline=None)
def test_combinations_equal_those_made_by_hand_of_their_members(rules, cities):
    state = RulesState()
    found = [c for minute in minutes(cities) for c in evaluate(rules, state, minute)]
    for rule in rules.rules:
        if rule.kind == "combination":
            wanted = slowly_combined(rules, rule, cities)
            assert told(c for c in found if c.rule == rule.name) == wanted


@given(rules=rule_sets(), cities=MINUTES, data=st.data())
@settings(max_examples=200, deadline=None)
def test_a_restart_at_any_minute_equals_no_restart(rules, cities, data):
    kept, restarted = RulesState(), RulesState()
    for minute in minutes(cities):
        wanted = evaluate(rules, kept, minute)
        if data.draw(st.booleans()):
            restarted = rules_from_bytes(rules_to_bytes(restarted))
        assert evaluate(rules, restarted, minute) == wanted
    assert rules_to_bytes(rules_from_bytes(rules_to_bytes(kept))) == rules_to_bytes(kept)


@given(rules=rule_sets(), cities=MINUTES)
@settings(max_examples=100, deadline=None)
def test_every_condition_that_is_over_began_and_none_begins_twice(rules, cities):
    state, active = RulesState(), set()
    for minute in minutes(cities):
        for c in evaluate(rules, state, minute):
            key = (c.rule, c.level, c.place, c.onset_ms)
            assert (key in active) is not c.active
            (active.add if c.active else active.remove)(key)
    assert len({key[:3] for key in active}) == len(active)


@given(rule=simple_rules(), before=MINUTES, after=MINUTES)
@settings(max_examples=200, deadline=None)
def test_a_state_that_was_shown_the_history_judges_as_one_that_has_always_run(rule, before, after):
    """Of what began within it: here nothing went on in all of it."""
    if rule.kind != "absence":
        replaced = {"bound": "above", "threshold": rule.threshold + 1, "deadband": 0.0}
        rule = msgspec.structs.replace(rule, hours=(), **replaced)
    rules, kept, fresh = RuleSet((rule,)), RulesState(), RulesState()
    nothing = {"turnover": 0.0, "readings": 1.0, "spaces": 4.0}
    calm = [dict.fromkeys(GRIDS, nothing)] * history_minutes(rules)
    start_ms = (START + len(before)) * MINUTE_MS
    for minute in minutes([*before, *calm, *after]):
        wanted = evaluate(rules, kept, minute)
        if minute.start_ms >= start_ms:
            found = evaluate(rules, fresh, minute)
            assert found == wanted or minute.start_ms < start_ms + len(calm) * MINUTE_MS


def test_a_state_of_another_release_is_outdated():
    other = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode({"version": 99}))
    with pytest.raises(OutdatedState, match="checkpoint version of rules: received 99, allowed: 1"):
        rules_from_bytes(other)
