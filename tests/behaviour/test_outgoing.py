"""Other platforms ask a real installation: what is in InfluxDB and on the log is what they are told."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import pytest
from confluent_kafka import Producer
from defusedxml import ElementTree

from connectors.registry import COLUMNS
from deploy.embedded.ports import free_ports
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.alerts import Alert
from schemas.readings import Reading
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

GRID, STREET = "370202001001013", "370202001"
LIMIT_S = 60.0


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def produce(stack: Stack, topic: str, key: str, value: msgspec.Struct) -> None:
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap})
    producer.produce(topic, msgspec.json.encode(value), key)
    assert producer.flush(LIMIT_S) == 0


def write(stack: Stack, start_ms: int, occupied: float) -> None:
    store = InfluxDb(InfluxSettings(stack.influxdb_url, stack.influxdb_database))
    fields = f"spaces=10.0,occupied={occupied},unknown=1.0,turnover=2.0,readings=4.0,readings_simulated=4.0"
    places = {"grid": GRID, "street": STREET}
    store.write([
        f"parking,level={level},place={place},window=1m {fields},complete=1i,revision=1i {start_ms}"
        for level, place in places.items()
    ])  # fmt: skip
    # People are told in the newest window that the district has; other tests on this stack have theirs.
    store.write([
        f"care,level={level},place={place},window=1m residents_seen=2.0,beds=3.0,beds_occupied=2.0,"
        f"activity=9.0,complete=1i,revision=1i {start_ms}"
        for level, place in {"grid": GRID, "street": STREET, "district": "370202"}.items()
    ])  # fmt: skip


def spot(value: float, observed_at_ms: int) -> Reading:
    return Reading(
        id=f"{observed_at_ms}",
        kind="parking.space",
        metric="occupied",
        value=value,
        device="space-1",
        grid=GRID,
        source="mqtt.native",
        observed_at_ms=observed_at_ms,
        received_at_ms=observed_at_ms,
    )


ALERT = Alert(
    id="f" * 32,
    rule="signal.sos",
    severity="life_safety",
    domain="care",
    level="grid",
    place=GRID,
    onset_ms=now_ms(),
    active=True,
    title="紧急呼救 SOS",
    revision=1,
    device="button-9",
    subject="pseudonym-of-somebody",
)


@pytest.fixture(scope="module")
def door(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """`taishi outgoing serve` over a log and a store that hold something."""
    header = ",".join(COLUMNS)
    rows = f"{header}\nspace-1,native,parking.space,{GRID},120.38,36.06,WGS-84,,,false\n"
    (stack.settings.home / "devices.csv").write_text(rows, encoding="utf-8")
    write(stack, now_ms() // 60_000 * 60_000 - 120_000, 4.0)
    produce(stack, "readings.parking", GRID, spot(1, now_ms() - 5_000))
    produce(stack, "alerts", ALERT.id, ALERT)
    (port,) = free_ports(1)
    log = tmp_path_factory.mktemp("outgoing") / "outgoing.log"
    process = start(stack, port, log)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
        wait_until(lambda: alive(process, log) and healthy(client))
        yield client
    process.terminate()
    assert process.wait(LIMIT_S) is not None
    assert "Traceback" not in log.read_text("utf-8")


def start(stack: Stack, port: int, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "taishi.cli.main", "outgoing", "serve"],
            env=dict(os.environ) | stack.environment | {"TAISHI_OUTGOING_PORT": str(port)},
            stdout=output,
            stderr=output,
        )


def alive(process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text("utf-8")
    return True


def healthy(client: httpx.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx.HTTPError:
        return False


def entity(door: httpx.Client, kind: str, what: str) -> dict[str, Any]:
    answer = door.get(f"/ngsi-ld/v1/entities/urn:ngsi-ld:{kind}:taishi:{what}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_the_newest_window_is_told_and_a_newer_one_follows(stack: Stack, door: httpx.Client) -> None:
    first = entity(door, "OffStreetParking", GRID)
    assert (first["availableSpotNumber"]["value"], first["simulated"]["value"]) == (5, True)
    newer_ms = now_ms() // 60_000 * 60_000 - 60_000
    write(stack, newer_ms, 8.0)
    wait_until(lambda: entity(door, "OffStreetParking", GRID)["availableSpotNumber"]["value"] == 1)
    asked = {"type": "OffStreetParking", "q": 'level=="street"', "count": "true", "options": "keyValues"}
    answer = door.get("/ngsi-ld/v1/entities", params=asked)
    streets = [each["placeCode"] for each in answer.json()]  # the stack is shared: other tests have theirs
    assert answer.headers["NGSILD-Results-Count"] == str(len(streets))
    assert streets.count(STREET) == 1


def test_a_space_that_changes_is_told_within_seconds(stack: Stack, door: httpx.Client) -> None:
    assert entity(door, "ParkingSpot", "space-1")["status"]["value"] == "occupied"
    assert entity(door, "ParkingSpot", "space-1")["location"]["value"]["coordinates"] == [120.38, 36.06]
    produce(stack, "readings.parking", GRID, spot(0, now_ms()))
    produce(stack, "readings.parking", GRID, spot(1, now_ms() - 60_000))  # late: undoes nothing
    wait_until(lambda: entity(door, "ParkingSpot", "space-1")["status"]["value"] == "free")


def test_of_few_residents_no_count_is_told(stack: Stack, door: httpx.Client) -> None:
    def told() -> bool:
        # The stack is shared: people are counted in the newest window, which may be another test's by now.
        write(stack, now_ms() // 60_000 * 60_000, 8.0)
        return door.get(f"/ngsi-ld/v1/entities/urn:ngsi-ld:CareSituation:taishi:{GRID}").status_code == 200

    wait_until(told)
    found = entity(door, "CareSituation", GRID)
    assert found["masked"]["value"] is True
    assert not {"residents_seen", "beds", "beds_occupied", "activity"} & found.keys()


def test_an_alert_is_told_without_the_person_and_its_end_follows(stack: Stack, door: httpx.Client) -> None:
    feed = ElementTree.fromstring(door.get("/cap/alerts").content)
    links = feed.findall("{*}entry/{*}link")
    (link,) = [link for link in links if ALERT.id in str(link.get("href"))]
    message = door.get(link.get("href")).text
    assert "紧急呼救" in message
    assert not [word for word in ("button-9", "pseudonym") if word in message]
    over = msgspec.structs.replace(ALERT, active=False, cleared_ms=now_ms(), revision=2)
    produce(stack, "alerts", ALERT.id, over)

    def kind() -> str | None:
        text: str | None = ElementTree.fromstring(door.get(link.get("href")).content).findtext("{*}msgType")
        return text

    wait_until(lambda: kind() == "Cancel")


def test_both_stay_apart_from_what_is_down(stack: Stack, door: httpx.Client) -> None:
    stack.kill("influxdb")
    stack.wait_healthy("influxdb")
    wait_until(lambda: door.get("/ngsi-ld/v1/types").status_code == 200)
    assert door.get("/cap/alerts").status_code == 200
