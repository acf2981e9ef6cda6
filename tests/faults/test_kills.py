"""kill -9 of every part while known messages go in: nothing lost, nothing counted twice, sums add up.

Short form in `make test` and `make test-faults`: 5 kills and a Kafka that is restarted. Long form in
`make test-faults-long`: 30 kills, 100,000 messages, and between the kills restarts, hanging processes and an
InfluxDB that is down.
Rerun one: TAISHI_FAULT_SEED=n.
"""

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest

from deploy.embedded import stack as embedded
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.measures import MEASURES
from taishi.promises.record import stamp_of
from taishi.settings import Settings
from taishi.stack_settings import environment_of, stack_settings
from tests.faults import ends
from tests.faults.judge import bound, judge
from tests.faults.load import (
    ALARM_DEVICES,
    ALARMS,
    DEVICES,
    KINDS,
    Load,
    Message,
    Sender,
    obligations,
    registry,
)
from tests.faults.nemesis import RECOVERY_MAX_S, Act, perform, script
from tests.faults.oracle import Oracle

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(7200)]

VICTIMS = (
    *("worker-aggregate", "kafka", "prism-aggregate", "connect-mqtt", "influxdb", "worker-situation"),
    *("mqtt", "connect-http", "prism-situation", "worker-signals", "prism-signals"),
    *("worker-presence", "worker-watch", "prism-watch", "desk"),
)
ROOT = Path(__file__).resolve().parents[2]
OTHERS = (
    Act("restart", "kafka", 3),
    Act("pause", "worker-aggregate", 3, 10),
    Act("down", "influxdb", 3, 10),
    Act("restart", "connect-mqtt", 3),
    Act("pause", "worker-situation", 3, 10),
    Act("restart", "worker-aggregate", 3),
    Act("pause", "kafka", 3, 4),
)
LONG_KILLS, LONG_MESSAGES = 30, 100_000
AUTOMATIC = ("fire", "person-in-need", "security")
"""Categories of alarms: here each opens a case by itself."""


def wait_until(condition, limit_s):
    tick, deadline_s = threading.Event(), time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {limit_s} s"
        tick.wait(0.2)


@pytest.fixture(scope="module")
def city(tmp_path_factory, stack_at):
    """A whole stack of its own with connectors, workers and the desk, and a registry of known devices."""
    made = stack_at(tmp_path_factory.mktemp("kills"))
    made.settings.home.mkdir(parents=True, exist_ok=True)
    (made.settings.home / "devices.csv").write_text(registry(), "utf-8")
    cases = (ROOT / "operations/cases/cases.toml").read_text("utf-8")
    for code in AUTOMATIC:
        cases = cases.replace(f'code = "{code}"', f'code = "{code}"\nauto = true')
    (made.settings.home / "cases.toml").write_text(cases, "utf-8")
    with_desk = {"desk": True, "cases_file": made.settings.home / "cases.toml"}
    settings = Settings(**(made.settings.model_dump() | with_desk))
    running = type(made)(settings, dict(os.environ) | environment_of(settings))
    somebody(running)
    wanted = stack_settings(settings)
    try:
        embedded.up(wanted, demo=False, outlive=False)
        embedded.wait_well(wanted, 180)
        yield running
    finally:
        embedded.down(wanted)


def somebody(city):
    """A desk of which nobody may sign in does not start."""
    words = ("people", "add", "zhibanyuan", "--role", "operator", "--password-stdin", "--json")
    subprocess.run(
        [sys.executable, "-m", "taishi.cli.main", *words], input="correct horse battery\n", text=True,
        env=city.environment, capture_output=True, check=True,
    )  # fmt: skip


@pytest.fixture
def oracle(tmp_path):
    made = Oracle(tmp_path / "ledger.db")
    yield made
    made.close()


def load_of(seed, *, long, **given):
    rate_per_s = 400 if long else 120
    start_ms = time.time_ns() // 1_000_000
    return Load(seed, start_ms, rate_per_s, **given)


def all_points(settings, database, domain):
    """(level, place, window, time) -> every additive measure."""
    store = InfluxDb(InfluxSettings(settings.influxdb_url, database))
    names = [measure.name for measure in MEASURES[domain]]
    columns = ", ".join(f'"{name}"' for name in names)
    points = {
        (row["level"], row["place"], size, row["time"]): tuple(row[name] for name in names)
        for size in ("10s", "1m", "1h")
        for row in store.query(f'SELECT {columns}, level, place FROM "{size}".{domain}')  # noqa: S608 - our own names
    }
    store.close()
    return points


def test_kills_lose_nothing_and_count_nothing_twice(city, fault_kills, oracle):
    seed = int(os.environ.get("TAISHI_FAULT_SEED", "370202"))
    long = fault_kills >= LONG_KILLS
    sender = Sender(city.settings, load_of(seed, long=long, alarm_every=8_000 if long else 600), oracle)
    sender.start()
    waiting = ends.Waiting(city.settings)
    waiting.start()
    acts = script(seed, fault_kills, VICTIMS, OTHERS if long else OTHERS[:1])
    recoveries = [perform(city, act, oracle) for act in acts]
    while long and sender.sent < LONG_MESSAGES:
        threading.Event().wait(1.0)  # quick recoveries leave time over: the long form is this long at least
    embedded.wait_well(stack_settings(city.settings), RECOVERY_MAX_S)
    left = sender.stop(120)
    issued = obligations(oracle)
    ends.drain(city.settings, [each for each in issued if not sender.load.too_late(each.number)], 180)
    found = ends.gathered(city.settings, issued, waiting.stop())
    ends.write_down(oracle, found)
    verdict = judge(issued, found, city.settings.lateness_s * 1000)
    report(verdict, acts, recoveries, issued, seed)
    assert left == 0
    assert verdict.broken == {}, verdict.table()
    assert verdict.total("duplicated_delivery") > 0, "nothing was sent twice: the load is not what it says"
    assert found.accounted, "nothing was too late: the load is not what it says"
    assert max(recoveries) < RECOVERY_MAX_S
    probe(city)


def report(verdict, acts, recoveries, issued, seed):
    kinds = Counter(f"{act.kind} {act.part}" for act in acts)
    kills = sum(act.kind == "kill" for act in acts)
    stamp = stamp_of(ROOT)
    sys.stderr.write(
        f"\n{verdict.table()}\nacts {dict(kinds)}; {len(issued)} messages, "
        f"{sum(each.alarm for each in issued)} alarms; recovery max {max(recoveries):.1f} s; {bound(kills)}\n"
        f"commit {stamp.commit[:9]}{'*' if stamp.modified else ''} on {stamp.machine}; "
        f"rerun: TAISHI_FAULT_SEED={seed} TAISHI_FAULT_KILLS={kills} pytest {__file__}\n"
    )


def probe(city):
    """After all that, a fresh alarm is an alert and a case within a minute."""
    device, kind, grid = ALARM_DEVICES[-1]
    metric = next(metric for of, metric in ALARMS if of == kind)
    observed_ms = time.time_ns() // 1_000_000
    message = Message(0, device, kind.partition(".")[0], grid, kind, metric, 1, observed_ms, True)
    url = f"http://{city.settings.http_host}:{city.settings.http_port}/readings"
    assert httpx.post(url, content=message.body, timeout=30).status_code == 202
    wait_until(lambda: ends.cases(city.settings, ends.alerts(city.kafka_bootstrap, {})), RECOVERY_MAX_S)


@pytest.mark.parametrize("domain", KINDS)
def test_afterwards_sums_add_up_on_every_level(city, domain):
    points = all_points(city.settings, city.settings.influxdb_database, domain)
    sums = {level: Counter() for level in ("grid", "community", "street", "district")}
    for (level, _, size, start), values in points.items():
        for index, value in enumerate(values):
            sums[level][size, start, index] += value
    assert any(sums["grid"].values())
    assert sums["grid"] == sums["community"] == sums["street"] == sums["district"]


def test_afterwards_a_run_that_was_never_killed_gives_the_same_picture(city):
    """The log, folded once from its beginning by a process nobody kills, into a database of its own."""
    settings = city.settings
    live = {domain: all_points(settings, settings.influxdb_database, domain) for domain in KINDS}
    InfluxDb(InfluxSettings(settings.influxdb_url, "unkilled")).create_database()
    unkilled = dataclasses.replace(
        city, environment=city.environment | {"TAISHI_INFLUXDB_DATABASE": "unkilled"}
    )
    result = unkilled.run("backfill", "--from", "2026-01-01", "--to", "2100-01-01", timeout_s=300)
    assert result.returncode == 0, result.stderr
    for domain in KINDS:
        again = all_points(settings, "unkilled", domain)
        assert live[domain]
        assert {key: again.get(key) for key in live[domain]} == live[domain]


def rss_bytes(city, name):
    return psutil.Process(city.part(name).pid).memory_info().rss


def test_influxdb_away_loses_nothing_and_costs_no_memory(city, fault_kills, oracle):
    """It hangs (SIGSTOP) and is then killed: the store that comes back gets everything."""
    settings = city.settings
    # Nothing late: a window shared with the kill test's readings would hold more than this ledger.
    sender = Sender(settings, load_of(7, long=fault_kills >= LONG_KILLS, late=False), oracle, client="outage")
    sender.start()
    with sender.changed:  # warm: what the first readings load stays loaded
        assert sender.changed.wait_for(lambda: sender.sent - sender.open > 2_000, 60)
    before = rss_bytes(city, "worker-situation"), rss_bytes(city, "worker-aggregate")
    city.kill("influxdb", signal.SIGSTOP)
    threading.Event().wait(300 if fault_kills >= LONG_KILLS else 25)
    assert rss_bytes(city, "worker-situation") < 1.1 * before[0]
    assert rss_bytes(city, "worker-aggregate") < 1.1 * before[1]
    if city.part("influxdb").phase == "healthy":  # the supervisor kills what does not answer by itself
        city.kill("influxdb")
    city.wait_healthy("influxdb", RECOVERY_MAX_S)
    assert sender.stop(120) == 0
    issued = obligations(oracle)
    ends.drain(settings, issued, 180)
    ours = {each.id for each in issued}
    found = ends.gathered(settings, issued, {})
    here = {each.window for each in issued}
    mine = dataclasses.replace(
        found,
        readings=[seen for seen in found.readings if seen.id in ours],
        windows={window: held for window, held in found.windows.items() if window in here},
        alerts=(),
        cases=(),
    )
    verdict = judge(issued, mine, settings.lateness_s * 1000)
    assert verdict.broken == {}, verdict.table()


def test_a_bad_message_is_quarantined_with_its_reason_and_the_accounts_hold(city):
    url = f"http://{city.settings.http_host}:{city.settings.http_port}/readings"
    device, domain, _ = DEVICES[0]
    kind, metric = KINDS[domain]
    good = {"device": device, "kind": kind, "metric": metric, "value": 1}
    ahead_ms = time.time_ns() // 1_000_000 + 3_600_000
    bad = {
        "future": json.dumps(good | {"observed_at_ms": ahead_ms}).encode(),
        "oversize": b"[" + b" " * 10_000_000 + b"]",
        "encoding": b'{"device": "\xff\xfe"}',
        "wrong_type": json.dumps(good | {"observed_at_ms": "soon"}).encode(),
        "unknown_device": json.dumps(good | {"device": "nobody", "observed_at_ms": ahead_ms}).encode(),
    }
    for body in bad.values():
        httpx.post(url, content=body, timeout=60)
    deadline_s, pause, found = time.monotonic() + 60, threading.Event(), set()
    while not found >= bad.keys() and time.monotonic() < deadline_s:
        pause.wait(0.5)
        listed = city.run("quarantine", "list", "--json")
        found = {record["reason"] for record in json.loads(listed.stdout)}
    assert found >= bad.keys()
    status = json.loads(city.run("status", "--once", "--json").stdout)
    assert [check for check in status["checks"] if check["verdict"] == "broken"] == []
    assert all(part["state"] in {"healthy", "done"} for part in status["parts"])
