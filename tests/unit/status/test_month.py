"""The scorecard of a month: its bounds in the district's calendar, its shares, its columns."""

import csv
from datetime import datetime

import pytest

from schemas.calendar import ZONE
from schemas.errors import SettingsError
from taishi.status.month import COLUMNS, month_csv, month_of, month_query
from taishi.status.outcomes import OutcomeScore


def test_a_month_is_from_its_first_midnight_to_the_next_ones():
    month = month_of("2026-12")
    first, after = datetime(2026, 12, 1, tzinfo=ZONE), datetime(2027, 1, 1, tzinfo=ZONE)
    assert month == ("2026-12", first.timestamp() * 1000, after.timestamp() * 1000)
    assert f"time >= {month.from_ms}ms AND time < {month.until_ms}ms" in month_query(month)


@pytest.mark.parametrize("text", ["2026", "2026-13", "November", ""])
def test_what_is_no_month_is_refused_with_what_is(text):
    with pytest.raises(SettingsError, match="allowed: a month such as 2026-11"):
        month_of(text)


def test_shares_are_of_what_came_and_silence_is_in_hours():
    rows = [
        {"source": "mqtt.tts", "vendor": "b", "messages": None, "bad": None, "readings": None, "late": None,
         "duplicate": None, "silent": 90, "clock_s": None},
        {"source": "http.native", "vendor": "a", "messages": 200.0, "bad": 3, "readings": 400, "late": 1,
         "duplicate": 8, "silent": 0, "clock_s": 90.24},
    ]  # fmt: skip
    said = [OutcomeScore("a", 4, real=1, nuisance=2, device_fault=0, false_alarms=2 / 3)]
    header, *lines = csv.reader(month_csv(month_of("2026-11"), rows, said, 60.0).splitlines())
    assert tuple(header) == COLUMNS
    assert lines == [
        [
            "2026-11",
            "http.native",
            "a",
            "200",
            "0.0150",
            "400",
            "0.0025",
            "0.0200",
            "0.0",
            "90.2",
            "4",
            "0.6667",
        ],
        ["2026-11", "mqtt.tts", "b", "0", "", "0", "", "", "1.5", "", "0", ""],
    ]
