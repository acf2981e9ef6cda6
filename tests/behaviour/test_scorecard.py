"""The scorecard of vendors over a real door and a real InfluxDB: a clock ninety seconds off, and silence."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from connectors.registry import COLUMNS
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.calendar import local
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

GRID = "370202001001001"
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def store(stack: Stack) -> Iterator[InfluxDb]:
    made = InfluxDb(InfluxSettings(stack.influxdb_url, stack.influxdb_database))
    yield made
    made.close()


@pytest.fixture(scope="module")
def door(stack: Stack, store: InfluxDb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The HTTP door and the keeper of the scorecard, with a vendor that was heard two hours ago."""
    header = ",".join([*COLUMNS, "vendor"])
    rows = [f'{name},native,parking.space,{GRID},,,,,,true,"{vendor}"' for name, vendor in DEVICES.items()]
    (stack.settings.home / "devices.csv").write_text("\n".join([header, *rows]) + "\n", "utf-8")
    now_s = time.time()
    store.write(
        [f"sources,source=http.native,vendor=Quiet heard_s={now_s - 7_200},usual_s=600.0 {int(now_s * 1000)}"]
    )
    logs = tmp_path_factory.mktemp("scorecard")
    running = [
        stack.start("connect", "http", log=logs / "http.log"),
        stack.start("sources", "--serve", "--every-s", "1", log=logs / "sources.log"),
    ]
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{stack.settings.http_port}", trust_env=False) as client:
            wait_until(lambda: listens(client))
            yield client
    finally:
        for process in running:
            process.terminate()
            process.wait(LIMIT_S)
    assert "Traceback" not in (logs / "sources.log").read_text("utf-8")


DEVICES = {"exact-1": "Exact", "slow-1": "Slow Clock, Ltd", "quiet-1": "Quiet"}


def listens(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.HTTPError:
        return False


def say(door: httpx.Client, device: str, observed_at_ms: int, value: float = 1) -> int:
    said = {"device": device, "kind": "parking.space", "metric": "occupied", "value": value}
    return door.post("/readings", json=said | {"observed_at_ms": observed_at_ms}).status_code


def vendors(stack: Stack) -> dict[str, dict[str, Any]]:
    done = stack.run("sources", "--json")
    assert done.returncode == 0, done.stderr
    return {
        each["vendor"]: each for each in json.loads(done.stdout)["vendors"] if each["source"] == "http.native"
    }


def test_a_clock_ninety_seconds_off_repetition_and_silence_are_seen(stack: Stack, door: httpx.Client) -> None:
    now_ms = time.time_ns() // 1_000_000
    for number in range(10):
        assert say(door, "exact-1", now_ms + number) == 202
        assert say(door, "slow-1", now_ms + number - 90_000) == 202
    assert say(door, "slow-1", now_ms - 90_000) == 202
    assert say(door, "exact-1", now_ms, value=7) == 422
    found = vendors(stack)
    exact, slow, quiet = found["Exact"], found["Slow Clock, Ltd"], found["Quiet"]
    assert (slow["clock_off"], exact["clock_off"]) == (True, False)
    assert 89 < slow["clock_s"] < 95
    assert (slow["readings"], slow["duplicate"], exact["readings"]) == (11, pytest.approx(1 / 11), 11)
    assert exact["reasons"] == [["implausible", 1]]
    assert (quiet["silent"], quiet["usual_s"], exact["silent"]) == (True, 600, False)
    shown = stack.run("sources")
    assert "Slow Clock, Ltd" in shown.stdout, shown.stderr
    assert "! 2.0 h" in shown.stdout


def test_the_scores_lie_in_influxdb(store: InfluxDb, door: httpx.Client) -> None:
    query = (
        "SELECT sum(readings) AS readings, last(clock_s) AS clock_s, last(silent_s) AS silent_s FROM sources "
    )

    def row() -> dict[str, Any] | None:
        found = store.query(query + "WHERE source = 'http.native' AND vendor = 'Slow Clock, Ltd'")
        return found[0] if found else None

    say(door, "slow-1", time.time_ns() // 1_000_000 - 91_000)
    wait_until(lambda: (found := row()) is not None and found["readings"] >= 1)
    found = row()
    assert found is not None
    assert 89 < found["clock_s"] < 95
    assert found["silent_s"] < LIMIT_S


def test_a_month_is_a_csv_of_what_lies_there(stack: Stack, store: InfluxDb, door: httpx.Client) -> None:
    say(door, "slow-1", time.time_ns() // 1_000_000 - 92_000)
    wait_until(
        lambda: store.query("SELECT last(readings) AS n FROM sources WHERE vendor = 'Slow Clock, Ltd'")
    )
    done = stack.run("sources", "--month", f"{local(time.time_ns() // 1_000_000):%Y-%m}")
    assert done.returncode == 0, done.stderr
    told = {(row["source"], row["vendor"]): row for row in csv.DictReader(io.StringIO(done.stdout))}
    assert int(told["http.native", "Slow Clock, Ltd"]["readings"]) >= 1
    assert not any(vendor == "(all)" for _, vendor in told)
