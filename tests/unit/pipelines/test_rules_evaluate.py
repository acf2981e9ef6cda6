"""What each kind of rule says, minute by minute."""

from datetime import datetime

import numpy as np
import pytest

from pipelines.kernels.minute import Minute, PlaceTable
from pipelines.kernels.rules.evaluate import evaluate
from pipelines.kernels.rules.figures import known_figures
from pipelines.kernels.rules.load import load_rules
from pipelines.kernels.rules.model import MINUTE_MS, history_minutes
from pipelines.kernels.rules.state import RulesState
from schemas.calendar import ZONE

NOON = int(datetime(2026, 11, 11, 12, 0, tzinfo=ZONE).timestamp() * 1000)  # a Wednesday
GRID, OTHER, COMMUNITY = "370202001001001", "370202001001002", "370202001001"


def rule(name="rule", **fields):
    """One [[rules]] table; what is not given is a plain threshold on occupancy."""
    given = {"title": "规则", "title_en": "a rule", "severity": "medium"} | fields
    if "all_of" not in fields:
        given = {"domain": "parking", "level": "grid"} | given
    if not {"all_of", "figure", "absent_for_s"} & fields.keys():
        given["figure"] = "occupancy"
    return "[[rules]]\n" + "\n".join(f"{k} = {toml(v)}" for k, v in ({"name": name} | given).items())


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    return str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')


def rules(*texts):
    return load_rules("\n".join(texts))


def minute(at, places, *, domain="parking", complete=True, level=None):
    """`places`: code -> {figure: value}; figures that are not named are NaN."""
    names = known_figures(domain)
    levels = {6: "district", 9: "street", 12: "community", 15: "grid"}
    tables = {}
    for wanted in levels.values():
        codes = tuple(code for code in places if (level or levels[len(code)]) == wanted)
        values = np.array([[places[c].get(name, np.nan) for name in names] for c in codes], float)
        tables[wanted] = PlaceTable(codes, names, values.reshape(len(codes), len(names)))
    return Minute(domain, NOON + at * MINUTE_MS, tables, complete)


def said(found):
    """(minute, place, active) of each condition."""
    return [((c.at_ms - NOON) // MINUTE_MS, c.place, c.active) for c in found]


def run(rule_set, values, figure="occupancy", state=None, **also):
    """Judge a grid's figure, a value a minute: `-` is a missing minute, None is NaN."""
    state = state or RulesState()
    found = []
    for at, value in enumerate(values):
        if value != "-":
            held = {} if value is None else {figure: value}
            found += evaluate(rule_set, state, minute(at, {GRID: held | also}))
    return found


def changes(found):
    return [((c.at_ms - NOON) // MINUTE_MS, "on" if c.active else "off") for c in found]


TRUTH = [
    # fields, values of the minutes, what is said
    ({"above": 5}, [5, 6, 6, 5], [(1, "on"), (3, "off")]),
    ({"at_least": 5}, [5, 4], [(0, "on"), (1, "off")]),
    ({"below": 5}, [5, 4, 5], [(1, "on"), (2, "off")]),
    ({"at_most": 5}, [5, 6], [(0, "on"), (1, "off")]),
    # deadband: loosens the bound only while active
    ({"above": 5, "deadband": 2}, [6, 4, 3], [(0, "on"), (2, "off")]),
    ({"above": 5, "deadband": 2}, [4, 5, 4], []),
    ({"below": 5, "deadband": 2}, [4, 6, 7], [(0, "on"), (2, "off")]),
    ({"at_least": 5, "deadband": 1}, [5, 4, 3.9], [(0, "on"), (2, "off")]),
    ({"at_most": 5, "deadband": 1}, [5, 6, 6.1], [(0, "on"), (2, "off")]),
    # on-delay: held from the first minute to the one that is the delay later
    ({"above": 5, "on_delay_s": 120}, [6, 6, 6, 5], [(2, "on"), (3, "off")]),
    ({"above": 5, "on_delay_s": 120}, [6, 6, 5, 6, 6], []),
    ({"above": 5, "on_delay_s": 120, "deadband": 2}, [6, 4, 6, 6], []),
    # off-delay
    ({"above": 5, "off_delay_s": 120}, [6, 5, 5, 5], [(0, "on"), (3, "off")]),
    ({"above": 5, "off_delay_s": 120}, [6, 5, 5, 6, 5, 5], [(0, "on")]),
    ({"above": 5, "off_delay_s": 120, "deadband": 2}, [6, 3, 3, 4, 3, 3, 3], [(0, "on"), (6, "off")]),
    # what cannot be judged decides nothing: it neither raises nor clears, and delays go on
    ({"above": 5}, [6, None, None, 5], [(0, "on"), (3, "off")]),
    ({"above": 5, "on_delay_s": 120}, [6, None, None, None, 6], [(4, "on")]),
    ({"above": 5, "on_delay_s": 120}, [6, "-", "-", "-", 6], [(4, "on")]),
    ({"above": 5, "off_delay_s": 120}, [6, 5, None, None, 5], [(0, "on"), (4, "off")]),
    # rate of change: against the minute `over_s` earlier
    ({"rise_above": 3, "over_s": 120}, [0, 0, 3, 4, 4, 4], [(3, "on"), (4, "off")]),
    ({"fall_below": -3, "over_s": 60}, [9, 6, 2, 2], [(2, "on"), (3, "off")]),
    ({"rise_above": 3, "over_s": 120}, [0, "-", "-", 9, "-", 9], []),
    ({"rise_above": 3, "over_s": 120}, [0, None, 9], [(2, "on")]),
    ({"rise_above": 3, "over_s": 120}, [0, 0, None, 9, 9, 9], [(3, "on"), (5, "off")]),
]


@pytest.mark.parametrize(("fields", "values", "wanted"), TRUTH)
def test_a_threshold_or_rate_is_raised_and_cleared_at_these_minutes(fields, values, wanted):
    assert changes(run(rules(rule(**fields)), values)) == wanted


COUNTS = [
    ({"count_over_s": 180, "at_least": 3}, [1, 1, 1, 0, 0, 0], [(2, "on"), (3, "off")]),
    ({"count_over_s": 180, "at_least": 3}, [1, 1, 0, 1, 1], []),
    ({"count_over_s": 180, "at_least": 3}, [3, None, None, None], [(0, "on")]),
    ({"count_over_s": 180, "at_least": 3}, [2, "-", 1, "-", "-", 0], [(2, "on"), (5, "off")]),
    ({"count_over_s": 120, "at_least": 4, "deadband": 2}, [4, 0, 1, 0], [(0, "on"), (2, "off")]),
    ({"count_over_s": 60, "above": 0, "off_delay_s": 60}, [1, 0, 1, 0, 0], [(0, "on"), (4, "off")]),
]


@pytest.mark.parametrize(("fields", "values", "wanted"), COUNTS)
def test_a_count_is_of_the_sliding_time(fields, values, wanted):
    found = run(rules(rule(figure="turnover", **fields)), values, "turnover")
    assert changes(found) == wanted


ABSENCES = [
    ({"absent_for_s": 120}, [1, 0, 0, 1], [(2, "on"), (3, "off")]),
    ({"absent_for_s": 120}, [1, None, None, 1], [(2, "on"), (3, "off")]),
    ({"absent_for_s": 120}, [0, 0, 0, 0], []),
    ({"absent_for_s": 120}, [None, None, None], []),
    ({"absent_for_s": 120}, [1, 0, "-", "-", "-", 0, 1], [(5, "on"), (6, "off")]),
    ({"absent_for_s": 60, "on_delay_s": 60}, [1, 0, 0, 0], [(2, "on")]),
]


@pytest.mark.parametrize(("fields", "values", "wanted"), ABSENCES)
def test_an_absence_is_of_a_place_that_reported_before_and_of_minutes_that_we_saw(fields, values, wanted):
    assert changes(run(rules(rule(**fields)), values, "readings")) == wanted


def test_the_onset_is_the_minute_at_which_it_first_held_and_a_new_one_is_a_new_condition():
    found = run(rules(rule(above=5, on_delay_s=120)), [6, 6, 6, 5, 6, 6, 6])
    assert [(c.onset_ms - NOON) // MINUTE_MS for c in found] == [0, 0, 4]


def test_a_condition_says_what_was_observed_and_the_delays_in_force():
    first, over = run(rules(rule(above=5, on_delay_s=60, deadband=1)), [6, 6.5, 1])
    assert (first.observed, first.threshold, first.expected) == (6.5, 5.0, None)
    assert first.title == "规则 a rule"
    assert first.explanation == (
        "occupancy 为 6.5，高于 5；自 2026-11-11 12:00 起（触发延时 1 分钟，回差 1）。 "
        "occupancy is 6.5, above 5; since 2026-11-11 12:00 (on-delay 1 min, deadband 1)."
    )
    assert over.explanation.startswith("已恢复：occupancy 为 1")
    assert (over.rule, over.place, over.onset_ms, over.at_ms) == ("rule", GRID, NOON, NOON + 2 * MINUTE_MS)


def test_other_kinds_say_over_which_time():
    (rate,) = run(rules(rule(rise_above=3, over_s=120)), [1, 1, 5])
    assert rate.explanation.startswith("occupancy 在 2 分钟内变化 +4（此前 1），高于 3；")
    assert (rate.observed, rate.expected) == (4.0, 1.0)
    (count,) = run(rules(rule(figure="turnover", count_over_s=3600, at_least=2)), [2], "turnover")
    assert count.explanation.startswith("turnover 在 1 小时内合计 2，不少于 2；")
    (absence,) = run(rules(rule(absent_for_s=120)), [1, 0, 0], "readings")
    assert absence.explanation.startswith("readings 中断 2 分钟，不少于 2 分钟；")


def test_a_ratio_is_formed_by_per_and_needs_keep_small_numbers_from_being_judged():
    ratio = rules(rule(figure="unknown", per="spaces", above=0.5, needs={"spaces": 10}))
    assert changes(run(ratio, [6], "unknown", spaces=10)) == [(0, "on")]
    assert changes(run(ratio, [6], "unknown", spaces=9)) == []
    assert changes(run(ratio, [6], "unknown", spaces=0)) == []


def test_several_figures_are_added_up():
    total = rules(rule(figure=["occupied", "unknown"], per="spaces", at_least=0.5))
    assert changes(run(total, [3], "occupied", unknown=2, spaces=10)) == [(0, "on")]
    assert changes(run(total, [3], "occupied", unknown=1, spaces=10)) == []


def test_a_rule_is_for_its_places_and_levels_only():
    only = rules(rule(above=5, level=["grid", "community"], places=[OTHER, COMMUNITY + "009"]))
    held = {"occupancy": 9}
    found = evaluate(only, RulesState(), minute(0, {GRID: held, OTHER: held, COMMUNITY: held}))
    assert said(found) == [(0, OTHER, True)]


def test_of_an_incomplete_minute_only_the_grids_are_judged():
    both, state, held = rules(rule(above=5, level=["grid", "community"])), RulesState(), {"occupancy": 9}
    places = {GRID: held, COMMUNITY: held}
    assert said(evaluate(both, state, minute(0, places, complete=False))) == [(0, GRID, True)]
    assert said(evaluate(both, state, minute(1, places))) == [(1, COMMUNITY, True)]


def test_a_minute_that_came_before_says_nothing_again():
    once, state = rules(rule(above=5)), RulesState()
    high = minute(0, {GRID: {"occupancy": 9}})
    assert len(evaluate(once, state, high)) == 1
    assert evaluate(once, state, high) == []
    assert evaluate(once, state, minute(-1, {GRID: {"occupancy": 0}})) == []


def test_places_are_added_and_may_come_in_another_order_after_a_restart():
    one, state, high = rules(rule(above=5)), RulesState(), {"occupancy": 9}
    evaluate(one, state, minute(0, {GRID: high}))
    assert said(evaluate(one, state, minute(1, {OTHER: high, GRID: high}))) == [(1, OTHER, True)]
    assert said(evaluate(one, state, minute(2, {OTHER: {"occupancy": 0}}))) == [(2, OTHER, False)]


CALENDAR = [
    # when, hours, moment, whether in force
    ("always", [], "2026-11-11 03:00", True),
    ("working_hours", [], "2026-11-11 10:00", True),
    ("working_hours", [], "2026-11-11 12:30", False),
    ("non_working_hours", [], "2026-11-11 12:30", True),
    ("working_hours", [], "2026-10-01 10:00", False),  # National Day, a Thursday
    ("holidays", [], "2026-10-01 10:00", True),
    ("holidays", [], "2026-11-14 10:00", False),  # a Saturday
    ("non_working_days", [], "2026-11-14 10:00", True),
    ("working_days", [], "2026-09-20 10:00", True),  # a Sunday, made up for
    ("working_days", [], "2026-11-11 23:00", True),
    ("always", ["22:00-06:00"], "2026-11-11 23:00", True),
    ("always", ["22:00-06:00"], "2026-11-11 05:59", True),
    ("always", ["22:00-06:00"], "2026-11-11 06:00", False),
    ("non_working_days", ["22:00-24:00"], "2026-11-14 23:59", True),
    ("non_working_days", ["22:00-24:00"], "2026-11-13 23:59", False),
]


@pytest.mark.parametrize(("when", "hours", "moment", "wanted"), CALENDAR)
def test_a_rule_is_in_force_in_its_hours(when, hours, moment, wanted):
    fields = {"when": when} | ({"hours": hours} if hours else {})
    at_ms = int(datetime.fromisoformat(moment).replace(tzinfo=ZONE).timestamp() * 1000)
    high = minute((at_ms - NOON) // MINUTE_MS, {GRID: {"occupancy": 9}})
    assert bool(evaluate(rules(rule(above=5, **fields)), RulesState(), high)) is wanted


def test_out_of_its_hours_a_condition_is_over_at_once():
    found = run(rules(rule(above=5, off_delay_s=600, hours=["11:00-12:02"])), [6] * 4)
    assert changes(found) == [(0, "on"), (2, "off")]
    assert found[1].explanation == "不在规则时段内。 out of the rule's hours."


def test_a_rule_removed_or_changed_while_active_is_withdrawn():
    state, before = RulesState(), rules(rule("a", above=5), rule("b", above=5))
    run(before, [6], state=state)
    after = rules(rule("a", above=5, title="新标题"), rule("b", above=7))
    found = evaluate(after, state, minute(1, {GRID: {"occupancy": 8}}))
    assert [(c.rule, c.active, (c.onset_ms - NOON) // MINUTE_MS) for c in found] == [
        ("b", False, 0),
        ("b", True, 1),
    ]
    assert found[0].explanation == "规则已撤销。 rule withdrawn."
    assert len(evaluate(rules_of_none(), state, minute(2, {GRID: {"occupancy": 8}}))) == 2
    assert (state.tracks, state.rules) == ({}, {})


def rules_of_none():
    return load_rules("rules = []")


def test_history_is_what_the_longest_rule_looks_back_on():
    assert history_minutes(rules_of_none()) == 1
    assert history_minutes(rules(rule(above=5, on_delay_s=120, off_delay_s=60))) == 4
    assert history_minutes(rules(rule("a", absent_for_s=3600), rule("b", rise_above=1, over_s=600))) == 61
    texts = (rule("a", above=5, on_delay_s=600), rule("b", below=5))
    assert history_minutes(rules(*texts, rule("c", all_of=["a", "b"], within_s=300))) == 16
