"""What was refused and is sent again later is what it would have been: its own moment, place and identity."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import paho.mqtt.client as mqtt
import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.registry import COLUMNS
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.topics import readings_topic
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

GRID = "370202001001001"
LIMIT_S = 60.0


@pytest.fixture(scope="module")
def doors(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    logs = tmp_path_factory.mktemp("replay")
    register(stack)
    started = [stack.start("connect", door, log=logs / f"{door}.log") for door in ("mqtt", "http")]
    wait_until(lambda: "mqtt connected" in (logs / "mqtt.log").read_text("utf-8"))
    wait_until(lambda: answers(stack))
    yield
    for process in started:
        process.kill()
        process.wait()


def answers(stack: Stack) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{stack.settings.http_port}/").status_code > 0
    except httpx.TransportError:
        return False


def register(stack: Stack, *names: str) -> None:
    usual = f"zigbee2mqtt,care.bed,{GRID},,,,p-1,,true"
    rows = [",".join(COLUMNS), *(name if "," in name else f"{name},{usual}" for name in names)]
    path = Path(stack.settings.home / "devices.csv")
    path.with_suffix(".part").write_text("\n".join(rows) + "\n", encoding="utf-8")
    path.with_suffix(".part").replace(path)


def refused(stack: Stack, what: str) -> dict[str, Any] | None:
    done = stack.run("quarantine", "list", "--reason", "unknown_device", "--json")
    found = [each for each in json.loads(done.stdout) if what in each["detail"] + each["address"]]
    return found[-1] if found else None


def readings_of(stack: Stack, device: str) -> list[dict[str, Any]]:
    topic, found = readings_topic("care"), []
    consumer = Consumer({"bootstrap.servers": stack.kafka_bootstrap, "group.id": "replay", "log_level": 0})
    for partition in range(4):
        first, end = consumer.get_watermark_offsets(TopicPartition(topic, partition), 10)
        consumer.assign([TopicPartition(topic, partition, first)])
        while first < end and consumer.position([TopicPartition(topic, partition)])[0].offset < end:
            found += [m.value() for m in consumer.consume(1000, 0.2) if not m.error() and m.value()]
    consumer.close()
    return [reading for value in found if (reading := json.loads(value))["device"] == device]


@pytest.mark.usefixtures("doors")
def test_a_message_without_a_time_of_its_own_keeps_the_moment_it_came_by_mqtt(stack: Stack) -> None:
    name = "replay-bed"
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", stack.mqtt_port)
    client.loop_start()
    client.publish(f"zigbee2mqtt/{name}", b'{"occupancy": true}', qos=1).wait_for_publish(LIMIT_S)
    client.disconnect()
    client.loop_stop()
    kept = wait_until(lambda: refused(stack, name))
    register(stack, name)

    def replayed() -> bool:
        done = stack.run("quarantine", "replay", kept["position"], "--json")
        return json.loads(done.stdout)[0]["result"] == "accepted"

    wait_until(replayed)
    (reading,) = wait_until(lambda: readings_of(stack, name))
    assert (reading["observed_at_ms"], reading["grid"]) == (kept["received_at_ms"], GRID)
    assert reading["received_at_ms"] == kept["received_at_ms"]


@pytest.mark.usefixtures("doors")
def test_the_header_of_http_says_when_a_message_came_at_first_and_never_later_than_now(stack: Stack) -> None:
    register(stack, "replay-bed", "replay-http")
    url = f"http://127.0.0.1:{stack.settings.http_port}/readings"
    now_ms = time.time_ns() // 1_000_000
    said = {
        "device": "replay-http",
        "kind": "care.bed",
        "metric": "in_bed",
        "value": 1,
        "observed_at_ms": now_ms,
    }
    first_ms = now_ms - 3_000

    def taken(received: str) -> bool:
        return httpx.post(url, json=said, headers={"Taishi-Received-At": received}).status_code == 202

    wait_until(lambda: taken(str(first_ms)))
    said["observed_at_ms"] += 1
    assert taken(str(now_ms + 3_600_000))
    said["observed_at_ms"] += 1
    assert taken("never")
    got = {
        r["observed_at_ms"]: r["received_at_ms"]
        for r in wait_until(lambda: readings_of(stack, "replay-http"))
    }
    assert got[now_ms] == first_ms
    assert now_ms <= got[now_ms + 1] <= time.time_ns() // 1_000_000
    assert now_ms <= got[now_ms + 2] <= time.time_ns() // 1_000_000


@pytest.mark.usefixtures("doors")
def test_a_backfill_counts_what_was_sent_again_after_its_window_had_closed(stack: Stack) -> None:
    grid, name = "370202002008001", "replay-old"
    register(stack, f"{name},zigbee2mqtt,care.bed,{grid},,,,p-9,,true")
    at_ms = (time.time_ns() // 1_000_000 - 1_800_000) // 60_000 * 60_000
    said = {"device": name, "kind": "care.bed", "metric": "in_bed", "value": 1, "observed_at_ms": at_ms + 1}

    def taken() -> bool:
        headers = {"Taishi-Received-At": str(at_ms + 500)}
        url = f"http://127.0.0.1:{stack.settings.http_port}/readings"
        return httpx.post(url, json=said, headers=headers).status_code == 202

    wait_until(taken)
    span = [datetime.fromtimestamp(ms / 1000, UTC).isoformat() for ms in (at_ms, at_ms + 60_000)]
    words = ("backfill", "--from", span[0], "--to", span[1], "--domain", "care", "--json")
    store = InfluxDb(InfluxSettings(stack.influxdb_url, stack.influxdb_database))
    query = f"SELECT beds_occupied FROM \"10s\".care WHERE place = '{grid}' AND time = {at_ms}ms"  # noqa: S608 - ours
    assert stack.run(*words).returncode == 0
    assert not any(row["beds_occupied"] for row in store.query(query))
    done = stack.run(*words, "--as-received")
    assert done.returncode == 0, done.stderr
    assert {row["beds_occupied"] for row in store.query(query)} == {1.0}
    store.close()
