"""Workflow files and the settings of cases: what is right is read, what is wrong is named with its line."""

import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from operations.cases.config import load_config, shipped_config
from operations.cases.workflow_check import WorkflowRefused, _Checking, load_workflow
from operations.cases.workflows import load_workflows
from schemas.alerts import Alert
from schemas.errors import SettingsError
from schemas.lines import Lines

GOOD = """name = "small"
title = "小流程"
title_en = "small"
initial = "reported"
starts = ["filing"]
reporters = ["collector"]

[holders]
receiver = "receiver"

[clocks.filing]
label = "受理"
limit = "15 紧急工作分钟"
overdue = "remind"

[[moves]]
verb = "close"
label = "结案"
label_en = "close"
kind = "forward"
from = ["reported"]
to = "closed"
roles = ["receiver"]
needs = ["alerts_over"]
stops = ["filing"]

[[moves]]
verb = "remind"
label = "催办"
label_en = "remind"
kind = "side"
from = ["reported"]
roles = ["system"]
counts = ["reminders"]
"""


def problems(before: str, after: str) -> list[str]:
    assert before in GOOD
    with pytest.raises(WorkflowRefused) as refused:
        load_workflow(GOOD.replace(before, after, 1), "small.toml")
    return str(refused.value).splitlines()


def test_a_good_file_is_read():
    workflow = load_workflow(GOOD)
    assert list(workflow.moves) == ["close", "remind"]
    assert workflow.moves["close"].holders == {"receiver": "receiver"}
    assert str(workflow.clocks["filing"].limit) == "15 紧急工作分钟"


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('initial = "reported"', 'initial = "new"', "small.toml:4: initial: received 'new', allowed: repo"),
        ('starts = ["filing"]', 'starts = ["dispatch"]', ":5: starts: received 'dispatch', allowed: filin"),
        ('reporters = ["collector"]', 'reporters = ["cat"]', ":6: reporters: received 'cat', allowed: col"),
        ('receiver = "receiver"', 'boss = "receiver"', ":9: holders.boss: received 'boss', allowed: the r"),
        ('receiver = "receiver"', 'receiver = "wife"', ":9: holders.receiver: received 'wife', allowed: r"),
        ('"15 紧急工作分钟"', '"soon"', ":13: clocks.filing.limit: received 'soon', allowed: a number and a"),
        ('"15 紧急工作分钟"', '"2 天"', ":13: clocks.filing.limit: received '2 天', and what 天 means diffe"),
        ('limit = "15 紧急工作分钟"\n', "", ":11: clocks.filing.limit: received nothing, allowed: a limit s"),
        ('overdue = "remind"', 'overdue = "close"', ":14: clocks.filing.overdue: received 'close', allowe"),
        ('kind = "forward"', 'kind = "up"', ":20: moves[0].kind: received 'up', allowed: forward, return,"),
        ('from = ["reported"]', "from = []", ":21: moves[0].from: received [], allowed: a list of 1 or mo"),
        ('to = "closed"', 'to = "gone"', ":22: moves[0].to: received 'gone', allowed: reported, "),
        ('to = "closed"\n', "", ":16: moves[0].to: received nothing, allowed: a state; only a side act"),
        ('needs = ["alerts_over"]', "needs = []", ":24: moves[0].needs: received [], allowed: 'alerts_ove"),
        ('needs = ["alerts_over"]', 'needs = ["luck"]', "moves[0].needs: received 'luck', allowed: why, s"),
        ('kind = "forward"', 'kind = "return"', ":24: moves[0].needs: received ['alerts_over'], allowed: "),
        ('verb = "remind"', 'verb = "close"', ":28: moves[1].verb: received 'close', allowed: a verb that"),
        ('stops = ["filing"]', 'stop = ["filing"]', ":25: moves[0].stop: received ['filing'], allowed: th"),
        ('counts = ["reminders"]', "counts = 3", ":34: moves[1].counts: received 3, allowed: a list of 0 "),
        ('label = "催办"', 'label = ""', ":29: moves[1].label: received '', allowed: a text of up to 60"),
        ('to = "closed"', 'to = "returned"', ":16: moves[0].returned_to: received nothing, allowed: a rol"),
        ('name = "small"', 'name = "S M"', ":1: name: received 'S M', allowed: a name of up to 40"),
        ("[holders]", "[labels]\nfiled = 3\n[holders]", ":9: labels.filed: received 3, allowed: a text"),
        ("[holders]", "[labels]\nfile = 'x'\n[holders]", ":9: labels.file: received 'file', allowed: repo"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_line_field_and_what_is_allowed(before, after, words):
    assert any(words in line for line in problems(before, after)), problems(before, after)


def test_all_problems_are_told_at_once():
    broken = GOOD.replace('"reported"', '"new"').replace('kind = "side"', 'kind = "up"')
    with pytest.raises(WorkflowRefused) as refused:
        load_workflow(broken)
    assert {line for line, _ in refused.value.problems} >= {4, 21, 31, 32}


def test_what_is_no_toml_is_refused_with_its_line():
    with pytest.raises(SettingsError, match=r"x.toml: .*line 2"):
        load_workflow('name = "x"\nname\n', "x.toml")


JUNK = st.one_of(
    *(st.none(), st.booleans(), st.integers(), st.text(max_size=5)),
    *(st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)),
)
PLACES = [(), ("clocks", "filing"), ("moves", 0), ("moves", 1), ("holders",)]


@settings(max_examples=300)
@given(st.sampled_from(PLACES), st.data(), JUNK)
def test_whatever_a_field_holds_it_is_read_or_refused_and_never_a_crash(where, data, junk):
    document = tomllib.loads(GOOD)
    table = document
    for part in where:
        table = table[part]
    table[data.draw(st.sampled_from(sorted(table)))] = junk
    checking = _Checking(Lines.of(GOOD))
    workflow = checking.workflow(document)
    assert checking.problems or workflow.name
    assert all("received" in words for _, words in checking.problems)


def test_a_folder_adds_workflows_and_replaces_shipped_ones_by_name(tmp_path):
    (tmp_path / "own.toml").write_text(GOOD, "utf-8")
    (tmp_path / "calls.toml").write_text(GOOD.replace('"small"', '"grid-calls"', 1), "utf-8")
    found = load_workflows(tmp_path)
    assert set(found) == {"city-management", "grid-calls", "residents-order", "small", "street-calls"}
    assert found["grid-calls"].title == "小流程"
    with pytest.raises(SettingsError, match="workflows_folder: received"):
        load_workflows(tmp_path / "none")


def test_labels_are_a_citys_and_the_meaning_stays(tmp_path):
    file = tmp_path / "cases.toml"
    file.write_text('[labels]\npre_check = "核查"\npost_check = "核实"\n', "utf-8")
    config = load_config(file, None)
    shipped = shipped_config()
    assert (shipped.label("pre_check"), shipped.label("post_check")) == ("核实", "核查")
    assert (config.label("pre_check"), config.label("post_check")) == ("核查", "核实")
    assert (
        config.tooltip("pre_check")
        == shipped.tooltip("pre_check")
        == "立案前现场核查 field check before filing"
    )
    assert config.label("handling", "residents-order") == "党员办单"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("warn_share = 2", "warn_share: received 2"),
        ("working_hours = []", "working_hours: received none"),
        ("[labels]\nfiling = 'x'", "Invalid enum value 'filing'"),
        ("[units]\n'天' = 'day'", "meaning of '天': received 'day', allowed: urgent_minute"),
        ("[units]\n'工作日' = 'natural_day'", "'工作日': received 'natural_day', allowed: working_day"),
        (
            "[[categories]]\ncode='other'\nname='x'\nworkflow='y'",
            "categories.other.workflow: received 'y', allowed",
        ),
        ("[[categories]]\ncode='x'\nname='x'\nworkflow='grid-calls'", "allowed: each code once, and 'othe"),
        ("colour = 1", "unknown field `colour`"),
        ("[", "cases_file"),
    ],
)
def test_wrong_settings_are_refused_with_what_is_allowed(tmp_path, text, words):
    file = tmp_path / "cases.toml"
    file.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as refused:
        load_config(file, None)
    assert words in str(refused.value)
    assert str(file) in str(refused.value)


ALERT = Alert(
    id="a",
    rule="",
    severity="low",
    domain="care",
    level="grid",
    place="1",
    onset_ms=1,
    active=True,
    title="t",
)


def test_an_alert_is_of_the_category_that_names_most_of_its_rule():
    config = shipped_config()

    def category(rule: str, cause: str = "") -> str:
        return config.category_of(replace(ALERT, rule=rule, cause=cause)).code

    assert [category(r) for r in ("signal.smoke", "signal.sos", "parking-full", "unheard-of")] == [
        "fire", "person-in-need", "parking", "other",
    ]  # fmt: skip
    assert category("storm.x", cause="signal.smoke") == "fire"
