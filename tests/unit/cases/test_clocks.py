"""Limits against a table: worked by hand, and counted minute by minute (clock_oracle.py)."""

import importlib.util
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.cases.clocks import MINUTE_MS, Calendar, Moment, WorkingTime
from operations.cases.limits import UNITS, Limit, parse_limit
from operations.cases.runs import Pause, Run, accumulated_ms, due, is_overdue, used_ms
from operations.oncall.hours import parse_spans
from schemas import calendar
from schemas.calendar import ZONE
from schemas.errors import SettingsError

_spec = importlib.util.spec_from_file_location("clock_oracle", Path(__file__).with_name("clock_oracle.py"))
oracle = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(oracle)


def is_working_day(day: date) -> bool:
    """As today, when 2027 is not published; so the table stays right when it is."""
    return day.weekday() < 5 if day.year > oracle.LAST_PUBLISHED else calendar.is_working_day(day)


SHAPE = "%Y-%m-%d %H:%M"
CALENDAR = Calendar(is_working_day, lambda day: day.year <= oracle.LAST_PUBLISHED)
TIME = WorkingTime(calendar=CALENDAR)
BY_DAY = WorkingTime(day_end="end_of_day", calendar=CALENDAR)
DEADLINES, ELAPSED = oracle.rows("deadlines.csv"), oracle.rows("elapsed.csv")


def ms(text: str) -> int:
    return int(datetime.strptime(text, SHAPE).replace(tzinfo=ZONE).timestamp()) * 1000


def shown(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, ZONE).strftime(SHAPE)


def named(row: dict[str, str]) -> str:
    return " ".join(value for name, value in row.items() if name not in {"by", "note"} and value)


def test_the_table_is_long_and_names_each_unit_both_ways():
    assert len(DEADLINES) + len(ELAPSED) >= 500
    assert {row["limit"].split()[1] for row in DEADLINES} == set(UNITS)
    assert {row["by"] for row in (*DEADLINES, *ELAPSED)} == {"hand", "counted"}
    assert sum(row["by"] == "hand" for row in DEADLINES) >= 40


@pytest.mark.parametrize("row", DEADLINES, ids=named)
def test_a_limit_ends_when_the_table_says(row):
    run = Run(
        clock="handling",
        limit=parse_limit(row["limit"]),
        started_ms=ms(row["start"]),
        pauses=tuple(Pause(ms(a), ms(b)) for a, b in (p.split("..") for p in row["pauses"].split(";") if p)),
        extensions=(0,) * int(row["extended"]),
    )
    found = due(run, BY_DAY if row["day_end"] else TIME, ms(row["start"]))
    assert shown(found.at_ms) == row["due"]
    assert found.provisional is (row["provisional"] == "yes")


@pytest.mark.parametrize("row", ELAPSED, ids=named)
def test_time_runs_as_the_table_says(row):
    found_ms = TIME.elapsed(ms(row["start"]), ms(row["until"]), row["unit"])
    assert found_ms == int(row["minutes"]) * MINUTE_MS


@pytest.mark.parametrize("row", DEADLINES, ids=named)
def test_counting_minutes_gives_the_rows_of_the_table_those_by_hand_too(row):
    amount, unit = row["limit"].split()
    if row["day_end"] and unit == "working_day":
        found = oracle.end_of_day(row["start"], int(amount), int(row["extended"]))
    else:
        found = oracle.deadline(row["start"], float(amount), unit, row["pauses"], int(row["extended"]))
    assert found == (row["due"], row["provisional"] == "yes")


MOMENTS = st.integers(ms("2025-01-02 00:00"), ms("2026-11-01 00:00"))
LENGTHS = st.integers(1, 40 * 60 * MINUTE_MS)
UNIT = st.sampled_from(UNITS)


@given(MOMENTS, LENGTHS, UNIT)
def test_after_a_length_of_time_that_length_has_passed_and_a_moment_before_it_has_not(start, length, unit):
    end = TIME.after(start, length, unit).at_ms
    assert TIME.elapsed(start, end, unit) == length
    assert TIME.elapsed(start, end - 1, unit) == length - 1


@given(MOMENTS, LENGTHS, LENGTHS, UNIT)
def test_two_limits_one_after_the_other_are_one_of_both_lengths(start, first, second, unit):
    once = TIME.after(start, first + second, unit).at_ms
    assert TIME.after(TIME.after(start, first, unit).at_ms, second, unit).at_ms == once


@given(MOMENTS, MOMENTS, MOMENTS, UNIT)
def test_time_passed_adds_up_over_any_cut(a, b, c, unit):
    first, middle, last = sorted((a, b, c))
    whole = TIME.elapsed(first, last, unit)
    assert TIME.elapsed(first, middle, unit) + TIME.elapsed(middle, last, unit) == whole


@given(st.integers(0, 500_000), st.integers(1, 30), UNIT)
@settings(deadline=None)
def test_any_limit_ends_when_counting_minutes_says(minute, amount, unit):
    start = oracle.moment_of(minute)
    found = TIME.deadline(ms(start), Limit(amount, unit))
    assert (shown(found.at_ms), found.provisional) == oracle.deadline(start, amount, unit, "", 0)


@st.composite
def paused_runs(draw):
    start = draw(MOMENTS)
    cuts = sorted(draw(st.sets(st.integers(1, 9 * 24 * 3_600_000), min_size=4, max_size=4)))
    pauses = (Pause(start + cuts[0], start + cuts[1]), Pause(start + cuts[2], start + cuts[3]))
    limit = Limit(draw(st.integers(1, 20)), draw(UNIT))
    extensions = (start,) * draw(st.integers(0, 2))
    return Run(clock="handling", limit=limit, started_ms=start, pauses=pauses, extensions=extensions)


@given(paused_runs())
def test_at_the_deadline_exactly_the_limit_has_been_used_whatever_the_pauses(run):
    end = due(run, TIME, run.started_ms)
    assert used_ms(run, TIME, end.at_ms) == TIME.length_ms(run.limit) * (1 + run.extended)
    assert run.started_ms <= end.warn_ms <= end.at_ms
    assert not is_overdue(run, TIME, end.at_ms)
    assert is_overdue(run, TIME, end.at_ms + 1)


@given(paused_runs())
def test_without_pauses_a_deadline_is_never_later(run):
    bare = Run(clock=run.clock, limit=run.limit, started_ms=run.started_ms, extensions=run.extensions)
    for time in (TIME, BY_DAY):
        assert due(bare, time, run.started_ms).at_ms <= due(run, time, run.started_ms).at_ms


NINE, TEN, ELEVEN = ms("2026-11-16 09:00"), ms("2026-11-16 10:00"), ms("2026-11-16 11:00")
RUN = Run(clock="handling", limit=Limit(2, "working_hour"), started_ms=NINE)


def test_a_clock_that_stands_is_due_as_if_it_went_on_now_and_is_not_overdue():
    standing = RUN.pause(TEN)
    assert standing.standing
    assert due(standing, TIME, ELEVEN).at_ms == ms("2026-11-16 12:00")
    assert due(standing, TIME, ms("2026-11-17 09:00")).at_ms == ms("2026-11-17 10:00")
    assert not is_overdue(standing, TIME, ms("2026-12-16 09:00"))
    assert standing.pause(ELEVEN) == standing
    assert used_ms(standing, TIME, ms("2026-12-16 09:00")) == 60 * MINUTE_MS


def test_a_clock_that_stood_after_its_deadline_is_overdue():
    late = RUN.pause(ms("2026-11-16 14:30"))
    assert is_overdue(late, TIME, ms("2026-11-16 14:30"))
    assert is_overdue(late, TIME, ms("2026-11-20 14:30"))


def test_a_stopped_clock_goes_on_without_the_time_in_between():
    again = RUN.stop(TEN).go_on(ELEVEN)
    assert due(again, TIME, ELEVEN).at_ms == ms("2026-11-16 12:00")
    assert RUN.go_on(TEN) == RUN
    assert RUN.stop(TEN).stop(ELEVEN).stopped_ms == TEN


def test_a_clock_stopped_while_it_stands_was_done_when_the_pause_began():
    done = RUN.pause(TEN).stop(ms("2026-11-18 09:00"))
    assert (done.stopped_ms, done.pauses) == (TEN, ())
    assert not is_overdue(done, TIME, ms("2026-11-18 09:00"))


def test_single_and_accumulated_use_are_both_known():
    filing = Run(clock="filing", limit=RUN.limit, started_ms=NINE)
    again = Run(clock="handling", limit=RUN.limit, started_ms=ELEVEN, stopped_ms=ms("2026-11-16 11:30"))
    runs = (RUN.stop(TEN), filing, again)
    assert used_ms(runs[2], TIME, ELEVEN) == 30 * MINUTE_MS
    assert accumulated_ms(runs, "handling", TIME, ELEVEN) == 90 * MINUTE_MS


def test_a_deadline_without_a_calendar_moves_when_the_calendar_is_published():
    start = ms("2026-12-31 16:00")
    assert TIME.deadline(start, Limit(4, "working_hour")) == Moment(ms("2027-01-01 10:00"), provisional=True)
    new_year = {date(2027, 1, 1), date(2027, 1, 2), date(2027, 1, 3)}
    published = Calendar(lambda day: day not in new_year and is_working_day(day), lambda _: True)
    later = WorkingTime(calendar=published)
    assert later.deadline(start, Limit(4, "working_hour")) == Moment(ms("2027-01-04 10:00"))


def test_other_hours_are_a_setting():
    hours = WorkingTime(hours=parse_spans("working_hours", ["09:00-17:00"]), calendar=CALENDAR)
    assert shown(hours.deadline(ms("2026-11-13 16:00"), Limit(2, "working_hour")).at_ms) == "2026-11-16 10:00"
    assert hours.day_ms == 8 * 60 * MINUTE_MS


def test_a_calendar_without_working_days_ends_too():
    never = WorkingTime(day_end="end_of_day", calendar=Calendar(lambda _: False, lambda _: True))
    for limit in (Limit(1, "working_hour"), Limit(1, "working_day")):
        with pytest.raises(SettingsError, match="ends within 40 years"):
            never.deadline(NINE, limit)
