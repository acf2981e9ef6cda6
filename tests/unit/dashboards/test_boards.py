"""The boards as a whole: what they ask, of whom, and what must hold of every query."""

from __future__ import annotations

import re

import pytest

from dashboards import windows
from dashboards.figures import figure
from dashboards.interpolate import Range, interpolate, variables_in
from dashboards.layout import placed
from dashboards.links import UIDS
from dashboards.model import Board, Note, Panel, Section, Stack, Stat
from dashboards.queries import asked, combinations
from dashboards.sources import CARE, DISTRICT
from dashboards.words import Words
from schemas.errors import SettingsError
from schemas.places.model import Level
from schemas.quarantine import Reason
from taishi.reference import pages

PLACES: dict[Level, str] = {
    "district": "370202",
    "street": "370202001",
    "community": "370202001001",
    "grid": "370202001001001",
}
RANGE = Range(1_790_000_000_000, 1_790_020_000_000)


def test_there_is_a_board_for_every_uid_and_no_uid_ever_changes(shipped: tuple[Board, ...]) -> None:
    assert {board.uid for board in shipped} == set(UIDS.values())
    assert UIDS["overview"] == "taishi-overview"  # in links that people have saved


def test_every_query_can_be_sent_for_every_combination_of_variables(shipped: tuple[Board, ...]) -> None:
    for board in shipped:
        for values in combinations(board, PLACES):
            for each in asked(board):
                sent = interpolate(each.text, RANGE, values | {"policy": "1m"})
                assert "${" not in sent
                assert "$timeFilter" not in sent


def test_combinations_name_every_level_with_all_levels_below_it(shipped: tuple[Board, ...]) -> None:
    parking = next(board for board in shipped if board.uid == UIDS["parking"])
    found = [(values["here"], values["level"]) for values in combinations(parking, PLACES)]
    assert found == [
        *(("district", "street"), ("district", "community"), ("district", "grid")),
        *(("street", "community"), ("street", "grid"), ("community", "grid"), ("grid", "")),
    ]


def test_every_choice_of_the_maps_metric_is_among_the_combinations(shipped: tuple[Board, ...]) -> None:
    overview = next(board for board in shipped if board.uid == UIDS["overview"])
    options = next(v.options for v in overview.variables if v.name == "metric")
    assert {values["metric"] for values in combinations(overview, PLACES)} == {value for _, value in options}


def test_care_is_read_from_its_own_source_and_nothing_else_is(shipped: tuple[Board, ...]) -> None:
    for each in (each for board in shipped for each in asked(board)):
        if each.source.language == "influxql":
            assert (each.source == CARE) == ('"care"' in each.text), each


def test_every_count_of_care_is_masked_in_the_query(shipped: tuple[Board, ...]) -> None:
    shown = [each for board in shipped for each in asked(board) if each.source == CARE]
    unmasked = [each for each in shown if '"residents_seen" >= 5' not in each.text]
    assert len(shown) > 30
    assert {each.panel for each in unmasked} == {"wholeness", "last-seen-care"}  # of no people


def test_what_is_masked_is_the_sum_and_not_its_minutes() -> None:
    text = windows.sums(figure("care", "sos"), "1h").text
    inner, outer = re.fullmatch(r'SELECT "sos" AS "sos" FROM \((.*)\) WHERE (.*)', text).groups()  # type: ignore[union-attr]
    assert inner.startswith(
        'SELECT sum("sos") AS "sos", max("residents_seen") AS "residents_seen" FROM "1m"."care"'
    )
    assert "0" not in inner.split("WHERE")[0]
    assert outer == '("residents_seen" = 0 OR "residents_seen" >= 5) AND ("sos" = 0 OR "sos" >= 5)'


def test_a_mean_of_care_is_masked_by_how_many_people_it_is_of() -> None:
    text = windows.trend(figure("care", "temperature_mean")).text
    assert '("residents_seen" = 0 OR "residents_seen" >= 5)' in text
    assert '"temperature_mean" >= 5' not in text


def test_a_share_is_masked_by_how_many_people_it_is_of_and_not_as_if_it_were_a_count():
    text = windows.judged((figure("care", "vitals_out_of_range"),), figure("care", "vitals"), 0).text
    assert text.endswith('WHERE ("residents_seen" = 0 OR "residents_seen" >= 5)')


def test_a_window_is_judged_only_when_it_must_have_come():
    query = windows.completeness("parking", Words("停车", "parking"))
    assert "<= ${__to}ms - ${policy} - ${policy} - 90s" in query.text
    assert query.text.endswith("GROUP BY time(${policy}) fill(0)")


def test_what_flows_is_summed_over_the_hour_and_a_state_is_the_newest() -> None:
    assert 'sum("turnover")' in windows.now(figure("parking", "turnover")).text
    assert 'last("occupied")' in windows.now(figure("parking", "occupied")).text
    assert '"1h"."parking"' in windows.now(figure("parking", "devices")).text


def test_the_usual_is_of_the_same_hour_of_four_earlier_weeks() -> None:
    text = windows.usual(figure("parking", "occupied")).text
    assert re.findall(r"\}ms - (\d+)d - 1h", text) == ["7", "14", "21", "28"]
    assert text.count('"1h"."parking"') == 4


def test_trends_are_read_from_the_policy_that_the_range_calls_for() -> None:
    assert variables_in(windows.trend(figure("parking", "occupied")).text) == {"policy", "here", "place"}


def test_every_metric_that_boards_ask_prometheus_for_is_served_by_a_part(shipped: tuple[Board, ...]) -> None:
    served = set(re.findall(r"`(taishi_\w+)`", pages()["metrics.md"]))
    for each in (each for board in shipped for each in asked(board) if each.source.language == "promql"):
        for metric in re.findall(r"taishi_\w+", each.text):
            assert metric.removesuffix("_bucket") in served, each
        assert each.text.count("(") == each.text.count(")"), each


def test_labels_of_prometheus_are_those_of_the_metric(shipped: tuple[Board, ...]) -> None:
    rows = re.findall(r"^\| `(taishi_\w+)` \| \w+ \| ([\w, ]*) \|", pages()["metrics.md"], re.MULTILINE)
    labels = {name: set(found.split(", ")) | {"le"} for name, found in rows}
    for each in (each for board in shipped for each in asked(board) if each.source.language == "promql"):
        metrics = {name.removesuffix("_bucket") for name in re.findall(r"taishi_\w+", each.text)}
        for by in re.findall(r"by \(([\w, ]+)\)", each.text):
            for metric in metrics:
                assert set(by.split(", ")) <= labels[metric], each


def test_every_reason_of_quarantine_is_on_the_board_of_sources(shipped: tuple[Board, ...]) -> None:
    board = next(board for board in shipped if board.uid == UIDS["sources"])
    text = " ".join(each.text for each in asked(board) if each.panel == "reasons")
    assert set(re.findall(r'sum\("bad_(\w+)"\)', text)) == {reason.value for reason in Reason}


def test_the_usual_never_stands_alone_without_its_name(shipped: tuple[Board, ...]) -> None:
    found = [
        p
        for board in shipped
        for p in board.panels
        if "usual at this hour" in str([q.alias for q in p.queries])
    ]
    assert len(found) > 30
    for each in found:
        assert isinstance(each.show, Stat)
        assert each.show.named, each.name


def test_what_may_be_empty_says_why_in_both_languages(shipped: tuple[Board, ...]) -> None:
    for each in (each for board in shipped for each in asked(board) if each.empty):
        assert re.search("[\u4e00-\u9fff].* [a-z]", each.empty), each
    assert all(each.source in (DISTRICT, CARE) or each.source.language for b in shipped for each in asked(b))


def panel(name: str, width: int, height: int = 4) -> Panel:
    words = Words("题", "title")
    return Panel(name, words, words, Note("x"), "none", width=width, height=height)


def test_panels_flow_from_left_to_right_and_a_stack_stands_beside_a_tall_one() -> None:
    tall, stack = panel("tall", 12, 9), Stack(12, (panel("a", 6), panel("b", 6), panel("c", 12, 5)))
    found = list(
        placed([Section(Words("一", "one"), (tall, stack)), Section(Words("二", "two"), (panel("d", 24),))])
    )
    assert [(each.x, each.y, each.width, each.height) for each in found] == [
        *((0, 0, 24, 1), (0, 1, 12, 9), (12, 1, 6, 4), (18, 1, 6, 4), (12, 5, 12, 5)),
        *((0, 10, 24, 1), (0, 11, 24, 4)),
    ]


def test_a_panel_that_fits_nowhere_is_named() -> None:
    with pytest.raises(SettingsError, match="wide: received a width of 25, allowed: 1 to 24"):
        list(placed([Section(Words("一", "one"), (panel("wide", 25),))]))
