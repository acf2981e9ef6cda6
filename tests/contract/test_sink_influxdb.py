"""What the InfluxDB sink promises, on the fake and on a real influxd alike."""

import dataclasses
import importlib.util
import socket
import sys
import uuid
from pathlib import Path

import numpy as np
import pytest

from pipelines.io.canary import Canary, StoreLostData
from pipelines.io.influxdb import InfluxDb, InfluxSettings, retry_wait_s
from pipelines.kernels.plan import plan_for
from pipelines.kernels.points import line
from pipelines.kernels.rollup import PlaceWindow
from schemas.errors import Refused, SettingsError
from schemas.kinds import DOMAINS
from schemas.store import policies


def _load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


influxdb_fake, influxdb_fake_v2 = _load("influxdb_fake"), _load("influxdb_fake_v2")

NOW_MS = 1_795_400_000_000
SIZES_S = (10, 60, 3600)
EVER = policies(SIZES_S, dict.fromkeys(("10s", "1m", "1h", "events"), 36_500))
"""What tests write of 1970 is kept."""


@pytest.fixture
def fake():
    with influxdb_fake.fake_influxdb() as running:
        yield running


class Waits:
    """Instead of waiting: notes how long, and does the next of `then`."""

    def __init__(self, *then):
        self.asked_s, self.then = [], list(then)

    def __call__(self, seconds):
        self.asked_s.append(seconds)
        assert len(self.asked_s) < 1_000
        if self.then:
            self.then.pop(0)()


def sink(url, *, waits=None, database=None, **given):
    settings = InfluxSettings(url, database or f"t_{uuid.uuid4().hex}", **({"policies": EVER} | given))
    return InfluxDb(settings, waits or Waits())


@pytest.fixture
def fake_v2():
    with influxdb_fake.fake_influxdb("city") as running:
        running.api = influxdb_fake_v2.BucketApi(running)
        yield running


REAL = [pytest.param(name, marks=pytest.mark.stack) for name in ("influxd", "influxdb2")]


@pytest.fixture(params=["fake", "fake_v2", *REAL])
def server(request):
    """What `sink` must be told of a server: one of 1.8 or of 2.x in memory, a real 1.8, a real 2.x."""
    if request.param == "influxd":
        return {"url": request.getfixturevalue("stack").influxdb_url}
    if request.param == "influxdb2":
        return dataclasses.asdict(request.getfixturevalue("influxdb2"))
    fake = request.getfixturevalue(request.param)
    return {"url": fake.url, "org": fake.org}


@pytest.fixture
def store(server):
    made = sink(**server)
    made.create_database()
    yield made
    drop(made)


def drop(store):
    for database in store.settings.databases:
        drop_database(store, database)


def drop_database(store, database):
    if not store.settings.org:
        store._results("post", f'DROP DATABASE "{database}"')
        return
    for policy in store.settings.policies:
        drop_policy(store, policy.name, database)


def drop_policy(store, policy, database=""):
    """Of a 2.x its bucket."""
    database = database or store.settings.database
    if not store.settings.org:
        store._results("post", f'DROP RETENTION POLICY "{policy}" ON "{database}"')
        return
    buckets = store._client.buckets_api()
    if (found := buckets.find_bucket_by_name(f"{database}/{policy}")) is not None:
        buckets.delete_bucket(found)


def of(store, policy):
    return f"{store.settings.database}/{policy}"


def window(**fields):
    given = {
        "domain": "care",
        "level": "grid",
        "place": "370202001001001",
        "window_s": 10,
        "start_ms": NOW_MS,
        "revision": 7,
        "grids": 1,
        "complete": True,
        "first": True,
        "values": np.arange(len(plan_for(fields.get("domain", "care")).measures)) * 1_500_000,
    }
    return PlaceWindow(**given | fields)


def rows(store, measurement="m", policy=""):
    source = f'"{policy}"."{measurement}"' if policy else f'"{measurement}"'
    return store.query(f"SELECT * FROM {source}")  # noqa: S608 - a test's own name


def test_what_was_written_is_read_back_with_its_types(store):
    for domain in DOMAINS:
        assert store.write([line(window(domain=domain))], of(store, "10s")) == []
        (row,) = rows(store, domain, "10s")
        measures = plan_for(domain).measures
        assert [row[name] for name in measures] == [i * 1.5 for i in range(len(measures))]
        assert (row["revision"], row["grids"], row["complete"]) == (7, 1, 1)
        assert (row["level"], row["place"], row["window"]) == ("grid", "370202001001001", "10s")
        assert row["time"] == NOW_MS


def test_writing_again_leaves_one_point_and_a_revision_replaces_it_whole(store):
    first, second = (
        line(window()),
        line(window(revision=8, values=np.zeros(len(plan_for("care").measures), np.int64))),
    )
    store.write([first])
    store.write([first])
    store.write([second])
    (row,) = rows(store, "care")
    assert row["revision"] == 8
    assert all(row[name] == 0 for name in plan_for("care").measures)


def test_the_refused_points_of_a_batch_stand_alone_and_the_others_are_written(store):
    store.write(["m,n=0 v=1 0"])
    bad = {3: "m,n=3 v=1i 1", 11: "m,n=11", 12: "m,n=12 v=one 1"}
    lines = [bad.get(n, f"m,n={n} v={n} 1") for n in range(20)]
    refused = store.write(lines)
    assert [point.line for point in refused] == list(bad.values())
    assert all(point.why for point in refused)
    assert {row["n"] for row in rows(store)} == {str(n) for n in range(20) if n not in bad}


def test_a_database_that_is_gone_is_made_again_and_nothing_is_lost(store):
    drop(store)
    assert store.write(["m,n=1 v=1 1"]) == []
    assert len(rows(store)) == 1


def test_a_database_that_is_not_there_has_no_rows(store):
    drop(store)
    assert rows(store) == []


def test_a_query_that_cannot_be_is_refused_by_name(store):
    with pytest.raises(Refused, match="SELEKT"):
        store.query("SELEKT 1")


def test_the_canary_sees_that_a_store_was_emptied(store):
    canary = Canary(store, "situation", "windows")
    assert canary.lost_before(1)
    canary.write(500, NOW_MS)
    canary.check(500)
    assert not canary.lost_before(500)
    drop(store)
    with pytest.raises(StoreLostData, match="before offset 500 but holds mark None"):
        canary.check(500)
    assert canary.lost_before(500)


def test_the_canary_sees_that_a_store_holds_an_older_backup(store):
    canary = Canary(store, "situation", "windows")
    canary.write(400, NOW_MS)
    with pytest.raises(StoreLostData, match="mark 400"):
        canary.check(500)


def test_the_canarys_newest_mark_counts_also_when_a_rebuild_begins_lower(store):
    canary = Canary(store, "situation", "windows")
    canary.write(900, NOW_MS)
    canary.write(10, NOW_MS + 1)
    assert canary.newest() == 10
    canary.write(20, NOW_MS + 7_200_000)
    assert canary.newest() == 20


def test_canaries_of_other_shards_and_jobs_are_not_mixed_up(store):
    canary, other = Canary(store, "situation", "windows"), Canary(store, "situation", "windows2")
    canary.write(5, NOW_MS)
    assert other.newest() is None


# Faults: the fake, told to misbehave.


@pytest.mark.parametrize("status", [0, 408, 429, 500, 502, 503, 504, 418, 301])
def test_whatever_may_pass_is_tried_again_until_it_has(fake, status):
    waits = Waits()
    store = sink(fake.url, waits=waits)
    store.create_database()
    fake.faults.extend([(status, {}, "")] * 12)
    assert store.write(["m,n=1 v=1 1"]) == []
    assert len(waits.asked_s) == 12
    assert len(rows(store)) == 1


def test_an_overloaded_store_is_asked_again_when_it_says(fake):
    waits = Waits()
    store = sink(fake.url, waits=waits)
    store.create_database()
    fake.faults.extend(
        [
            (429, {"Retry-After": "7"}, ""),
            (503, {"Retry-After": "86400"}, ""),
            (429, {"Retry-After": "soon"}, ""),
        ]
    )
    store.write(["m,n=1 v=1 1"])
    assert waits.asked_s[:2] == [7, 60]
    assert waits.asked_s[2] <= 5


def test_a_store_that_is_not_there_is_waited_for():
    with influxdb_fake.fake_influxdb() as gone:
        url = gone.url
    waits = Waits(
        *[lambda: None] * 29, lambda: (_ for _ in ()).throw(TimeoutError("the test waited long enough"))
    )
    with pytest.raises(TimeoutError):
        sink(url, waits=waits).write(["m,n=1 v=1 1"])
    assert max(waits.asked_s) <= 5
    assert min(waits.asked_s[10:]) >= 2.5


def test_a_question_is_asked_until_it_can_be_answered():
    with influxdb_fake.fake_influxdb() as gone:
        url = gone.url
    waits = Waits(
        *[lambda: None] * 4, lambda: (_ for _ in ()).throw(TimeoutError("the test waited long enough"))
    )
    with pytest.raises(TimeoutError):
        Canary(sink(url, waits=waits), "situation", "windows").check(1)
    assert len(waits.asked_s) == 5


@pytest.mark.parametrize("status", [401, 403])
def test_being_refused_ourselves_stops_with_the_setting_to_change(fake, status):
    store = sink(fake.url)
    fake.faults.append((status, {}, ""))
    with pytest.raises(SettingsError, match="influxdb_token"):
        store.write(["m,n=1 v=1 1"])


def test_a_batch_that_is_too_large_is_halved(fake):
    store = sink(fake.url)
    store.create_database()
    fake.faults.append((413, {}, "too large"))
    assert store.write([f"m,n={n} v=1 1" for n in range(4)]) == []
    assert [body.count("\n") + 1 for body, _ in fake.requests] == [4, 2, 2]


def test_large_writes_go_in_batches(fake):
    store = sink(fake.url, batch_points=3)
    store.create_database()
    store.write([f"m,n={n} v=1 1" for n in range(8)])
    assert [body.count("\n") + 1 for body, _ in fake.requests] == [3, 3, 2]


def test_an_acknowledgement_that_was_none_is_seen(fake):
    store = sink(fake.url)
    store.create_database()
    canary = Canary(store, "situation", "windows")
    canary.write(5, NOW_MS)
    fake.faults.append((204, {}, ""))
    canary.write(9, NOW_MS)
    with pytest.raises(StoreLostData, match="before offset 9 but holds mark 5"):
        canary.check(9)


@pytest.mark.parametrize(
    ("token", "sent"), [("abc", "Token abc"), ("me:secret", "Basic bWU6c2VjcmV0"), ("", "")]
)
def test_the_token_says_who_asks(fake, token, sent):
    sink(fake.url, token=token).create_database()
    assert set(fake.authorizations) == {sent}


def test_waits_double_to_a_bound_and_spread():
    assert [retry_wait_s(n, None, 0.0) for n in (1, 2, 3, 9)] == [0.1, 0.2, 0.4, 2.5]
    assert retry_wait_s(9, None, 0.999) == pytest.approx(5, rel=0.01)
    assert retry_wait_s(10_000, None, 0.5) <= 5


def test_a_hundred_questions_take_one_connection(fake):
    """A client a question loaded the machine's certificates each time: 33 ms and 0.8 MiB that lingered."""
    asked = sink(fake.url, database="t")
    asked.create_database()
    for _ in range(100):
        assert Canary(asked, "situation", "windows").newest() is None
    assert fake.connections == 1


def test_a_store_that_accepts_and_never_answers_is_given_up_and_asked_again():
    waits = Waits(
        *[lambda: None] * 2, lambda: (_ for _ in ()).throw(TimeoutError("the test waited long enough"))
    )
    with socket.create_server(("127.0.0.1", 0)) as hanging:
        url = f"http://127.0.0.1:{hanging.getsockname()[1]}"
        with pytest.raises(TimeoutError):
            sink(url, waits=waits, timeout_s=0.1).write(["m,n=1 v=1 1"])
    assert len(waits.asked_s) == 3
