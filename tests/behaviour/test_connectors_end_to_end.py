"""Connectors against the real stack: what was acknowledged is in the log, whoever is killed."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import paho.mqtt.client as mqtt
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition

from connectors.privacy.keys import Keys, read_keys
from connectors.privacy.seal import unseal
from connectors.registry import COLUMNS
from schemas.topics import QUARANTINE, SIGNALS, TOPICS
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

GRID = "370202001001001"
LIMIT_S = 60.0
DEVICE = "test-connect-1"


def reading(at_ms: int, **changed: Any) -> bytes:
    said = {
        "device": DEVICE,
        "kind": "parking.space",
        "metric": "occupied",
        "value": 1,
        "observed_at_ms": at_ms,
    }
    return json.dumps(said | changed).encode()


class Log:
    """Everything a topic has got since this object was made."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = Consumer(
            {"bootstrap.servers": bootstrap, "group.id": f"test-{time.time_ns()}", "log_level": 0}
        )
        shards = [TopicPartition(topic, number) for number in range(TOPICS[topic].partitions)]
        for shard in shards:
            wait_until(lambda shard=shard: self._at_end(shard))
        self._consumer.assign(shards)
        self.records: list[Any] = []

    def _at_end(self, shard: TopicPartition) -> bool:
        try:
            shard.offset = self._consumer.get_watermark_offsets(shard, timeout=20)[1]
        except KafkaException:  # a new topic has no leader yet
            return False
        return True

    def read(self) -> list[Any]:
        self.records += [
            m for m in self._consumer.consume(10_000, timeout=0.2) if not m.error() and m.value()
        ]
        return self.records

    def close(self) -> None:
        self._consumer.close()

    def observed(self, device: str = DEVICE) -> Counter[int]:
        said = (json.loads(record.value()) for record in self.read())
        return Counter(each["observed_at_ms"] for each in said if each["device"] == device)

    def refused(self, address: str, keys: Keys) -> list[tuple[str, bytes]]:
        """Reason and original bytes of what came to the address, opened with the keys."""
        headers = [(dict(record.headers()), record.value()) for record in self.read()]
        return [
            (said["reason"].decode(), unseal(keys, value))
            for said, value in headers
            if said["address"].decode() == address
        ]


@dataclass
class Publisher:
    """A device behind the broker; `confirmed` holds the packet ids it has a PUBACK for."""

    port: int
    sent: dict[int, int] = field(default_factory=dict)
    confirmed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, f"device-{time.time_ns()}")
        self.client.max_inflight_messages_set(500)
        self.client.reconnect_delay_set(0.1, 0.5)
        self.client.on_publish = lambda _client, _user, packet, *_: self.confirmed.add(packet)
        self.client.connect("127.0.0.1", self.port)
        self.client.loop_start()

    def publish(self, payload: bytes, topic: str = f"taishi/readings/{DEVICE}", at_ms: int = 0) -> int:
        packet = self.client.publish(topic, payload, qos=1).mid
        self.sent[packet] = at_ms
        return packet

    def all_confirmed(self) -> bool:
        return self.confirmed >= set(self.sent)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


Starting = Callable[[str], "subprocess.Popen[bytes]"]
Following = Callable[[str], Log]


@pytest.fixture(scope="module", autouse=True)
def registry(stack: Stack) -> None:
    rows = [",".join(COLUMNS), f"{DEVICE},native,parking.space,{GRID},,,,,,true"]
    rows += [
        f"0004a30b001c00ff,bosch.tps110,parking.space,{GRID},,,,,,true",
        f"sos,,care.emergency,{GRID},,,,p-1,,true",
    ]
    (stack.settings.home / "devices.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def metrics(stack: Stack, offset: int) -> dict[str, float]:
    text = httpx.get(f"http://127.0.0.1:{stack.settings.metrics_port + offset}/metrics").text
    rows = (line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("taishi_"))
    return {name: float(value) for name, value in rows}


def answers(stack: Stack) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{stack.settings.http_port}/health").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def start(stack: Stack, tmp_path: Path) -> Iterator[Starting]:
    running: list[subprocess.Popen[bytes]] = []

    def starting(transport: str) -> subprocess.Popen[bytes]:
        running.append(stack.start("connect", transport, log=tmp_path / f"{transport}.log"))
        return running[-1]

    yield starting
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def follow(stack: Stack) -> Iterator[Following]:
    logs: list[Log] = []

    def following(topic: str) -> Log:
        logs.append(Log(stack.kafka_bootstrap, topic))
        return logs[-1]

    yield following
    for log in logs:
        log.close()


@pytest.fixture
def device(stack: Stack) -> Iterator[Publisher]:
    publisher = Publisher(stack.mqtt_port)
    yield publisher
    publisher.close()


def test_a_killed_connector_loses_nothing_that_was_acknowledged_and_gets_the_rest_again(
    stack: Stack, start: Starting, follow: Following, device: Publisher
) -> None:
    log = follow("readings.parking")
    connector = start("mqtt")
    first_ms = time.time_ns() // 1_000_000 - 100_000
    for round_number in range(3):
        base = len(device.sent)
        for number in range(base, base + 1000):
            device.publish(reading(first_ms + number), at_ms=first_ms + number)
        wait_until(lambda at_least=base + 300: len(device.confirmed) > at_least)
        connector.send_signal(signal.SIGKILL)
        connector.wait()
        acknowledged = {device.sent[packet] for packet in set(device.confirmed) if packet in device.sent}
        wait_until(lambda wanted=acknowledged: wanted <= set(log.observed()), limit_s=10)
        connector = start("mqtt")
        assert round_number < 3
    wait_until(device.all_confirmed)
    wait_until(lambda: set(log.observed()) == set(device.sent.values()))
    ids = {json.loads(record.value())["id"] for record in log.records}
    assert len(ids) == 3000  # brought twice is the same reading twice


def test_while_kafka_is_away_nothing_is_acknowledged_and_nothing_is_lost(
    stack: Stack, start: Starting, follow: Following, device: Publisher
) -> None:
    start("mqtt")
    log = follow("readings.parking")
    at_ms = time.time_ns() // 1_000_000 - 50_000
    device.publish(reading(at_ms), at_ms=at_ms)
    wait_until(device.all_confirmed)
    stack.kill("kafka")
    for number in range(1, 200):
        device.publish(reading(at_ms + number), at_ms=at_ms + number)
    assert len(device.confirmed) == 1
    stack.wait_healthy("kafka")
    wait_until(device.all_confirmed)
    wait_until(lambda: set(log.observed()) == set(device.sent.values()))


HOSTILE = {
    "oversize": b"x" * 10_000_000,
    "encoding": b'{"device": "\xff\xfe"}',
    "wrong_type": reading(1_795_392_000_000, value="full"),
    "unknown_device": reading(1_795_392_000_000, device="nobody"),
    "missing_field": b'{"device": "test-connect-1"}',
    "malformed": b"{",
    "implausible": reading(1_795_392_000_000, value=7),
    "bad_time": reading(1),
}


def test_hostile_messages_over_mqtt_are_quarantined_whole_with_their_reason(
    stack: Stack, start: Starting, follow: Following, device: Publisher
) -> None:
    log = follow(QUARANTINE)
    start("mqtt")
    topic = f"taishi/readings/hostile-{time.time_ns()}"
    for payload in HOSTILE.values():
        device.publish(payload, topic)
    wait_until(device.all_confirmed)
    keys = read_keys(stack.settings.home / "keys.json")
    wait_until(lambda: len(log.refused(topic, keys)) == len(HOSTILE))
    assert dict(log.refused(topic, keys)) == HOSTILE
    said = metrics(stack, 1)
    assert said['taishi_quarantined_total{reason="oversize",source="mqtt.native"}'] == 1
    assert said['taishi_messages_acknowledged_total{source="mqtt.native"}'] == len(HOSTILE)
    assert said['taishi_messages_in_flight{source="mqtt.native"}'] == 0


def test_http_says_what_became_of_a_message(stack: Stack, start: Starting, follow: Following) -> None:
    readings, quarantine = (
        Log(stack.kafka_bootstrap, "readings.parking"),
        Log(stack.kafka_bootstrap, QUARANTINE),
    )
    start("http")
    wait_until(lambda: answers(stack))
    at_ms = time.time_ns() // 1_000_000
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.settings.http_port}", timeout=40) as client:
        assert client.post("/readings", content=reading(at_ms)).status_code == 202
        assert set(readings.observed()) == {at_ms}  # in the log before the answer
        for reason, payload in HOSTILE.items():
            answer = client.post("/readings", content=payload)
            assert (answer.status_code, answer.json()["reason"]) == (422, reason)
        assert dict(quarantine.refused("/readings", read_keys(stack.settings.home / "keys.json"))) == HOSTILE
        assert client.post("/readings", content=b"x" * (17 * 1024 * 1024)).status_code == 413
        missing = client.post("/reading", content=b"")
        assert missing.status_code == 404
        assert "/readings" in missing.json()["detail"]
    said = metrics(stack, 2)
    received = said['taishi_messages_received_total{source="http.native"}']
    assert received == len(HOSTILE) + 2
    assert received == (
        said['taishi_messages_acknowledged_total{source="http.native"}']
        + said['taishi_refused_total{reason="too_large",source="http.native"}']
        + said['taishi_messages_in_flight{source="http.native"}']
    )


def test_a_sender_that_repeats_until_202_loses_nothing_when_http_is_killed(
    stack: Stack, start: Starting, follow: Following
) -> None:
    log = follow("readings.parking")
    connector = start("http")
    wait_until(lambda: answers(stack))
    address = f"http://127.0.0.1:{stack.settings.http_port}/readings"
    first_ms = time.time_ns() // 1_000_000 - 20_000
    taken: list[int] = []

    def send(client: httpx.Client, at_ms: int) -> bool:
        try:
            return client.post(address, content=reading(at_ms)).status_code == 202
        except httpx.TransportError:
            return False

    def send_all() -> None:
        with httpx.Client() as client:
            for at_ms in range(first_ms, first_ms + 300):
                wait_until(lambda at_ms=at_ms: send(client, at_ms))
                taken.append(at_ms)

    sender = threading.Thread(target=send_all)
    sender.start()
    for so_many in (50, 150):
        wait_until(lambda so_many=so_many: len(taken) > so_many)
        connector.kill()
        connector.wait()
        connector = start("http")
    sender.join(LIMIT_S)
    assert len(taken) == 300
    assert set(log.observed()) == set(taken)
    assert len({json.loads(record.value())["id"] for record in log.records}) == 300


def test_an_sos_becomes_a_signal_with_the_pseudonym(
    stack: Stack, start: Starting, follow: Following, device: Publisher
) -> None:
    log = follow(SIGNALS)
    start("mqtt")
    device.publish(b'{"action": "emergency", "last_seen": "2026-11-23T08:00:00+08:00"}', "zigbee2mqtt/sos")
    wait_until(device.all_confirmed)
    (signalled,) = [json.loads(record.value()) for record in log.read()]
    assert (signalled["type"], signalled["state"], signalled["subject"]) == ("sos", "active", "p-1")
    assert (signalled["grid"], signalled["simulated"]) == (GRID, True)


def test_sigterm_drains_and_leaves_nothing_unacknowledged(start: Starting, device: Publisher) -> None:
    connector = start("mqtt")
    at_ms = time.time_ns() // 1_000_000 - 30_000
    for number in range(500):
        device.publish(reading(at_ms + number), at_ms=at_ms + number)
    wait_until(lambda: len(device.confirmed) > 100)
    connector.terminate()
    assert connector.wait(20) == 0
    start("mqtt")
    wait_until(device.all_confirmed)
