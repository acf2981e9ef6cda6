"""Databases and retention policies: made, corrected, lost one by one; on the fakes and on a real influxd."""

import importlib.util
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.io.canary import Canary, StoreLostData
from pipelines.kernels.points import by_bucket
from schemas.errors import SettingsError
from schemas.store import Policy, policies

_spec = importlib.util.spec_from_file_location(
    "sink_tests", Path(__file__).with_name("test_sink_influxdb.py")
)
sinks = importlib.util.module_from_spec(_spec)
sys.modules["sink_tests"] = sinks
_spec.loader.exec_module(sinks)
drop, of, rows, sink, window = sinks.drop, sinks.of, sinks.rows, sinks.sink, sinks.window
drop_database, drop_policy = sinks.drop_database, sinks.drop_policy
fake, fake_v2, server = sinks.fake, sinks.fake_v2, sinks.server  # fixtures

KEPT = policies(sinks.SIZES_S)
DAY_S = 86_400
NOW_MS = int(time.time() * 1000)


@pytest.fixture
def store(server):
    made = sink(**server, policies=KEPT)
    yield made
    drop(made)


def held(store):
    """Policy -> (keeps, shard), s; and the default one. InfluxQL of a 2.x does not tell the lengths."""
    found = store.query(f'SHOW RETENTION POLICIES ON "{store.settings.database}"')
    if store.settings.org:
        seconds = {row["name"]: _of_bucket(store, str(row["name"])) for row in found}
        return seconds, [row["name"] for row in found if row["default"]]
    seconds = {
        row["name"]: tuple(_s(row[key]) for key in ("duration", "shardGroupDuration")) for row in found
    }
    return seconds, [row["name"] for row in found if row["default"]]


def _of_bucket(store, policy):
    bucket = store._client.buckets_api().find_bucket_by_name(of(store, policy))
    (rule,) = bucket.retention_rules
    return rule.every_seconds, rule.shard_group_duration_seconds


def _s(text):
    """Of `168h0m0s`; `0s` is for ever."""
    return int(text.partition("h")[0]) * 3600 if "h" in text else 0


WANTED = {"1m": (90, 7), "10s": (7, 1), "1h": (1095, 30), "events": (1095, 30)}
IN_SECONDS = {name: (keep * DAY_S, shard * DAY_S) for name, (keep, shard) in WANTED.items()}


def test_databases_and_policies_are_made_and_what_names_no_policy_is_a_minute(store):
    store.create_database()
    assert held(store) == (IN_SECONDS, ["1m"])
    store.write([f"m v=1 {NOW_MS}"], of(store, "1m"))
    assert [row["time"] for row in rows(store)] == [NOW_MS]
    assert rows(store, policy="10s") == []


def test_making_them_again_changes_nothing_and_other_lengths_are_corrected(store):
    store.create_database()
    store.write([f"m v=1 {NOW_MS}"], of(store, "10s"))
    store.create_database()
    store.settings = replace(store.settings, policies=policies(sinks.SIZES_S, {"10s": 3, "events": 30}))
    store.create_database()
    assert held(store)[0] == IN_SECONDS | {"10s": (3 * DAY_S, DAY_S), "events": (30 * DAY_S, DAY_S)}
    assert len(rows(store, policy="10s")) == 1


def test_where_all_is_as_it_shall_be_nothing_is_said_but_a_question(fake, fake_v2):
    for one in (fake, fake_v2):
        asked = sink(one.url, org=one.org, policies=KEPT)
        asked.create_database()
        one.statements.clear()
        fake_v2.api.calls.clear()
        asked.create_database()
        assert all(each.startswith("SHOW") for each in one.statements)
    assert {verb for verb, _ in fake_v2.api.calls} == {"GET"}


def test_points_older_than_their_policy_keeps_are_counted_and_the_others_written(store):
    store.create_database()
    old_ms = NOW_MS - 8 * DAY_S * 1000
    lines = [f"m,n={n} v=1 {old_ms + n if n % 3 else NOW_MS}" for n in range(30)]
    assert store.write(lines, of(store, "10s")) == []
    assert store.expired == 20
    assert {row["n"] for row in rows(store, policy="10s")} == {str(n) for n in range(0, 30, 3)}
    assert store.write(lines, of(store, "1m")) == []
    assert store.expired == 20
    assert len(rows(store, policy="1m")) == 30


def test_old_and_refused_points_of_one_batch_are_told_apart(store):
    store.create_database()
    store.write([f"m,n=a v=1 {NOW_MS}"], of(store, "10s"))
    old, bad = f"m,n=b v=1 {NOW_MS - 9 * DAY_S * 1000}", f"m,n=c v=1i {NOW_MS}"
    none = "m,n=d"
    refused = store.write([old, bad, f"m,n=e v=1 {NOW_MS}", none, old.replace("b", "f")], of(store, "10s"))
    assert [point.line for point in refused] == [bad, none]
    assert store.expired == 2
    assert {row["n"] for row in rows(store, policy="10s")} == {"a", "e"}


def test_a_year_of_old_points_takes_a_request_a_batch(fake):
    store = sink(fake.url, policies=KEPT, batch_points=1_000)
    store.create_database()
    year_ago_ms = NOW_MS - 365 * DAY_S * 1000
    assert store.write([f"m v=1 {year_ago_ms + n}" for n in range(5_000)], of(store, "10s")) == []
    assert store.expired == 5_000
    assert len(fake.requests) == 5


def test_a_policy_that_is_gone_is_made_again(server):
    store = sink(**server, policies=KEPT)
    store.create_database()
    drop_policy(store, "10s")
    assert rows(store, policy="10s") == []
    assert store.write([f"m v=1 {NOW_MS}"], of(store, "10s")) == []
    assert held(store)[0] == IN_SECONDS
    drop(store)


@pytest.mark.parametrize("policy", WANTED)
def test_the_canary_sees_that_any_one_policy_was_lost(store, policy):
    store.create_database()
    canary = Canary(store, "situation", "windows")
    canary.write(500, NOW_MS)
    canary.check(500)
    drop_policy(store, policy)
    store.create_database()
    with pytest.raises(StoreLostData, match="holds mark None"):
        canary.check(500)
    assert canary.lost_before(500)


def test_windows_of_care_lie_in_a_database_of_their_own_if_they_shall(server):
    store = sink(**server, policies=KEPT, care_database=f"care_{time.time_ns()}")
    store.create_database()
    places = [window(domain=domain, start_ms=NOW_MS // 10_000 * 10_000) for domain in ("care", "parking")]
    for bucket, lines in by_bucket(places, store.settings.bucket_of).items():
        assert store.write(lines, bucket) == []
    found = {
        (database, row["place"]): domain
        for database in store.settings.databases
        for domain in ("care", "parking")
        for row in store.query(f'SELECT * FROM "10s"."{domain}"', database)  # noqa: S608 - our own names
    }
    place = places[0].place
    main, care = store.settings.databases
    assert found == {(main, place): "parking", (care, place): "care"}
    canary = Canary(store, "situation", "windows")
    canary.write(7, NOW_MS)
    drop_database(store, care)
    assert canary.newest() is None
    drop(store)


# A database of an older version, on 1.8: everything in autogen.


@pytest.fixture(params=["fake", pytest.param("influxd", marks=pytest.mark.stack)])
def old(request):
    if request.param == "influxd":
        store = sink(request.getfixturevalue("stack").influxdb_url, policies=KEPT)
        store._results("post", f'CREATE DATABASE "{store.settings.database}"')
    else:
        running = request.getfixturevalue("fake")
        store = sink(running.url, policies=KEPT)
        forever = running.new_bucket()
        forever.default = True
        running.databases[store.settings.database] = {"autogen": forever}
    yield store
    drop(store)


def test_a_database_of_an_older_version_keeps_what_it_has_and_gets_the_policies(old):
    long_ago_ms = NOW_MS - 400 * DAY_S * 1000
    old.write([f"parking,window=1m v=1 {long_ago_ms}"])
    old.create_database()
    seconds, default = held(old)
    assert default == ["1m"]
    assert seconds == IN_SECONDS | {"autogen": (0, 7 * DAY_S)}
    assert rows(old, "parking") == []
    assert [row["time"] for row in rows(old, "parking", "autogen")] == [long_ago_ms]
    assert Canary(old, "situation", "windows").lost_before(1)


# 2.x: what its API is asked.


def test_on_2x_minutes_are_said_to_be_the_default_and_set_right_if_they_are_not(fake_v2):
    store = sink(fake_v2.url, database="taishi", org="city", policies=KEPT)
    store.create_database()
    (said,) = fake_v2.api.said
    assert (said["database"], said["retention_policy"], said["default"]) == ("taishi", "1m", True)
    said["default"] = False
    store.create_database()
    assert fake_v2.api.said == [said]
    assert said["default"] is True


def test_on_2x_a_token_that_may_not_make_buckets_is_told_which_to_make(fake_v2):
    store = sink(fake_v2.url, database="taishi", org="city", policies=KEPT)
    fake_v2.api.allowed = False
    with pytest.raises(SettingsError, match=r"influxdb_token: .*taishi/1m \(90 d\), taishi/10s \(7 d\)"):
        store.create_database()


def test_on_2x_an_organisation_that_is_not_there_is_told(fake_v2):
    store = sink(fake_v2.url, database="taishi", org="town", policies=KEPT)
    with pytest.raises(SettingsError, match="influxdb_org: received 'town'"):
        store.create_database()


def test_a_policy_must_be_kept_for_an_hour_at_least():
    with pytest.raises(SettingsError, match="an hour"):
        Policy("10s", 60)
