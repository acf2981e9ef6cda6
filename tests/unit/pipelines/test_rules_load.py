"""A rule file is taken whole, or refused with every problem's line, field, value and what is allowed."""

import tomllib

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from pipelines.io.rule_file import SHIPPED_RULES, read_rules
from pipelines.kernels.rules.fields import CHECKS
from pipelines.kernels.rules.load import RulesRefused, _Loading, load_rules
from schemas.errors import SettingsError
from schemas.lines import Lines
from schemas.measures import DERIVED, MEASURES

GOOD = """working_hours = ["08:30-12:00", "13:30-17:30"]

[[rules]]
name = "full"
title = "车位将满"
title_en = "parking nearly full"
severity = "low"
domain = "parking"
level = ["community", "street"]
figure = "occupancy"
at_least = 0.95
when = "working_hours"

[[rules]]
name = "busy"
title = "周转快"
title_en = "busy"
severity = "low"
domain = "parking"
level = "community"
figure = "turnover"
count_over_s = 600
above = 100

[[rules]]
name = "both"
title = "组合"
title_en = "both"
severity = "medium"
all_of = ["full", "busy"]
within_s = 600
"""


def problems(text):
    with pytest.raises(RulesRefused) as refused:
        load_rules(text, "rules.toml")
    assert len(str(refused.value).splitlines()) == len(refused.value.problems)
    return str(refused.value).splitlines()


def test_a_good_file_is_what_it_says():
    full, busy, both = load_rules(GOOD).rules
    assert (full.kind, full.bound, full.threshold, full.levels) == (
        *("threshold", "at_least", 0.95),
        ("community", "street"),
    )
    assert full.working_hours == ((510, 720), (810, 1050))
    assert (busy.kind, busy.over_s, busy.working_hours) == ("count", 600, ())
    assert (both.domain, both.levels, both.over_s) == ("parking", ("community",), 600)


FROM_0, FROM_1 = (f"whole minutes in seconds (a multiple of 60), {least} to 86400" for least in (0, 60))
LIMIT = "at_least = 0.95"
PARKING = "spaces, occupied, unknown, turnover, readings, readings_simulated, devices, occupancy"
BAD = [
    # what is written instead of what, line, rule, field, received, allowed
    ('name = "full"', "name = 7", 4, "7", "name", "7",
     "a name of up to 60 of a-z, 0-9 and -, a letter first"),
    ('name = "full"', 'name = "Full"', 4, "Full", "name", "'Full'", "a name of up to 60 of a-z"),
    ('name = "busy"', 'name = "full"', 15, "full", "name", "'full'", "a name that no other rule has"),
    ('title = "车位将满"', 'title = " "', 5, "full", "title", "' '", "a text of up to 200 characters"),
    ('title_en = "busy"', "title_en = 1", 17, "busy", "title_en", "1", "a text of up to 200 characters"),
    ('"medium"', '"urgent"', 29, "both", "severity", "'urgent'", "low, medium, high, life_safety"),
    ('domain = "parking"\nlevel = "com', 'domain = "traffic"\nlevel = "com', 19, "busy", "domain",
     "'traffic'", "parking, security, care, governance"),
    ('["community", "street"]', '"city"', 9, "full", "level", "'city'",
     "grid, community, street, district, or"),
    ('["community", "street"]', '["grid", "grid"]', 9, "full", "level", "['grid', 'grid']", "each once"),
    ('figure = "occupancy"', 'figure = "ocupancy"', 10, "full", "figure", "'ocupancy'", PARKING),
    ('figure = "occupancy"', 'figure = ["spaces", "occupancy"]', 10, "full", "figure", "'occupancy'",
     "spaces, occupied, unknown, turnover, readings, readings_simulated, devices (of the kind sum)"),
    ('figure = "turnover"', 'figure = "occupied"', 21, "busy", "figure", "'occupied'",
     "turnover, readings, readings_simulated (of the kind count)"),
    (LIMIT, "at_least = nan", 11, "full", "at_least", "nan", "a finite number"),
    (LIMIT, "at_least = inf", 11, "full", "at_least", "inf", "a finite number"),
    (LIMIT, 'at_least = "95%"', 11, "full", "at_least", "'95%'", "a finite number"),
    (LIMIT, "at_least = true", 11, "full", "at_least", "True", "a finite number"),
    (LIMIT, LIMIT + "\nbelow = 0.1", 11, "full", "at_least", "0.95",
     "exactly one of above, below, at_least, at_most"),
    ("at_least = 0.95\n", "", 3, "full", "above", "nothing",
     "exactly one of above, below, at_least, at_most"),
    (LIMIT, LIMIT + "\ndeadband = -1", 12, "full", "deadband", "-1", "a finite number from 0"),
    (LIMIT, LIMIT + "\non_delay_s = 90", 12, "full", "on_delay_s", "90", FROM_0),
    (LIMIT, LIMIT + "\non_delay_s = -60", 12, "full", "on_delay_s", "-60", FROM_0),
    (LIMIT, LIMIT + "\noff_delay_s = 1.5", 12, "full", "off_delay_s", "1.5", FROM_0),
    ("count_over_s = 600", "count_over_s = 0", 22, "busy", "count_over_s", "0", FROM_1),
    ("count_over_s = 600", "count_over_s = 90000", 22, "busy", "count_over_s", "90000", FROM_1),
    (LIMIT, "fall_below = 0.2\nover_s = 600", 11, "full", "fall_below", "0.2", "a finite number up to 0"),
    (LIMIT, "rise_above = 0.2", 3, "full", "over_s", "nothing", FROM_1),
    (LIMIT, "absent_for_s = 600", 10, "full", "figure", "'occupancy'",
     "turnover, readings, readings_simulated, devices (of the kind absence)"),
    (LIMIT, LIMIT + "\nper = 'lots'", 12, "full", "per", "'lots'", PARKING),
    (LIMIT, LIMIT + "\nneeds = { lots = 3 }", 12, "full", "needs", "'lots'", PARKING),
    (LIMIT, LIMIT + "\nneeds = { spaces = 'x' }", 12, "full", "needs", "{'spaces': 'x'}", "a finite number"),
    ("above = 100", "above = 100\nper = 'spaces'", 24, "busy", "per", "'spaces'",
     "none: a rule of the kind count"),
    (LIMIT, LIMIT + "\nplaces = [370202]", 12, "full", "places", "[370202]", "a list of codes"),
    ('"working_hours"\n', '"office"\n', 12, "full", "when", "'office'",
     "always, working_hours, non_working_hours"),
    (LIMIT, LIMIT + "\nhours = ['8-12']", 12, "full", "hours",
     "['8-12']", 'a list of spans of the day: ["22:00-06:00"]'),
    (LIMIT, LIMIT + "\nhours = ['08:00-24:30']", 12, "full", "hours", "['08:00-24:30']",
     "at 24:00 at the latest"),
    (LIMIT, LIMIT + "\nquiet = 1", 12, "full", "quiet", "1", "true, false"),
    (LIMIT, LIMIT + "\nanabled = true", 12, "full", "anabled", "True", "name, title,"),
    ('["full", "busy"]', '["full"]', 30, "both", "all_of", "['full']", "the names of two or more rules"),
    ('["full", "busy"]', '["full", "full"]', 30, "both", "all_of", "['full', 'full']", "each once"),
    ('["full", "busy"]', '["full", "bsuy"]', 30, "both", "all_of", "'bsuy'",
     "names of enabled rules that are no combination: full, busy"),
    ('["full", "busy"]', '["full", "both"]', 30, "both", "all_of", "'both'",
     "that are no combination: full, busy"),
    ("above = 100", "above = 100\nenabled = false", 31, "both", "all_of", "'busy'",
     "enabled rules that are no"),
    ("within_s = 600\n", "", 25, "both", "within_s", "nothing", FROM_0),
    ("within_s = 600", "within_s = 600\nlevel = 'grid'", 32, "both", "level", "('grid',)",
     "none: a rule of the kind combination may have"),
    ('level = "community"', 'level = "grid"', 25, "both", "at_level", "nothing",
     "a level at or above the members'"),
    ("within_s = 600", "within_s = 600\nat_level = 'grid'", 32, "both", "at_level", "'grid'",
     "a level at or above"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("instead", "written", "line", "rule", "field", "received", "allowed"), BAD, ids=[row[1] for row in BAD]
)
def test_a_wrong_field_is_refused_in_words(instead, written, line, rule, field, received, allowed):  # noqa: PLR0917
    assert GOOD.count(instead) == 1
    (problem, *_) = [p for p in problems(GOOD.replace(instead, written)) if f"{field}:" in p]
    assert problem.startswith(f"rules.toml:{line}: rule '{rule}', {field}: received {received}, allowed: ")
    assert allowed in problem


def test_all_problems_are_said_at_once_in_the_order_of_the_file():
    bad = GOOD.replace('"medium"', '"urgent"').replace("at_least = 0.95", 'at_least = "x"\ntpyo = 1')
    found = problems("limit = 3\n" + bad)
    assert [line.split(": ")[0] for line in found] == [f"rules.toml:{n}" for n in (1, 12, 13, 31)]
    assert found[0] == "rules.toml:1: limit: received 3, allowed: rules, working_hours"


def test_combinations_cannot_refer_to_each_other():
    other = (
        GOOD[GOOD.index('\n[[rules]]\nname = "both"') :].replace('"both"', '"again"').replace("busy", "both")
    )
    assert "allowed: names of enabled rules that are no combination" in problems(GOOD + other)[0]


def test_what_stands_in_long_texts_and_comments_moves_no_line():
    moved = GOOD.replace('title = "车位将满"', 'title = """\nseverity = 1 \\\n[[rules]]"""  # [[rules]]')
    (problem,) = problems(moved.replace('"medium"', '"urgent"'))
    assert problem.startswith("rules.toml:31: rule 'both', severity:")


@pytest.mark.parametrize("text", ["", "rules = 3", "rules = [1]"])
def test_a_file_without_rules_is_refused_unless_it_says_so(text):
    assert "rules.toml:1: rules: received" in problems(text)[0]
    assert load_rules("rules = []").rules == ()


def test_what_is_no_toml_is_refused_with_its_line():
    with pytest.raises(SettingsError, match=r"rules\.toml: .*at line 2, column"):
        load_rules('working_hours = ["08:00-12:00"]\nrules = [=]', "rules.toml")


def test_a_disabled_rule_is_checked_but_not_in_force():
    off = load_rules(
        GOOD[: GOOD.index('\n[[rules]]\nname = "both"')].replace(
            "above = 100", "above = 100\nenabled = false"
        )
    )
    assert ([rule.name for rule in off.rules], off.disabled) == (["full"], ("busy",))


def test_the_shipped_rules_are_right_and_look_at_every_domain():
    shipped = read_rules(SHIPPED_RULES)
    assert {rule.domain for rule in shipped.rules} == set(MEASURES)
    assert {rule.kind for rule in shipped.rules} == {"threshold", "rate", "count", "absence", "combination"}
    for rule in shipped.rules:
        known = {measure.name for measure in MEASURES[rule.domain]} | set(DERIVED[rule.domain])
        assert {*rule.figures, *(name for name, _ in rule.needs)} <= known
        assert rule.severity != "life_safety"  # a rule on minutes is too late for that: signals are not


VALUES = st.recursive(
    st.none().map(lambda _: "") | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from(("grid", "parking", "low", "full", "occupancy", "always", "08:00-12:00")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
TABLES = st.lists(st.dictionaries(st.sampled_from((*CHECKS, "typo")), VALUES, max_size=14), max_size=4)


@given(tables=TABLES, changes=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(tuple(CHECKS)), VALUES)))
@settings(max_examples=300, deadline=None)
def test_whatever_a_file_holds_it_is_taken_or_refused_in_words(tables, changes):
    good = tomllib.loads(GOOD)["rules"]
    for rule, name, value in changes:
        good[rule][name] = value
    try:
        _Loading("rules.toml", Lines()).rule_set({"rules": good + tables})
    except RulesRefused as refused:
        assert all("received" in str(problem) for problem in refused.problems)  # noqa: PT017
