"""`taishi store` against a real InfluxDB: policies are made, corrected and shown; an older home goes on."""

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.io.influxdb import InfluxDb, InfluxSettings

pytestmark = pytest.mark.stack

MINUTE_MS = int(time.time() * 1000) // 60_000 * 60_000 - 60_000


@pytest.fixture
def old(stack):
    """The stack with a database as an older version left it: every window in `autogen`."""
    name = f"old_{time.time_ns()}"
    store = InfluxDb(InfluxSettings(stack.influxdb_url, name))
    store._results("post", f'CREATE DATABASE "{name}"')
    tags = "level=district,place=370202"
    store.write([
        f"parking,{tags},window=1m spaces=5.0,occupied=2.0,revision=7i {MINUTE_MS}",
        f"parking,{tags},window=10s spaces=5.0,occupied=1.0,revision=6i {MINUTE_MS}",
        f'alerts,rule=fire,level=grid title="火警 fire",active=0i {MINUTE_MS}',
    ])  # fmt: skip
    yield replace(stack, environment=stack.environment | {"TAISHI_INFLUXDB_DATABASE": name}), store
    store._results("post", f'DROP DATABASE "{name}"')


def test_an_older_home_gets_its_policies_and_its_data_can_be_read_and_moved(old):
    stack, store = old
    for _ in range(2):
        made = stack.run("store", "create")
        assert made.returncode == 0, made.stderr
    assert f"{store.settings.database}/1m kept 90 d" in made.stdout
    assert store.query("SELECT * FROM parking") == []
    assert len(store.query("SELECT * FROM autogen.parking")) == 2
    read, *move = statements(store.settings.database)
    assert len(store.query(read)) == 1
    for statement in move:
        store._results("post", statement)
    (row,) = store.query("SELECT * FROM parking")
    assert (row["time"], row["occupied"], row["revision"], row["level"]) == (MINUTE_MS, 2.0, 7, "district")
    assert [row["title"] for row in store.query("SELECT * FROM events.alerts")] == ["火警 fire"]
    assert store.query("SELECT * FROM autogen.parking") == []


def statements(database):
    """What the page says to type, for this database."""
    page = (Path(__file__).parents[2] / "docs" / "store.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sql\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return "".join(blocks).replace('ON "taishi"', f'ON "{database}"').splitlines()


def test_what_is_kept_for_how_long_and_how_large_it_is_is_shown(old):
    stack, _ = old
    assert stack.run("store", "create").returncode == 0
    shown = stack.run("store", "show", "--json")
    assert shown.returncode == 0, shown.stderr
    kept = {row["bucket"].split("/")[1]: row for row in json.loads(shown.stdout)}
    assert {name: row["keep_days"] for name, row in kept.items()} == {
        "1m": 90, "10s": 7, "1h": 1095, "events": 1095, "autogen": None,
    }  # fmt: skip
    assert kept["autogen"]["disk_bytes"] > 0
    text = stack.run("store", "show").stdout
    assert "no policy of these settings" in text


def test_a_policy_that_is_none_and_an_influxdb_that_is_away_are_told(stack):
    wrong = replace(stack, environment=stack.environment | {"TAISHI_INFLUXDB_KEEP_DAYS": '{"2m": 5}'})
    refused = wrong.run("store", "create")
    assert refused.returncode == 1
    assert "influxdb_keep_days: received '2m', allowed: 10s, 1m, 1h, events" in refused.stderr
    away = replace(stack, environment=stack.environment | {"TAISHI_INFLUXDB_ADDRESS": "http://127.0.0.1:1"})
    refused = away.run("store", "show")
    assert refused.returncode == 1
    assert "InfluxDB at http://127.0.0.1:1 does not answer" in refused.stderr
