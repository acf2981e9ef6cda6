"""What is asked of InfluxDB to try the boards: every query, every combination once; what counts as wrong."""

from collections import Counter

import pytest

from dashboards.queries import Asked, asked
from dashboards.sources import DISTRICT
from dashboards.trial import SPANS_S, Outcome, Trial, fault_of, paces, policy_text, ranges, trials
from schemas.errors import SettingsError
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer
from taishi.boards_trial import place_of_each_level

UNTIL_MS = 1_795_762_800_000
REGISTRY = PlaceRegistry(known_places("370202"), synthetic_layer())
PLACES = place_of_each_level(REGISTRY)
OVER = ranges(("1h", "7d"), UNTIL_MS)
POLICIES = {"1h": "10s", "7d": "1h"}


@pytest.fixture(scope="module")
def every(shipped):
    return list(trials(shipped, PLACES, OVER, POLICIES))


def test_every_query_of_every_board_is_asked(shipped, every):
    wanted = Counter((each.board, each.panel, each.ref) for board in shipped for each in asked(board))
    assert {(t.asked.board, t.asked.panel, t.asked.ref) for t in every} == set(wanted)
    assert len(wanted) > 250


def test_no_text_is_asked_twice_of_the_same_query_and_none_holds_a_variable_any_more(every):
    asked_once = Counter((t.asked, t.text) for t in every)
    assert max(asked_once.values()) == 1
    assert not [t.text for t in every if "${" in t.text or "$timeFilter" in t.text]


def test_a_query_that_follows_the_place_is_asked_of_a_place_of_every_level(shipped, every):
    found = [
        t for t in every if t.asked.board == "taishi-parking" and t.asked.panel == "now-parking-occupancy"
    ]
    places = {dict(trial.values)["place"] for trial in found}
    assert places == {"370202", "370202001", "370202001001", "370202001001001"}
    assert all(place in "".join(t.text for t in found) for place in places)
    assert {board.uid for board in shipped} == {t.asked.board for t in every}


def test_a_query_reads_the_policy_that_its_range_calls_for(every):
    by_span = {t.span: t.text for t in every if t.asked.panel == "occupancy" and t.asked.ref == "A"}
    assert 'FROM "10s"."parking"' in by_span["1h"]
    assert 'FROM "1h"."parking"' in by_span["7d"]


def test_what_does_not_look_at_the_time_is_asked_over_one_range_only(every):
    timeless = [t for t in every if not t.asked.by_time]
    assert timeless
    assert {t.span for t in timeless} == {"1h"}


def test_a_range_ends_when_it_is_told_to_and_has_a_usual_interval():
    assert (OVER["7d"].to_ms, OVER["7d"].to_ms - OVER["7d"].from_ms) == (UNTIL_MS, SPANS_S["7d"] * 1000)
    assert (OVER["1h"].interval, OVER["7d"].interval) == ("5s", "10m")
    assert f"{UNTIL_MS} - {UNTIL_MS - 3_600_000}" in policy_text(OVER["1h"])


def outcome(rows=1, seconds=0.1, refused="", empty="", board="taishi-x"):
    query = Asked(board, "panel", "A", DISTRICT, "SELECT 1", "table", empty)
    return Outcome(Trial(query, "1h", (("place", "370202"),), "SELECT 1"), rows, seconds, refused)


def test_no_rows_is_a_fault_unless_the_panel_says_why():
    assert fault_of(outcome()) is None
    assert fault_of(outcome(rows=0, empty="none at night")) is None
    told = fault_of(outcome(rows=0))
    assert told == (
        "taishi-x: panel A over 1h with place=370202: no rows, and the panel does not say why: SELECT 1"
    )


def test_what_influxdb_refuses_is_a_fault_whatever_the_panel_says():
    told = fault_of(outcome(rows=0, refused="error parsing query", empty="none at night"))
    assert told == "taishi-x: panel A over 1h with place=370202: refused: error parsing query"


def test_the_pace_of_a_board_is_that_of_its_queries_and_of_all_the_last():
    many = [outcome(seconds=n / 100) for n in range(1, 101)]
    first, other, every = paces([*many, outcome(seconds=9.0, board="taishi-y")])
    assert (first.board, first.queries, first.slowest_s) == ("taishi-x", 100, 1.0)
    assert first.p50_s == pytest.approx(0.505)
    assert first.p95_s == pytest.approx(0.9505)
    assert (other.p95_s, every.board, every.queries, every.slowest_s) == (9.0, "all", 101, 9.0)


def test_a_grid_that_is_none_is_refused_with_one_that_is():
    with pytest.raises(SettingsError, match=r"received '370202001', allowed: .*as 370202001001001"):
        place_of_each_level(REGISTRY, "370202001")
