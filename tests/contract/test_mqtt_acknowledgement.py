"""What a device may rely on: its PUBACK means that a subscriber has, and has confirmed, the message.

Runs against the embedded broker, and the part that any broker keeps against Mosquitto when it is there.
Mosquitto's promise is weaker: it confirms to the device itself and holds the message in memory until the
subscriber confirms; killed in between, it loses it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import paho.mqtt.client as mqtt
import pytest

from deploy.embedded.ports import free_ports, is_free
from tests.waiting import never, wait_until

LIMIT_S = 15.0
CONNECT = bytes.fromhex("101000044d51545404020002")
"""A clean session with two seconds of keep-alive; the client id of four letters follows."""
CONNACK = bytes.fromhex("20020000")


@dataclass
class BrokerProcess:
    command: list[str]
    environment: dict[str, str]
    port: int
    metrics_port: int
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until(lambda: not is_free(self.port))
        except AssertionError:
            self.end(signal.SIGKILL)
            raise

    def end(self, signal_number: int = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(signal_number)
        self.process.wait(10)

    def waiting(self) -> int:
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics").text
        (line,) = (x for x in text.splitlines() if x.startswith("taishi_broker_waiting_messages "))
        return int(float(line.split()[1]))


@dataclass
class Client:
    """A paho client that records; `acknowledges` false withholds every PUBACK."""

    port: int
    name: str
    acknowledges: bool = True
    clean: bool = True
    got: list[mqtt.MQTTMessage] = field(default_factory=list)
    confirmed: set[int] = field(default_factory=set)
    subscribed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        version = mqtt.CallbackAPIVersion.VERSION2
        self.client = mqtt.Client(version, self.name, clean_session=self.clean, manual_ack=True)
        self.client.reconnect_delay_set(0.1, 0.5)
        self.client.max_inflight_messages_set(0)
        self.client.on_message = self._on_message
        self.client.on_publish = lambda _c, _u, mid, *_: self.confirmed.add(mid)
        self.client.on_subscribe = lambda *_: self.subscribed.set()
        self.client.connect("127.0.0.1", self.port, keepalive=30)
        self.client.loop_start()

    def subscribe(self, topic: str, qos: int = 1) -> Client:
        self.client.on_connect = lambda *_: self.client.subscribe(topic, qos)  # again after a reconnect
        wait_until(self.client.is_connected)
        self.client.subscribe(topic, qos)
        assert self.subscribed.wait(LIMIT_S)
        return self

    def publish(self, topic: str, payload: bytes, qos: int = 1) -> int:
        return self.client.publish(topic, payload, qos).mid

    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.got]

    def vanish(self) -> None:
        """As a killed process: the connection ends without a DISCONNECT."""
        sock = self.client.socket()
        self.client.loop_stop()
        if sock is not None:
            sock.close()

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()

    def _on_message(self, client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        self.got.append(message)
        if self.acknowledges:
            client.ack(message.mid, message.qos)


def _embedded(port: int, metrics_port: int) -> BrokerProcess:
    environment = dict(os.environ) | {
        "TAISHI_MQTT_PORT": str(port),
        "TAISHI_METRICS_PORT": str(metrics_port - 6),
    }
    command = [sys.executable, "-m", "taishi.cli.main", "broker"]
    return BrokerProcess(command, environment, port, metrics_port)


def _mosquitto(program: str, port: int, folder: Path) -> BrokerProcess:
    configuration = folder / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    return BrokerProcess([program, "-c", str(configuration)], dict(os.environ), port, 0)


@pytest.fixture
def broker() -> Iterator[BrokerProcess]:
    port, metrics_port = free_ports(2)
    process = _embedded(port, metrics_port)
    process.start()
    yield process
    process.end(signal.SIGKILL)


@pytest.fixture(params=["embedded", "mosquitto"])
def any_broker(
    request: pytest.FixtureRequest, tmp_path: Path, program: Callable[[str], str]
) -> Iterator[BrokerProcess]:
    port, metrics_port = free_ports(2)
    if request.param == "embedded":
        process = _embedded(port, metrics_port)
    else:
        process = _mosquitto(program("mosquitto"), port, tmp_path)
    process.start()
    yield process
    process.end(signal.SIGKILL)


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(process: BrokerProcess, name: str, **options: bool) -> Client:
        clients.append(Client(process.port, name, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_a_message_of_10_mb_arrives_whole(any_broker: BrokerProcess, connect: Callable[..., Client]) -> None:
    payload = os.urandom(10_000_000)
    subscriber = connect(any_broker, "connector").subscribe("#")
    device = connect(any_broker, "device")
    mid = device.publish("a/b", payload)
    wait_until(lambda: mid in device.confirmed)
    wait_until(lambda: subscriber.got)
    assert subscriber.payloads() == [payload]


def test_wildcards_choose_and_order_is_kept(
    any_broker: BrokerProcess, connect: Callable[..., Client]
) -> None:
    subscriber = connect(any_broker, "connector").subscribe("application/+/device/+/event/up")
    device = connect(any_broker, "device")
    for number in range(300):
        device.publish(f"application/1/device/{number % 7}/event/up", b"%d" % number)
        device.publish("application/1/device/7/event/join", b"other")
    wait_until(lambda: len(subscriber.got) >= 300)
    assert subscriber.payloads() == [b"%d" % number for number in range(300)]
    assert {message.qos for message in subscriber.got} == {1}


def test_a_session_that_comes_back_gets_what_it_did_not_confirm(
    any_broker: BrokerProcess, connect: Callable[..., Client]
) -> None:
    first = connect(any_broker, "connector", acknowledges=False, clean=False).subscribe("a/#")
    device = connect(any_broker, "device")
    mid = device.publish("a/b", b"kept")
    wait_until(lambda: first.got)
    first.vanish()
    second = connect(any_broker, "connector", clean=False).subscribe("a/#")
    wait_until(lambda: second.got)
    assert second.payloads()[0] == b"kept"
    wait_until(lambda: mid in device.confirmed)


def test_puback_waits_for_the_subscribers_confirmation_however_long(
    broker: BrokerProcess, connect: Callable[..., Client]
) -> None:
    subscriber = connect(broker, "connector", acknowledges=False).subscribe("#")
    device = connect(broker, "device")
    mid = device.publish("a/b", b"reading")
    wait_until(lambda: subscriber.got)
    never(lambda: mid in device.confirmed, for_s=6.0)  # stock amqtt gives up after five seconds
    message = subscriber.got[0]
    subscriber.client.ack(message.mid, message.qos)
    wait_until(lambda: mid in device.confirmed)
    assert len(subscriber.got) == 1


def test_without_a_subscriber_the_device_waits_for_one(
    broker: BrokerProcess, connect: Callable[..., Client]
) -> None:
    watcher = connect(broker, "watcher").subscribe("#", qos=0)
    device = connect(broker, "device")
    mid = device.publish("a/b", b"reading")
    wait_until(lambda: watcher.got)
    never(lambda: mid in device.confirmed)  # a watcher with QoS 0 confirms nothing
    subscriber = connect(broker, "connector").subscribe("a/#")
    wait_until(lambda: mid in device.confirmed)
    assert subscriber.payloads() == [b"reading"]


def test_what_a_dead_subscriber_did_not_confirm_goes_to_the_next(
    broker: BrokerProcess, connect: Callable[..., Client]
) -> None:
    first = connect(broker, "first", acknowledges=False).subscribe("#")
    device = connect(broker, "device")
    mids = {device.publish("a/b", b"%d" % number) for number in range(50)}
    wait_until(lambda: len(first.got) == 50)
    first.vanish()
    never(lambda: device.confirmed)
    second = connect(broker, "second").subscribe("#")
    wait_until(lambda: device.confirmed == mids)
    assert second.payloads() == [b"%d" % number for number in range(50)]


def test_a_subscriber_that_falls_silent_is_given_up_after_its_keep_alive(
    broker: BrokerProcess, connect: Callable[..., Client]
) -> None:
    with socket.create_connection(("127.0.0.1", broker.port)) as silent:
        silent.sendall(bytes.fromhex("101000044d51545404020002") + b"\x00\x04mute")
        silent.sendall(bytes.fromhex("820600010001") + b"#" + b"\x01")
        assert silent.recv(4) == CONNACK
        assert silent.recv(5) == bytes.fromhex("9003000101")
        device = connect(broker, "device")
        mid = device.publish("a/b", b"reading")
        assert silent.recv(2)[0] == 0x32
        never(lambda: mid in device.confirmed)
        connect(broker, "connector").subscribe("a/#")
        wait_until(lambda: mid in device.confirmed)


def test_a_device_that_left_is_not_kept_for(broker: BrokerProcess, connect: Callable[..., Client]) -> None:
    with socket.create_connection(("127.0.0.1", broker.port)) as device:
        device.sendall(CONNECT + b"\x00\x04mute")
        assert device.recv(4) == CONNACK
        device.sendall(bytes.fromhex("320a0003") + b"a/b" + bytes.fromhex("0001") + b"xyz")
        wait_until(lambda: broker.waiting() == 1)
    wait_until(lambda: broker.waiting() == 0)
    subscriber = connect(broker, "connector").subscribe("#")
    never(lambda: subscriber.got)


def test_a_device_far_ahead_is_not_read_until_there_is_room(
    broker: BrokerProcess, connect: Callable[..., Client]
) -> None:
    device = connect(broker, "device")
    mids = {device.publish("a/b", b"%05d" % number + b"x" * 2000) for number in range(4000)}
    wait_until(lambda: broker.waiting() >= 1000)
    never(lambda: broker.waiting() > 1100)
    subscriber = connect(broker, "connector").subscribe("#")
    wait_until(lambda: device.confirmed == mids)
    assert [payload[:5] for payload in subscriber.payloads()] == [b"%05d" % number for number in range(4000)]


def test_nothing_confirmed_is_lost_when_the_broker_is_killed(
    broker: BrokerProcess, connect: Callable[..., Client]
) -> None:
    subscriber = connect(broker, "connector").subscribe("#")
    device = connect(broker, "device")
    sent = {device.publish("a/b", b"%d" % number): b"%d" % number for number in range(300)}
    for start in (300, 600):
        wait_until(lambda: device.confirmed)
        broker.end(signal.SIGKILL)
        confirmed = set(device.confirmed)
        assert {sent[mid] for mid in confirmed} <= set(subscriber.payloads())
        broker.start()
        sent |= {device.publish("a/b", b"%d" % n): b"%d" % n for n in range(start, start + 300)}
    wait_until(lambda: len(device.confirmed) == 900)
    assert set(sent.values()) == set(subscriber.payloads())
