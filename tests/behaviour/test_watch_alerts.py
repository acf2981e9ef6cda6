"""From windows and presence on the log to alerts: rules, silence, storms; also when the worker is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from confluent_kafka import Producer

from deploy.embedded import stack as embedded
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.alerts import Alert, stands_for
from schemas.measures import MEASURES
from schemas.presence import Silence
from schemas.topics import ALERTS, PRESENCE, WINDOWS
from schemas.windows import Progress, Window
from taishi.alerts.read import read_alerts
from taishi.stack_settings import stack_settings
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

T0 = (time.time_ns() // 1_000_000 - 86_400_000) // 60_000 * 60_000
GRID = "370202009001001"
SHARD = "readings.governance/0"
LIMIT_S = 60.0
RULE = """
[[rules]]
name = "many-reports"
title = "上报激增"
title_en = "many reports"
severity = "medium"
domain = "governance"
figure = "reports"
level = ["grid"]
places = ["370202009"]
above = {limit}
"""


class Watch:
    """The worker, started again when told to be killed, and what is put before it."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._stack, self._log = stack, folder / "watch.log"
        self.rules = folder / "rules.toml"
        self.write_rules(5)
        self._environment = stack.environment | {
            "TAISHI_RULES_FILE": str(self.rules),
            "TAISHI_CHECKPOINT_INTERVAL_S": "0.2",
        }
        self._process = self._start()
        self._producer = Producer({"bootstrap.servers": stack.kafka_bootstrap})

    def write_rules(self, limit: float) -> None:
        new = self.rules.with_suffix(".part")
        new.write_text(RULE.format(limit=limit), "utf-8")
        new.replace(self.rules)

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "taishi.cli.main", "worker", "watch"],
                env=self._environment, stdout=output, stderr=output,
            )  # fmt: skip

    def said(self, what: str) -> bool:
        return what in self._log.read_text("utf-8")

    def kill(self) -> None:
        self.end()
        self._process = self._start()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()

    def send(self, topic: str, records: Iterable[object]) -> None:
        for record in records:
            self._producer.produce(topic, msgspec.json.encode(record), key=b"370202", partition=0)
        assert self._producer.flush(LIMIT_S) == 0


@pytest.fixture(scope="module")
def stack(stack_at: Callable[[Path], Stack], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One of its own: a log of yesterday's minutes would be too old behind those of other tests."""
    running = stack_at(tmp_path_factory.mktemp("watch-stack"))
    wanted = stack_settings(running.settings)
    parts = ("kafka", "topics", "influxdb", "influxdb-database", "prism-situation", "prism-watch")
    try:
        embedded.up(wanted, only=parts, report=lambda *_: None, outlive=False)
        embedded.wait_well(wanted, 120)
        yield running
    finally:
        embedded.down(wanted)


@pytest.fixture(scope="module")
def watch(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watch]:
    started = Watch(stack, tmp_path_factory.mktemp("watch"))
    yield started
    started.end()


def minute(number: int, reports: float) -> Iterator[Window | Progress]:
    metrics = dict.fromkeys((m.name for m in MEASURES["governance"]), 0.0) | {
        "reports": reports,
        "readings": 1.0,
    }
    start_ms = T0 + number * 60_000
    yield Window(domain="governance", grid=GRID, window_s=60, start_ms=start_ms, revision=number, shard=SHARD,
                 metrics=metrics)  # fmt: skip
    yield Progress(
        domain="governance", shard=SHARD, shards=1, closed_through_ms=start_ms + 60_000, revision=number
    )


def silence(number: int, grid: str, *, active: bool = True) -> Silence:
    return Silence(shard="readings.care/0", device=f"watch-{grid}-{number}", kind="care.bed",
                   source="mqtt.test", grid=grid, active=active, since_ms=T0 + number,
                   at_ms=T0 + 600_000 + number, allowed_s=300)  # fmt: skip


def alerts_by(stack: Stack, rule: str, place: str) -> list[Alert]:
    return [a for a in read_alerts(stack.kafka_bootstrap) if a.rule == rule and a.place.startswith(place)]


def test_a_rule_of_the_file_raises_an_alert_and_a_changed_file_counts_without_a_restart(
    stack: Stack, watch: Watch
) -> None:
    rule = "rule.many-reports"
    watch.send(WINDOWS, [record for n in range(3) for record in minute(n, 9.0 if n == 2 else 0.0)])
    wait_until(lambda: alerts_by(stack, rule, GRID))
    (alert,) = alerts_by(stack, rule, GRID)
    assert (alert.active, alert.onset_ms, alert.observed, alert.threshold) == (True, T0 + 120_000, 9.0, 5.0)
    assert "上报激增" in alert.title
    assert "9" in alert.explanation
    watch.rules.write_text(RULE.format(limit='"many"'), "utf-8")
    wait_until(lambda: watch.said("rules refused") or watch.send(WINDOWS, minute(3, 9.0)))
    assert alerts_by(stack, rule, GRID)[0].active, "the set before stays in force"
    watch.write_rules(20)
    numbers = iter(range(4, 10_000))

    def over() -> bool:
        watch.send(WINDOWS, minute(next(numbers), 9.0))
        return not alerts_by(stack, rule, GRID)[0].active

    wait_until(over)
    assert "规则已撤销" in alerts_by(stack, rule, GRID)[0].explanation


def test_an_outage_is_one_parent_with_its_children_also_when_the_worker_is_killed_in_it(
    stack: Stack, watch: Watch
) -> None:
    grids = [f"370202009{1 + n % 5:03d}{1 + n % 20:03d}" for n in range(200)]
    silences = [silence(n, grid) for n, grid in enumerate(grids)]
    for start in range(0, 200, 100):
        watch.send(PRESENCE, silences[start : start + 100])
        wait_until(lambda known=start: len(alerts_by(stack, "silence.care.bed", "370202009")) >= known + 20)
        watch.kill()
    wait_until(lambda: len(alerts_by(stack, "silence.care.bed", "370202009")) == 200)
    storm = "storm.silence.care.bed"
    wait_until(lambda: any(a.children == 200 for a in alerts_by(stack, storm, "370202009")))
    parents = alerts_by(stack, storm, "370202009")
    assert len(parents) <= 3
    street = max(parents, key=lambda parent: parent.children)
    assert (street.level, street.place, street.active) == ("street", "370202009", True)
    assert all(stands_for(street, child) for child in alerts_by(stack, "silence.care.bed", "370202009"))
    listed = json.loads(
        stack.run("alerts", "list", "--place", "370202009", "--rule", "silence", "--json").stdout
    )
    assert listed == [], "children are listed under their parent"

    watch.send(PRESENCE, [silence(n, grid, active=False) for n, grid in enumerate(grids)])
    wait_until(lambda: not any(a.active for a in alerts_by(stack, storm, "370202009")))
    assert not any(a.active for a in alerts_by(stack, "silence.care.bed", "370202009"))


def test_alerts_are_annotations_in_influxdb(stack: Stack, watch: Watch, tmp_path: Path) -> None:
    process = stack.start("worker", "situation", log=tmp_path / "situation.log")
    store = InfluxDb(InfluxSettings(stack.influxdb_url, stack.influxdb_database))
    place = f"370202009009{os.getpid() % 1000:03d}"
    watch.send(PRESENCE, [silence(1, place)])
    try:
        query = f"SELECT title, active, place FROM events.alerts WHERE place = '{place}'"  # noqa: S608 - our own
        wait_until(lambda: store.query(query))
        (row,) = store.query(query)
        assert (row["active"], str(row["title"]).startswith("床位传感器离线")) == (1, True)
        watch.send(PRESENCE, [silence(1, place, active=False)])
        wait_until(lambda: [r["active"] for r in store.query(query)] == [0])
    finally:
        process.kill()
        process.wait()
        store.close()


def test_what_is_no_alert_on_the_topic_stops_nobody(stack: Stack, watch: Watch) -> None:
    watch.send(ALERTS, ["no alert", {"id": 5}])
    grid = "370202009008001"
    watch.send(PRESENCE, [silence(2, grid)])
    wait_until(lambda: alerts_by(stack, "silence.care.bed", grid))


def test_the_alarm_budget_of_the_log_is_told(stack: Stack, watch: Watch) -> None:
    done = stack.run("rules", "check", "--history", "2", "--operators", "100", "--json")
    assert done.returncode == 0, done.stderr
    load = json.loads(done.stdout)
    assert (load["operators"], load["kept"]) == (100, True)
    assert "of 2 days" in done.stderr
