"""From when to when, as people say it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.calendar import ZONE
from schemas.errors import SettingsError
from taishi.analysis.period import period

NOW = datetime(2026, 11, 26, 10, 30, tzinfo=ZONE)


def told(since, until=None, now=NOW, **named):
    return period(since, until, now, **named).told()


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, "2026-11-25 00:00 … 2026-11-26 00:00"),
        ("yesterday", None, "2026-11-25 00:00 … 2026-11-26 10:30"),
        ("yesterday", "yesterday", "2026-11-25 00:00 … 2026-11-26 00:00"),
        ("today", None, "2026-11-26 00:00 … 2026-11-26 10:30"),
        ("today", "now", "2026-11-26 00:00 … 2026-11-26 10:30"),
        ("90m", None, "2026-11-26 09:00 … 2026-11-26 10:30"),
        ("2w", "12h", "2026-11-12 10:30 … 2026-11-25 22:30"),
        ("2026-11-20", "2026-11-21", "2026-11-20 00:00 … 2026-11-22 00:00"),
        ("2026-10", "2026-10", "2026-10-01 00:00 … 2026-11-01 00:00"),
        ("2025-12", "2026-01", "2025-12-01 00:00 … 2026-02-01 00:00"),
        ("2026-11-20T08:00", "2026-11-20T09:30", "2026-11-20 08:00 … 2026-11-20 09:30"),
        ("2026-11-20T08:00+00:00", "2026-11-20 17:00", "2026-11-20 16:00 … 2026-11-20 17:00"),
        (date(2026, 11, 20), date(2026, 11, 20), "2026-11-20 00:00 … 2026-11-21 00:00"),
        (
            datetime(2026, 11, 20, 8, tzinfo=UTC),
            datetime(2026, 11, 20, 17),  # noqa: DTZ001 - local
            "2026-11-20 16:00 … 2026-11-20 17:00",
        ),
        ("2026-11-26", "2027-11-26", "2026-11-26 00:00 … 2026-11-26 10:30"),
    ],
)
def test_what_people_say_is_understood(since, until, expected):
    assert told(since, until) == expected


def test_yesterday_is_the_districts_whatever_zone_the_clock_has():
    late = datetime(2026, 11, 25, 17, 0, tzinfo=UTC)  # 01:00 on the 26th in the district
    assert told(None, now=late) == "2026-11-25 00:00 … 2026-11-26 00:00"


def test_what_is_not_settled_is_left_out():
    assert told("today", settled=timedelta(minutes=1)) == "2026-11-26 00:00 … 2026-11-26 10:29"


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "7", "2026-13", "2026-02-30", "2026-11-20T25:00", "7y", "9" * 30 + "d"]
)
def test_anything_else_is_refused_with_what_is_allowed(text):
    with pytest.raises(SettingsError, match=r"from: received .*, allowed: a day \(2026-11-20\)"):
        period(text, None, NOW)


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        (None, "2026-11-20", "from: received nothing beside to '2026-11-20'"),
        ("2026-11-20", "2026-11-19", "to: received '2026-11-19', allowed: a time after 2026-11-20 00:00"),
        ("2026-11-27", None, "to: received 'now', allowed: a time after 2026-11-27 00:00"),
        ("2026-11-20", "next", "to: received 'next', allowed: a day"),
    ],
)
def test_a_period_that_is_none_is_refused(since, until, message):
    with pytest.raises(SettingsError, match=message):
        period(since, until, NOW)
