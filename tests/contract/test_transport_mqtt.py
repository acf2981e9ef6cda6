"""What the MQTT connector promises: PUBACK only for what the log confirmed, on the same connection."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import count
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from connectors.base import Device
from connectors.codecs import load_codecs
from connectors.gateway import Gateway, Limits
from connectors.mqtt.client import MqttConnector
from connectors.mqtt.routes import UNROUTED, TopicRoutes, Unrouted
from connectors.mqtt.settings import MqttSettings
from connectors.producer import Record
from connectors.resolve import Resolver
from deploy.embedded.ports import free_ports, is_free
from schemas.errors import SettingsError
from tests.waiting import never, wait_until

GRID = "370202001001001"
LIMIT_S = 15.0
NAMES = (f"mqtt-test{number}" for number in count())


class HeldLog:
    """Keeps what it is given; `confirm` is Kafka's delivery report, from another thread than the reader's."""

    def __init__(self, at_once: bool = False) -> None:
        self.groups: list[tuple[Sequence[Record], Callable[[], None]]] = []
        self.kept: list[Record] = []
        self._at_once = at_once

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        self.kept += records
        if self._at_once:
            on_delivered()
        else:
            self.groups.append((records, on_delivered))

    @property
    def records(self) -> int:
        return sum(len(records) for records, _ in self.groups)

    def confirm(self) -> None:
        groups, self.groups = self.groups, []
        for _, on_delivered in groups:
            on_delivered()


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


class Broker:
    """The embedded broker, or Mosquitto: its PUBACK is its own word and does not wait for the log."""

    def __init__(self, mosquitto: str = "", folder: Path = Path()) -> None:
        self.waits_for_the_log = not mosquitto
        self.port, self._metrics_port = free_ports(2)
        self._command = [sys.executable, "-m", "taishi.cli.main", "broker"]
        if mosquitto:
            configuration = folder / "mosquitto.conf"
            configuration.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n")
            self._command = [mosquitto, "-c", str(configuration)]
        self.start()

    def start(self) -> None:
        environment = dict(os.environ) | {
            "TAISHI_MQTT_PORT": str(self.port),
            "TAISHI_METRICS_PORT": str(self._metrics_port - 6),
        }
        self._process = subprocess.Popen(
            self._command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_until(lambda: not is_free(self.port))
        except AssertionError:
            self.kill()
            raise

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


class Sender:
    """A device: what it sent, and what was acknowledged to it."""

    def __init__(self, port: int) -> None:
        self.confirmed: set[int] = set()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, f"device-{time.time_ns()}")
        self._client.reconnect_delay_set(0.1, 0.3)
        self._client.max_inflight_messages_set(0)
        self._client.on_publish = lambda _client, _user, packet, *_: self.confirmed.add(packet)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def send(self, number: int = 0, topic: str = "taishi/readings/a") -> int:
        payload = (
            b'{"device":"a","kind":"parking.space","metric":"occupied","value":1,"observed_at_ms":%d}'
            % (1_795_392_000_000 + number)
        )
        return self._client.publish(topic, payload, qos=1).mid

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


class Running:
    """A connector in a thread of this process."""

    def __init__(
        self,
        port: int,
        log: HeldLog,
        limits: Limits | None = None,
        drain_s: float = 0.2,
        client_id: str = "connector",
        share: str = "",
    ) -> None:
        devices = {"a": Device("a", "", "parking.space", GRID, None, "", None, simulated=False)}
        codecs = load_codecs(["native"], {}) | {UNROUTED: Unrouted()}
        resolver = Resolver(devices, Places())
        self.gateway = Gateway(next(NAMES), codecs, devices, resolver, log, limits)  # type: ignore[arg-type]
        settings = MqttSettings("127.0.0.1", port, client_id, drain_s=drain_s, share=share)
        self.connector = MqttConnector(settings, TopicRoutes({"taishi/readings/+": "native"}), self.gateway)
        self.thread = threading.Thread(target=self.connector.run)
        self.thread.start()

    def stop(self) -> None:
        self.connector.stop()
        self.thread.join(LIMIT_S)
        assert not self.thread.is_alive()


@pytest.fixture
def broker(request: pytest.FixtureRequest, tmp_path: Path, program: Callable[[str], str]) -> Iterator[Broker]:
    """The embedded one, unless a test is of BOTH."""
    wants_mosquitto = getattr(request, "param", "embedded") == "mosquitto"
    running = Broker(program("mosquitto"), tmp_path) if wants_mosquitto else Broker()
    yield running
    running.kill()


BOTH = pytest.mark.parametrize("broker", ["embedded", "mosquitto"], indirect=True)


@pytest.fixture
def run(broker: Broker) -> Iterator[Callable[..., Running]]:
    all_of_them: list[Running] = []

    def running(log: HeldLog, **options: object) -> Running:
        all_of_them.append(Running(broker.port, log, **options))  # type: ignore[arg-type]
        return all_of_them[-1]

    yield running
    for each in all_of_them:
        each.stop()


@pytest.fixture
def sender(broker: Broker) -> Iterator[Sender]:
    device = Sender(broker.port)
    yield device
    device.close()


def test_puback_comes_after_the_logs_confirmation(run: Callable[..., Running], sender: Sender) -> None:
    log = HeldLog()
    run(log)
    packets = {sender.send(number) for number in range(50)}
    wait_until(lambda: log.records == 50)
    never(lambda: sender.confirmed)
    log.confirm()
    wait_until(lambda: sender.confirmed == packets)


def test_a_confirmation_of_an_earlier_connection_acknowledges_nothing(
    broker: Broker, run: Callable[..., Running], sender: Sender
) -> None:
    log = HeldLog()
    run(log)
    sender.send(1)
    wait_until(lambda: log.groups)
    stale, log.groups = log.groups, []
    broker.kill()
    broker.start()
    packets = {sender.send(2)}
    wait_until(lambda: log.records >= 2)  # the first comes again, and the second with it
    for _, on_delivered in stale:
        on_delivered()
    never(lambda: packets & sender.confirmed)
    log.confirm()
    wait_until(lambda: packets <= sender.confirmed)


@BOTH
def test_without_room_the_socket_is_not_read_and_acknowledgements_still_go_out(
    broker: Broker, run: Callable[..., Running], sender: Sender
) -> None:
    log = HeldLog()
    run(log, limits=Limits(messages=10))
    listening(broker, sender, log)
    packets = {sender.send(number) for number in range(100)}
    wait_until(lambda: log.records >= 10)
    never(lambda: log.records > 10)
    taken = len(log.kept)
    log.groups.pop(0)[1]()
    wait_until(lambda: len(log.kept) > taken and log.records == 10)
    while taken_by([log], 100) < 100:
        log.confirm()
        wait_until(lambda: log.groups or taken_by([log], 100) == 100)
    log.confirm()
    wait_until(lambda: packets <= sender.confirmed)


@BOTH
def test_what_is_unconfirmed_at_the_end_goes_to_the_next_process(
    broker: Broker, run: Callable[..., Running], sender: Sender
) -> None:
    lost, log = HeldLog(), HeldLog()
    first = run(lost)
    listening(broker, sender, lost)
    packet = sender.send()
    wait_until(lambda: taken_by([lost], 1))
    first.stop()
    assert not (broker.waits_for_the_log and packet in sender.confirmed)
    run(log)
    wait_until(lambda: taken_by([log], 1))
    log.confirm()
    wait_until(lambda: packet in sender.confirmed)


@BOTH
def test_what_comes_while_no_connector_is_there_goes_to_the_next_process(
    broker: Broker, run: Callable[..., Running], sender: Sender
) -> None:
    lost, log = HeldLog(), HeldLog(at_once=True)
    first = run(lost)
    listening(broker, sender, lost)
    first.stop()
    packets = {sender.send(number) for number in range(50)}
    if not broker.waits_for_the_log:
        wait_until(lambda: packets <= sender.confirmed)  # in Mosquitto's queue, and not in the log
    run(log)
    wait_until(lambda: taken_by([log], 50) == 50)
    wait_until(lambda: packets <= sender.confirmed)


@BOTH
def test_stopping_waits_for_what_the_log_still_confirms(
    broker: Broker, run: Callable[..., Running], sender: Sender
) -> None:
    log, left = HeldLog(), HeldLog()
    running = run(log, drain_s=10.0)
    listening(broker, sender, log)
    packet = sender.send()
    wait_until(lambda: taken_by([log], 1))
    running.connector.stop()
    never(lambda: not running.thread.is_alive(), for_s=0.3)
    log.confirm()
    running.thread.join(5)
    assert not running.thread.is_alive()
    wait_until(lambda: packet in sender.confirmed)
    run(left)
    never(lambda: taken_by([left], 1))  # so it was acknowledged to the broker as well


def test_it_waits_for_a_broker_that_is_not_there_yet() -> None:
    (port,) = free_ports(1)
    running = Running(port, HeldLog())
    never(lambda: not running.thread.is_alive(), for_s=0.5)
    running.stop()


@pytest.fixture
def mosquitto(tmp_path: Path, program: Callable[[str], str]) -> Iterator[int]:
    running = Broker(program("mosquitto"), tmp_path)
    yield running.port
    running.kill()


def listening(broker: Broker, device: Sender, log: HeldLog) -> None:
    """Wait until Mosquitto knows the connector's subscription: what comes earlier it keeps for nobody."""
    while not broker.waits_for_the_log and not log.kept:
        device.send(1_000_000)
        with suppress(AssertionError):
            wait_until(lambda: log.kept, 0.1)
    log.confirm()


def arrives_once(port: int, logs: list[HeldLog], count: int) -> None:
    """Messages until the first arrives (subscribed), then `count` more, each at one of them."""
    device = Sender(port)
    for number in range(1_000_000, 1_000_500):
        device.send(number)
        with suppress(AssertionError):
            wait_until(lambda: any(log.kept for log in logs), 0.1)
            break
    packets = {device.send(number) for number in range(count)}
    wait_until(lambda: packets <= device.confirmed)
    wait_until(lambda: taken_by(logs, count) >= count)
    never(lambda: taken_by(logs, count) > count)
    device.close()


def taken_by(logs: list[HeldLog], count: int) -> int:
    """How many messages have come, one that came twice being two."""
    wanted = {b"%d" % (1_795_392_000_000 + number) for number in range(count)}
    values = [record.value for log in logs for record in log.kept]
    return sum(any(each in value for each in wanted) for value in values)


def test_connectors_of_one_share_take_each_message_once(mosquitto: int) -> None:
    logs = [HeldLog(at_once=True), HeldLog(at_once=True)]
    ours = [Running(mosquitto, log, client_id=f"c{n}", share="g") for n, log in enumerate(logs)]
    try:
        arrives_once(mosquitto, logs, 100)
    finally:
        for each in ours:
            each.stop()
    assert all(len(log.kept) > 10 for log in logs)


def test_a_session_that_joins_a_share_gives_up_its_own_subscription(mosquitto: int) -> None:
    log = HeldLog(at_once=True)
    alone = Running(mosquitto, log)
    try:
        arrives_once(mosquitto, [log], 1)
    finally:
        alone.stop()
    log = HeldLog(at_once=True)
    joined = Running(mosquitto, log, share="g")
    try:
        arrives_once(mosquitto, [log], 50)
    finally:
        joined.stop()


def test_the_first_filter_that_matches_names_the_codec() -> None:
    routes = TopicRoutes({"a/+/up": "native", "a/#": "fhir"})
    assert [routes.codec_of(topic) for topic in ("a/1/up", "a/1/down", "a", "b")] == [
        "native", "fhir", "fhir", UNROUTED,
    ]  # fmt: skip


@pytest.mark.parametrize("topic_filter", ["", "a/b+", "a/#/c", "#a", "a/+b/c"])
def test_a_bad_filter_is_refused_at_the_start(topic_filter: str) -> None:
    with pytest.raises(SettingsError, match="topic filter"):
        TopicRoutes({topic_filter: "native"})
