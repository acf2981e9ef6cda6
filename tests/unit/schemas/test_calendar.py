"""The working calendar, against days the State Council published for 2026."""

from datetime import date

import pytest

from schemas.calendar import day_kind, holiday_name, is_working_day, local, published


@pytest.mark.parametrize(
    ("day", "kind"),
    [
        (date(2026, 10, 1), "holiday"),
        (date(2026, 9, 20), "make_up"),  # a Sunday
        (date(2026, 11, 14), "weekend"),
        (date(2026, 11, 16), "working"),
        (date(2031, 10, 1), "working"),  # not published: by weekday, though it will be a holiday
    ],
)
def test_a_day_is_a_holiday_then_a_make_up_day_then_what_its_weekday_says(day, kind):
    assert day_kind(day) == kind
    assert is_working_day(day) == (kind in ("working", "make_up"))


def test_a_year_that_is_not_published_says_so():
    assert published(date(2026, 12, 31))
    assert not published(date(2031, 1, 1))


def test_holidays_and_the_days_that_make_up_for_them_have_names():
    assert holiday_name(date(2026, 10, 1)) == "国庆节"
    assert holiday_name(date(2026, 9, 20)) == "国庆节"
    assert holiday_name(date(2026, 11, 16)) == ""


def test_times_are_the_districts_whatever_the_machines_zone():
    assert local(1_790_000_000_000).isoformat() == "2026-09-21T22:13:20+08:00"
