"""When pages say that what they show is not the present."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from operations.pages.reading.situation import Situation
from operations.pages.views.freshness import (
    GRACE_S,
    LOOK_S,
    LOOK_WHEN_DUE_S,
    Pace,
    freshness,
    troubles,
)
from tests.unit.pages.situations import DISTRICT, NOW_MS, parking, rows

PACE = Pace(window_s=10, delay_s=5.0)


def situation(**ends_ms):
    """Domain -> where its newest window ends."""
    values = {"parking": parking(9.0, 1.0)}
    return Situation(
        now={
            domain: rows(domain, {DISTRICT.code: values.get(domain, {})}, start_ms=end_ms - 10_000)
            for domain, end_ms in ends_ms.items()
        }
    )


def states(now_ms, **ends_ms):
    return [each.state for each in freshness(situation(**ends_ms), PACE, now_ms)]


def told(now_ms, unavailable="", unwell=None, **ends_ms):
    fresh = freshness(situation(**ends_ms), PACE, now_ms)
    return [each.chinese for each in troubles(fresh, unavailable, unwell or {}, PACE, now_ms)]


def test_a_window_that_comes_in_time_is_no_trouble():
    assert states(NOW_MS, parking=NOW_MS - 16_000, care=NOW_MS - 6_000)[0] == "fresh"
    assert told(NOW_MS, parking=NOW_MS - 16_000) == []


@given(st.integers(0, 600_000))
def test_pages_say_within_ten_seconds_that_a_window_which_is_due_did_not_come(age_ms):
    due_ms = 10_000 + 5_000  # the window after the newest ends and has waited for the late
    found = told(NOW_MS, parking=NOW_MS - age_ms)
    if age_ms < due_ms:
        assert found == []
    if age_ms >= due_ms + 10_000:
        assert found == [f"数据停在 {stamp(NOW_MS - age_ms)}"]
    assert GRACE_S < 10


def stamp(at_ms):
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC) + timedelta(hours=8):%H:%M:%S}"


def test_a_domain_of_gauges_that_stops_alone_is_named():
    ends = {"parking": NOW_MS - 36_000, "care": NOW_MS - 6_000}
    assert states(NOW_MS, **ends) == ["late", "none", "fresh", "none"]
    assert told(NOW_MS, **ends) == [f"智慧停车停在 {stamp(NOW_MS - 36_000)}"]


def test_a_domain_of_events_may_be_quiet():
    ends = {"parking": NOW_MS - 6_000, "security": NOW_MS - 96_000}
    assert states(NOW_MS, **ends)[1] == "quiet"
    assert told(NOW_MS, **ends) == []


def test_nothing_that_is_known_is_fresh_when_nothing_flows():
    ends = {"parking": NOW_MS - 60_000, "security": NOW_MS - 70_000}
    assert states(NOW_MS, **ends) == ["late", "late", "none", "none"]


def test_the_store_and_parts_that_do_not_serve_are_told_even_while_windows_are_new():
    unwell = dict.fromkeys(("connect-mqtt", "kafka", "worker-aggregate", "worker-watch"), "稍后重启")
    found = told(NOW_MS, "timeout", unwell, parking=NOW_MS - 6_000)
    assert found == [
        "部件异常：connect-mqtt（稍后重启）、kafka（稍后重启）、worker-aggregate（稍后重启） 等 4 个",
        "时序库无应答，画面停在最后的数据",
    ]


def test_without_any_window_pages_say_that_there_is_none_yet():
    assert told(NOW_MS) == ["尚无数据"]


def test_simulated_and_incomplete_windows_are_marked():
    values = parking(9.0, 1.0) | {"complete": 0.0}
    now = {"parking": rows("parking", {DISTRICT.code: values}, start_ms=NOW_MS - 16_000, simulated=True)}
    first = freshness(Situation(now=now), PACE, NOW_MS)[0]
    assert (first.simulated, first.complete) == (True, False)


def test_a_domain_that_is_written_a_moment_later_is_awaited_and_one_that_is_quiet_is_not():
    newest_ms, due_ms = NOW_MS, PACE.due_ms(NOW_MS)
    assert PACE.look_in_s([newest_ms, newest_ms - 10_000], due_ms - 9_000) == LOOK_WHEN_DUE_S
    assert PACE.look_in_s([newest_ms, newest_ms - 90_000], due_ms - 9_000) == LOOK_S


@given(st.lists(st.integers(0, 10**7)), st.integers(0, 2 * 10**7))
def test_the_next_look_is_never_further_than_a_second_nor_at_once(ends_ms, now_ms):
    assert LOOK_WHEN_DUE_S <= PACE.look_in_s(ends_ms, now_ms) <= LOOK_S
