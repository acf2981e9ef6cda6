"""The equations of the product's own account."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from taishi.status.conservation import check_aggregate, check_connectors, check_log, conservation
from taishi.status.snapshot import ShardView, SourceView

BALANCED = SourceView(
    "mqtt.chirpstack", received=100, acknowledged=90, refused=4, in_flight=6,
    consumed=120, stored=100, duplicate=12, late=5, readings_quarantined={"future": 2, "implausible": 1},
)  # fmt: skip


def test_a_balanced_source_holds_at_the_connectors_and_at_the_aggregate():
    assert check_connectors(BALANCED, None).verdict == "holds"
    assert check_aggregate(BALANCED, None).verdict == "holds"


def test_a_message_that_vanished_on_an_idle_source_is_broken_and_counted():
    lost = replace(BALANCED, acknowledged=89)
    check = check_connectors(lost, lost)
    assert check.verdict == "broken"
    assert check.detail.endswith("off by 1")


def test_a_reading_that_vanished_on_an_idle_source_is_broken():
    lost = replace(BALANCED, stored=99)
    assert check_aggregate(lost, lost).verdict == "broken"


def test_a_difference_within_what_moved_between_two_looks_is_settling():
    moving = replace(BALANCED, received=108)
    assert check_connectors(moving, BALANCED).verdict == "settling"
    assert check_connectors(replace(BALANCED, received=109, acknowledged=70), BALANCED).verdict == "broken"


def test_one_look_alone_accuses_nobody():
    assert check_connectors(replace(BALANCED, received=500), None).verdict == "settling"


def test_a_restarted_process_counts_from_nothing():
    fresh = replace(BALANCED, received=3, acknowledged=1, refused=0, in_flight=0)
    assert check_connectors(fresh, BALANCED).verdict == "settling"


def test_more_out_than_in_is_as_wrong_as_less():
    twice = replace(BALANCED, stored=101)
    assert check_aggregate(twice, twice).verdict == "broken"


@given(st.lists(st.integers(0, 10**9), min_size=4, max_size=4))
def test_any_split_of_what_came_in_holds(parts):
    stored, duplicate, late, quarantined = parts
    source = SourceView(
        "s", consumed=sum(parts), stored=stored, duplicate=duplicate, late=late,
        readings_quarantined={"future": quarantined},
    )  # fmt: skip
    assert check_aggregate(source, source).verdict == "holds"


def test_a_shard_beyond_the_end_of_its_log_is_broken():
    assert check_log(ShardView("readings.care/0", end_offset=10, next_offset=11)).verdict == "broken"
    assert check_log(ShardView("readings.care/0", end_offset=10, next_offset=10)).verdict == "holds"
    assert check_log(ShardView("readings.care/0", end_offset=10)).verdict == "unknown"


def test_a_source_that_sent_nothing_yet_is_not_judged():
    assert conservation([SourceView("http.fhir")], [], {}) == ()
