"""How long somebody stays signed in, and when a name is locked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.people.sessions import (
    LIMITS,
    TERMINALS,
    Session,
    ended_because,
    locked_until_ms,
    new_token,
    token_hash,
)

MINUTE = 60_000


def session(terminal="desk", **given_ms: int) -> Session:
    return Session(
        token_hash=token_hash("t"),
        person="wang",
        terminal=terminal,
        **({"begun_ms": 0, "seen_ms": 0} | given_ms),
    )


@pytest.mark.parametrize("terminal", [each for each in TERMINALS if each != "wall"])
def test_a_session_ends_when_nothing_was_heard_and_when_its_time_is_up(terminal):
    idle_ms, whole_ms = LIMITS[terminal].idle_s * 1000, LIMITS[terminal].whole_s * 1000
    assert ended_because(session(terminal), idle_ms - 1) == ""
    assert "nothing heard" in ended_because(session(terminal), idle_ms)
    assert ended_because(session(terminal, seen_ms=whole_ms - 1), whole_ms - 1) == ""
    assert "signed in for" in ended_because(session(terminal, seen_ms=whole_ms - 1), whole_ms)


def test_a_wall_stays_signed_in():
    assert ended_because(session("wall"), 10 * 365 * 86_400_000) == ""


def test_who_signed_out_is_out():
    assert "signed out" in ended_because(session(ended_ms=1), 2)


def test_five_failures_lock_for_a_minute_and_each_further_one_doubles_it():
    five = [0, 1, 2, 3, 4]
    assert locked_until_ms(five[:4], 5) == 0
    assert locked_until_ms(five, 5) == 4 + MINUTE
    assert locked_until_ms([*five, MINUTE + 10], MINUTE + 11) == MINUTE + 10 + 2 * MINUTE
    assert locked_until_ms(five, 4 + MINUTE) == 0


def test_failures_long_ago_do_not_count():
    assert locked_until_ms([0, 1, 2, 3, 61 * MINUTE], 61 * MINUTE + 1) == 0


@given(st.lists(st.integers(0, 10**9), max_size=60), st.integers(0, 10**9))
def test_a_lock_is_never_longer_than_an_hour_from_the_last_failure(failures, now):
    until = locked_until_ms(failures, now)
    assert until == 0 or now < until <= max(failures) + 60 * MINUTE


def test_a_token_is_long_and_what_is_kept_of_it_is_not_it():
    token = new_token()
    assert len(token) >= 43
    assert token != new_token()
    assert token not in token_hash(token)
