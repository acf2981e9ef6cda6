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
import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import psutil
import pytest

from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.measures import MEASURES
from tests.faults import ends
from tests.faults.afterwards import probe, told
from tests.faults.judge import judge
from tests.faults.load import DEVICES, KINDS, Sender, load_of, obligations
from tests.faults.nemesis import LONG_KILLS, RECOVERY_MAX_S, Act, script
from tests.faults.run import go_through

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
LONG_VICTIMS = ("oncall", "supervisor")
LONG_MESSAGES = 100_000
SEED = int(os.environ.get("TAISHI_FAULT_SEED", "370202"))


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


def test_kills_lose_nothing_and_count_nothing_twice(city, hook, fault_kills, oracle):
    long = fault_kills >= LONG_KILLS
    load = load_of(SEED, long=long, alarm_every=8_000 if long else 600)
    victims, others = (VICTIMS + LONG_VICTIMS, OTHERS) if long else (VICTIMS, OTHERS[:1])
    acts = script(SEED, fault_kills, victims, others)
    run = go_through(city, oracle, load, acts, at_least=LONG_MESSAGES if long else 0)
    run.report(f"TAISHI_FAULT_SEED={SEED} TAISHI_FAULT_KILLS={fault_kills} pytest {__file__}")
    run.check()
    assert run.found.accounted, "nothing was too late: the load is not what it says"
    probe(city)
    told(city, hook, run.acts)


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
