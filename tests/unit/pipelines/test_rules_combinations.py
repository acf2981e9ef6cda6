"""Combinations: members active in one place within a time, of one domain or of several."""

import importlib.util
from itertools import permutations
from pathlib import Path

from pipelines.kernels.rules.combine import PATIENCE_MS
from pipelines.kernels.rules.evaluate import evaluate
from pipelines.kernels.rules.state import RulesState

_spec = importlib.util.spec_from_file_location(
    "rules_said", Path(__file__).with_name("test_rules_evaluate.py")
)
told = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(told)
rule, rules, minute, said = told.rule, told.rules, told.minute, told.said
GRID, OTHER, COMMUNITY = told.GRID, told.OTHER, told.COMMUNITY

FULL = rule("full", figure="occupancy", above=5, quiet=True, level=["grid", "community"])
BUSY = rule("busy", figure="turnover", above=5, quiet=True)
ALARM = rule("alarm", domain="security", figure="fire_smoke", at_least=1, quiet=True)
HIGH, CALM = {"occupancy": 9, "turnover": 0}, {"occupancy": 0, "turnover": 0}
BUSY_NOW = {"occupancy": 0, "turnover": 9}


def both(**fields):
    return rule("both", **({"all_of": ["full", "busy"], "within_s": 120, "severity": "high"} | fields))


def judged(rule_set, cities):
    state = RulesState()
    return [c for at, city in enumerate(cities) for c in evaluate(rule_set, state, minute(at, city))]


def test_a_and_b_within_a_time_in_one_place():
    found = judged(rules(FULL, BUSY, both()), [{GRID: v} for v in (HIGH, CALM, BUSY_NOW, CALM, CALM)])
    assert said(found) == [(2, GRID, True), (3, GRID, False)]
    assert found[0].explanation.startswith("“规则”、“规则”在 2 分钟内先后成立；自 2026-11-11 12:02 起。")
    assert (found[0].observed, found[0].threshold) == (None, None)


def test_too_far_apart_or_in_another_place_is_none():
    apart = [{GRID: v} for v in (HIGH, CALM, CALM, BUSY_NOW)]
    assert judged(rules(FULL, BUSY, both()), apart) == []
    assert judged(rules(FULL, BUSY, both()), [{GRID: HIGH, OTHER: BUSY_NOW}]) == []


def test_within_nothing_means_at_the_same_minute():
    at_once = rules(FULL, BUSY, both(within_s=0))
    assert judged(at_once, [{GRID: v} for v in (HIGH, BUSY_NOW)]) == []
    assert said(judged(at_once, [{GRID: {"occupancy": 9, "turnover": 9}}])) == [(0, GRID, True)]


def test_at_a_level_above_two_grids_of_one_community_count():
    gathers = rules(FULL, BUSY, both(at_level="community"))
    city = {GRID: HIGH, OTHER: BUSY_NOW, COMMUNITY: CALM}
    assert said(judged(gathers, [city])) == [(0, COMMUNITY, True)]
    elsewhere = {GRID: HIGH, "370202001009001": BUSY_NOW, COMMUNITY: CALM}
    assert judged(gathers, [elsewhere]) == []


def test_its_delays_and_places_are_its_own():
    slow = rules(FULL, BUSY, both(on_delay_s=60, within_s=0))
    both_at_once = {"occupancy": 9, "turnover": 9}
    assert said(judged(slow, [{GRID: both_at_once}] * 3)) == [(1, GRID, True)]
    elsewhere = rules(FULL, BUSY, both(places=["999"]))
    assert judged(elsewhere, [{GRID: both_at_once}]) == []


def test_members_that_are_not_quiet_are_raised_too():
    loud = rules(FULL.replace("quiet = true", "quiet = false"), BUSY, both())
    assert [c.rule for c in judged(loud, [{GRID: {"occupancy": 9, "turnover": 9}}])] == ["full", "both"]


def test_domains_may_come_in_any_order():
    """The minutes of two domains, each in order, in every interleaving: the same is said."""
    across = rules(FULL, ALARM, both(all_of=["full", "alarm"], within_s=60))
    parking = [minute(at, {GRID: v}) for at, v in enumerate((CALM, HIGH, CALM, CALM))]
    fire = [
        minute(at, {GRID: {"fire_smoke": n}}, domain="security") for at, n in enumerate((1, 0, 1, 0))
    ]  # within a minute of `full` at 0 and at 2
    outcomes = []
    for order in set(permutations("pppp" + "ffff")):
        state, queues = RulesState(), {"p": list(parking), "f": list(fire)}
        outcomes.append([c for who in order for c in evaluate(across, state, queues[who].pop(0))])
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert said(outcomes[0]) == [(1, GRID, True), (3, GRID, False)]
    assert len(outcomes) == 70


def test_a_domain_that_trails_too_far_is_no_longer_waited_for():
    across = rules(FULL, ALARM, both(all_of=["full", "alarm"], within_s=60))
    state, patience = RulesState(), PATIENCE_MS // 60_000
    evaluate(across, state, minute(0, {GRID: {"fire_smoke": 1}}, domain="security"))
    for at in range(patience + 3):
        assert evaluate(across, state, minute(at, {GRID: CALM})) == []
    (waiting,) = state.waiting.values()
    assert len(waiting) == patience
    late = minute(1, {GRID: {"fire_smoke": 1}}, domain="security")
    assert evaluate(across, state, late) == []  # its minute has been judged without it
    assert len(waiting) == patience
    (track,) = (track for (_, level), track in state.tracks.items() if track.memory.shape[1] == 2)
    assert track.minute == told.NOON // told.MINUTE_MS + 2


def test_a_combination_is_withdrawn_when_a_member_changes():
    state, city = RulesState(), {GRID: {"occupancy": 9, "turnover": 9}}
    assert said(evaluate(rules(FULL, BUSY, both()), state, minute(0, city))) == [(0, GRID, True)]
    other = rules(FULL.replace("above = 5", "above = 6"), BUSY, both())
    found = evaluate(other, state, minute(1, city))
    assert said(found) == [(1, GRID, False), (1, GRID, True)]
    assert found[0].explanation == "规则已撤销。 rule withdrawn."
