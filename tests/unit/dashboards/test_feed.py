"""What boards need in InfluxDB beside windows: places, policies, special days."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from dashboards.feed import calendar_points, feed, place_points, policy_points
from dashboards.variables import HORIZON_MS
from schemas.calendar import ZONE
from schemas.places.model import Place

DAY_MS = 86_400_000


def test_a_place_is_offered_by_code_and_name_and_knows_its_parent() -> None:
    street = Place("370202001", "香港中路街道", "street")
    (line,) = place_points([street])
    assert line == (
        "places,level=street,place=370202001,name=香港中路街道,option=370202001\\ 香港中路街道,"
        "compare=street\\ 街道,parent=370202 "
        f"order=0i {HORIZON_MS}"
    )


def test_the_district_has_no_parent_and_comes_first() -> None:
    places = [Place("370202001", "a", "street"), Place("370202", "b", "district")]
    first, second = place_points(places)
    assert ",place=370202," in first
    assert "parent=none order=0i" in first
    assert "order=1i" in second


def test_a_policy_lies_at_the_time_it_is_kept_and_the_longest_serves_all_that_is_older() -> None:
    tens, minutes, hours = policy_points((60, 10, 3600), {"10s": 2})
    assert tens.startswith("policies,of=10s ")
    assert tens.endswith(str(HORIZON_MS + 2 * DAY_MS))
    assert minutes.endswith(str(HORIZON_MS + 90 * DAY_MS))
    assert int(hours.rsplit(" ", 1)[1]) - HORIZON_MS > 50 * 365 * DAY_MS


def test_holidays_and_make_up_days_last_from_midnight_to_midnight_and_other_days_are_not_told() -> None:
    days = [date(2026, 9, 18) + timedelta(n) for n in range(23)]
    lines = calendar_points(days)
    assert len(lines) == 12  # 2 make-up days, 3 + 7 holidays
    assert sum("kind=make_up" in line for line in lines) == 2
    first = lines[0]
    start_ms = int(first.rsplit(" ", 1)[1])
    assert datetime.fromtimestamp(start_ms / 1000, ZONE).time().isoformat() == "00:00:00"
    assert f"until_ms={start_ms + DAY_MS - 1}i" in first


def test_a_feed_names_the_policy_of_each_line() -> None:
    told = feed([Place("370202", "市南区", "district")], (10, 60, 3600), [date(2026, 10, 1)])
    assert {policy: len(lines) for policy, lines in told.items()} == {"1m": 4, "events": 1}
