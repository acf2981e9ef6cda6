"""The layout of InfluxDB: policies by window size, what is read for how long a span."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import store
from schemas.errors import SettingsError

DAY_S = 86_400


@pytest.mark.parametrize(
    ("window_s", "name", "days", "shard_days"),
    [(10, "10s", 7, 1), (30, "30s", 7, 1), (60, "1m", 90, 7), (300, "5m", 90, 7), (3600, "1h", 1095, 30)],
)
def test_windows_are_kept_by_their_size(window_s, name, days, shard_days):
    policy = store.policy_of(window_s)
    assert (policy.name, policy.keep_s, policy.shard_s) == (name, days * DAY_S, shard_days * DAY_S)


def test_the_settings_say_otherwise_for_a_policy_and_for_no_other():
    assert store.policy_of(10, {"10s": 0.5}) == store.Policy("10s", DAY_S // 2)
    assert store.policy_of(60, {"10s": 0.5}) == store.policy_of(60)
    assert store.events_policy({"events": 30}).keep_s == 30 * DAY_S
    assert store.policy_of(300, {"1m": 9}).keep_s == 9 * DAY_S
    assert store.policy_of(300, {"1m": 9, "5m": 10}).keep_s == 10 * DAY_S


def test_less_than_an_hour_is_refused_by_name():
    with pytest.raises(
        SettingsError, match=r"influxdb_keep_days: received 0\.01 for '10s', allowed: an hour"
    ):
        store.policy_of(10, {"10s": 0.01})


def test_an_installation_has_a_policy_a_size_and_one_of_events_and_always_minutes_first():
    assert [p.name for p in store.policies((10, 60, 3600))] == ["1m", "10s", "1h", "events"]
    assert [p.name for p in store.policies((5, 30))] == ["1m", "5s", "30s", "events"]


@given(st.integers(1, 50_000))
def test_a_policys_shards_are_few_and_no_longer_than_it(hours):
    policy = store.Policy("1h", hours * 3600)
    assert 1 <= policy.keep_s / policy.shard_s <= 70


def test_a_policy_that_is_none_is_refused_by_name():
    with pytest.raises(SettingsError, match="received '2m', allowed: 10s, 1m, 1h, events"):
        store.policies((10, 60, 3600), {"2m": 5})


def test_what_is_read_and_written_by_name():
    assert store.measurement("parking", 60) == '"1m"."parking"'
    assert store.measurement("care", 3600) == '"1h"."care"'
    assert store.bucket("taishi", "10s") == "taishi/10s"


def test_care_may_have_a_database_of_its_own():
    one = SimpleNamespace(influxdb_database="taishi", influxdb_care_database="")
    two = SimpleNamespace(influxdb_database="taishi", influxdb_care_database="taishi_care")
    assert store.database_of("care", one) == store.database_of("parking", two) == "taishi"
    assert store.database_of("care", two) == "taishi_care"


@pytest.mark.parametrize(
    ("span_h", "back_h", "window_s"),
    [
        *((1, 0, 10), (3, 0, 10), (3.1, 0, 60), (24, 0, 60), (36, 0, 60), (37, 0, 3600), (24 * 365, 0, 3600)),
        *((1, 24 * 6, 10), (1, 24 * 8, 60), (24, 24 * 89, 60), (1, 24 * 91, 3600)),
    ],
)
def test_a_span_is_read_by_the_smallest_windows_that_are_kept_and_not_too_many(span_h, back_h, window_s):
    assert store.window_for(span_h * 3600, back_h * 3600) == window_s


def test_where_seconds_are_kept_for_an_hour_only_minutes_are_read_beyond():
    assert store.window_for(2 * 3600, keep_days={"10s": 1 / 24}) == 60


@given(st.floats(1, 1095 * DAY_S), st.floats(0, 1095 * DAY_S))
def test_what_is_read_is_held_and_is_some_two_thousand_points_below_three_months(span_s, more_s):
    window_s = store.window_for(span_s, span_s + more_s)
    assert window_s == store.HOUR_S or span_s + more_s <= store.policy_of(window_s).keep_s
    assert span_s / window_s <= 2160 or span_s > 90 * DAY_S
