"""Who may do what over MQTT: one senders file, the same contract at the embedded broker and Mosquitto."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest

from connectors.base import Device
from connectors.codecs import load_codecs
from connectors.gateway import Gateway
from connectors.mqtt.client import MqttConnector
from connectors.mqtt.routes import UNROUTED, TopicRoutes, Unrouted
from connectors.mqtt.settings import MqttSettings, MqttTls
from connectors.producer import Record
from connectors.resolve import Resolver
from deploy.embedded.health import serves
from deploy.embedded.mqtt_broker import BrokerSettings, serve
from deploy.embedded.mqtt_trust import MqttUsers
from deploy.embedded.parts import Health
from deploy.embedded.ports import free_ports
from schemas.errors import SettingsError
from taishi.doors import broker_settings, mqtt_settings
from taishi.senders import read, users_of
from taishi.settings import Settings
from tests.contract.trusted_broker import Client, TrustedBroker, named_senders, start_broker
from tests.waiting import never, wait_until

LIMIT_S = 15.0
NAMES = (f"mqtt-trust{number}" for number in count())
CONNECT = bytes.fromhex("101000044d51545404020002") + b"\x00\x04mute"


@pytest.fixture
def embedded(tmp_path: Path, certificates: Any) -> Iterator[TrustedBroker]:
    running = start_broker(tmp_path, certificates)
    yield running
    running.process.kill()
    running.process.wait()


@pytest.fixture
def connect() -> Iterator[Callable[..., Client]]:
    clients: list[Client] = []

    def make(*given: Any, **named: Any) -> Client:
        clients.append(Client(*given, **named))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


Connect = Callable[..., Client]


@pytest.mark.parametrize(
    ("user", "password"), [("d1", "wrong"), ("d1", ""), ("nobody", "x"), ("", None), ("d1/../d2", "x")]
)
def test_nobody_gets_in_without_a_good_password(
    broker: TrustedBroker, connect: Connect, user: str, password: str | None
) -> None:
    client = connect(broker, user, password)
    wait_until(lambda: client.connects)
    assert client.connects[0] is False
    if broker.kind == "embedded":
        wait_until(lambda: broker.refused("unauthorised") >= 1)


def test_the_right_password_publishes_its_own_topics_and_the_connector_gets_them(
    broker: TrustedBroker, connect: Connect
) -> None:
    connector = connect(broker, "connector").subscribe("#")
    device, gateway = connect(broker, "d1").online(), connect(broker, "chirpstack").online()
    mids = {device.publish("taishi/readings/d1", b"reading")}
    gateway.publish("application/1/device/a/event/up", b"frame")
    wait_until(lambda: len(connector.got) == 2)
    assert sorted(connector.got) == [
        ("application/1/device/a/event/up", b"frame"),
        ("taishi/readings/d1", b"reading"),
    ]
    wait_until(lambda: device.confirmed == mids)


@pytest.mark.parametrize("qos", [0, 1, 2])
@pytest.mark.parametrize("topic", ["taishi/readings/d2", "taishi/readings", "taishi/readings/d1/x", "d1"])
def test_a_foreign_topic_reaches_nobody(
    broker: TrustedBroker, connect: Connect, topic: str, qos: int
) -> None:
    connector = connect(broker, "connector").subscribe("#")
    device = connect(broker, "d1").online()
    device.publish(topic, b"forged", qos=qos)
    honest = connect(broker, "d2").online()
    honest.publish("taishi/readings/d2", b"honest")
    wait_until(lambda: connector.got)
    never(lambda: len(connector.got) > 1, 0.2)
    assert connector.got == [("taishi/readings/d2", b"honest")]


def test_a_device_reads_nothing(broker: TrustedBroker, connect: Connect) -> None:
    connector = connect(broker, "connector").subscribe("#")
    spies = [connect(broker, "d1").subscribe(topic) for topic in ("#",)]
    device = connect(broker, "d2").online()
    device.publish("taishi/readings/d2", b"private")
    wait_until(lambda: connector.got)
    never(lambda: any(spy.got for spy in spies), 0.2)


def test_only_tls_is_spoken_where_others_come_in(broker: TrustedBroker) -> None:
    with socket.create_connection(("127.0.0.1", broker.port), timeout=LIMIT_S) as plain:
        plain.sendall(CONNECT)
        try:
            answer = plain.recv(4)
        except ConnectionResetError:
            answer = b""
        assert not answer.startswith(b"\x20")


def test_mosquitto_opens_no_door_but_the_one_with_tls(broker: TrustedBroker) -> None:
    log = (broker.file.parent / "log").read_text()
    ports = {line.split()[-1] for line in log.splitlines() if "listen socket on port" in line}
    assert ports == ({f"{broker.port}."} if broker.kind == "mosquitto" else set())


def test_a_client_does_not_talk_to_a_broker_its_ca_has_not_signed(
    broker: TrustedBroker, certificates: Any
) -> None:
    doubting = ssl.create_default_context(cafile=str(certificates.other_ca))
    with (
        socket.create_connection(("127.0.0.1", broker.port), timeout=LIMIT_S) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        doubting.wrap_socket(plain, server_hostname="127.0.0.1")


def test_a_device_that_calls_itself_as_the_connector_does_not_end_it(
    broker: TrustedBroker, connect: Connect
) -> None:
    connector = connect(broker, "connector", client_id="taishi-connect-mqtt").subscribe("#")
    for user, password in (("d1", None), ("d2", "wrong")):
        thief = connect(broker, user, password, client_id="taishi-connect-mqtt")
        wait_until(lambda: thief.connects)  # noqa: B023 - waited for at once
    connect(broker, "d2").online().publish("taishi/readings/d2")
    wait_until(lambda: connector.got)
    assert (connector.ended, thief.got) == (0, [])


def test_a_will_for_a_foreign_topic_is_not_carried_out(broker: TrustedBroker, connect: Connect) -> None:
    connector = connect(broker, "connector").subscribe("#")
    device = connect(broker, "d1", will="taishi/readings/d2")
    wait_until(lambda: device.connects or device.ended)
    sock = device.client.socket()
    device.client.loop_stop()
    if sock is not None:
        sock.close()
    never(lambda: connector.got)


def test_a_removed_sender_is_not_let_in_again(broker: TrustedBroker, connect: Connect) -> None:
    connect(broker, "d1").online().close()
    broker.remove("d1")

    def turned_away() -> bool:
        client = connect(broker, "d1")
        wait_until(lambda: client.connects)
        client.close()
        return not client.connects[0]

    wait_until(turned_away)
    connect(broker, "d2").online()


def test_a_retained_message_is_for_the_connector_alone(broker: TrustedBroker, connect: Connect) -> None:
    connector = connect(broker, "connector").subscribe("#")
    connect(broker, "d2").online().publish("taishi/readings/d2", b"kept", retain=True)
    wait_until(lambda: connector.got)
    late = connect(broker, "d1").online()
    never(lambda: late.got)


class Log:
    """Confirms at once."""

    def __init__(self) -> None:
        self.values: list[bytes] = []

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        self.values += [record.value for record in records]
        on_delivered()


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


def test_the_connector_takes_a_burst_over_tls_to_its_last_message(
    broker: TrustedBroker, connect: Connect
) -> None:
    log = Log()
    devices = {"a": Device("a", "", "parking.space", "370202001001001", None, "", None, simulated=False)}
    codecs = load_codecs(["native"], {}) | {UNROUTED: Unrouted()}
    gateway = Gateway(next(NAMES), codecs, devices, Resolver(devices, Places()), log)  # type: ignore[arg-type]
    settings = MqttSettings(
        "127.0.0.1", broker.port, user="connector", password=broker.secrets["connector"],
        tls=MqttTls(broker.ca), drain_s=1.0,
    )  # fmt: skip
    connector = MqttConnector(settings, TopicRoutes({"taishi/readings/+": "native"}), gateway)
    thread = threading.Thread(target=connector.run)
    thread.start()
    try:
        device = connect(broker, "d1").online()
        reading = b'{"device":"a","kind":"parking.space","metric":"occupied","value":1,"observed_at_ms":%d}'
        # Mosquitto drops what nobody has subscribed to yet.
        wait_until(lambda: device.publish("taishi/readings/d1", reading % 1_795_392_000_000) and log.values)
        mids = set()
        for number in range(1000):
            mids.add(device.publish("taishi/readings/d1", reading % (1_795_392_000_000 + number)))
        wait_until(lambda: device.confirmed >= mids)
        wait_until(lambda: len({json.loads(value)["observed_at_ms"] for value in log.values}) == 1000)
    finally:
        connector.stop()
        thread.join(LIMIT_S)
    assert not thread.is_alive()


def test_what_one_tls_record_holds_is_read_to_its_end(certificates: Any) -> None:
    """Decrypted bytes are no longer in the socket: select says nothing of them, and nothing follows here."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    log = Log()
    gateway = Gateway(
        next(NAMES), {"native": Unrouted()}, {}, Resolver({}, Places()), log  # type: ignore[arg-type]
    )  # fmt: skip
    with socket.create_server(("127.0.0.1", 0)) as listener:
        settings = MqttSettings(
            "127.0.0.1", listener.getsockname()[1], tls=MqttTls(certificates.ca), drain_s=0
        )
        connector = MqttConnector(settings, TopicRoutes({"a": "native"}), gateway)
        thread = threading.Thread(target=connector.run)
        thread.start()
        with context.wrap_socket(listener.accept()[0], server_side=True) as broker:
            broker.settimeout(LIMIT_S)
            broker.recv(1000)
            broker.sendall(bytes.fromhex("20020000"))
            broker.recv(1000)
            publishes = (b"\x32\x06\x00\x01a" + number.to_bytes(2, "big") + b"x" for number in range(1, 201))
            broker.sendall(bytes.fromhex("9003000101") + b"".join(publishes))
            try:
                wait_until(lambda: len(log.values) == 200)
            finally:
                connector.stop()
                thread.join(LIMIT_S)


def test_a_foreign_topic_ends_the_connection_without_a_puback_and_is_counted(
    embedded: TrustedBroker, connect: Connect
) -> None:
    connect(embedded, "connector").subscribe("#")
    device = connect(embedded, "d1").online()
    mid = device.publish("taishi/readings/d2")
    wait_until(lambda: device.ended)
    assert mid not in device.confirmed
    assert embedded.refused("forbidden") >= 1


def test_a_subscription_of_a_device_is_told_to_be_refused(embedded: TrustedBroker, connect: Connect) -> None:
    spy = connect(embedded, "d1").subscribe("taishi/readings/d1")
    assert spy.subscribed == [True]
    assert embedded.refused("forbidden") == 1


def test_with_senders_nobody_is_anonymous_on_loopback_either_and_the_health_check_knows(
    embedded: TrustedBroker,
) -> None:
    with socket.create_connection(("127.0.0.1", embedded.plain_port), timeout=LIMIT_S) as plain:
        plain.sendall(CONNECT)
        assert plain.recv(4) == bytes.fromhex("20020005")
    assert asyncio.run(serves(Health("mqtt", embedded.plain_port)))


def test_a_connection_that_says_nothing_is_ended_and_told() -> None:
    told: list[tuple[str, str, str]] = []

    async def waiting() -> bytes:
        (port,) = free_ports(1)
        stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
        settings = BrokerSettings(port, told=lambda *what: told.append(what), connect_s=0.2)
        task = asyncio.create_task(serve(settings, stop, started))
        await started
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(CONNECT[:5])
        answer = await asyncio.wait_for(reader.read(10), LIMIT_S)
        writer.close()
        stop.set()
        await task
        return answer

    assert asyncio.run(waiting()) == b""
    assert told == [("slow", "127.0.0.1", "no CONNECT within 0.2 s")]


def test_a_user_that_sends_too_much_is_read_more_slowly_and_loses_nothing(tmp_path: Path) -> None:
    """Times are not measured: the rule says for how long, and is asked for every message."""
    file, secrets = named_senders(tmp_path)
    asked: list[str] = []
    told: list[tuple[str, str, str]] = []
    got: list[bytes] = []

    def wait_s(user: str) -> float:
        asked.append(user)
        return 0.05 if len(asked) > 2 else 0.0

    async def sending() -> None:
        (port,) = free_ports(1)
        stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
        users = MqttUsers(users_of(read(file)))
        settings = BrokerSettings(port, None, users, told=lambda *what: told.append(what), wait_s=wait_s)
        task = asyncio.create_task(serve(settings, stop, started))
        await started
        connector, device = (mqtt.Client(mqtt.CallbackAPIVersion.VERSION2) for _ in range(2))
        for name, client in (("connector", connector), ("d1", device)):
            client.username_pw_set(name, secrets[name])
            client.connect_async("127.0.0.1", port)
        connector.on_connect = lambda *_: connector.subscribe("#", 1)
        connector.on_message = lambda _c, _u, message: got.append(message.payload)
        connector.on_subscribe = lambda *_: device.loop_start()
        connector.loop_start()
        for number in range(10):
            device.publish("taishi/readings/d1", b"%d" % number, qos=1)
        await asyncio.to_thread(wait_until, lambda: len(got) == 10)
        for client in (device, connector):
            client.disconnect()
            client.loop_stop()
        stop.set()
        await task

    asyncio.run(sending())
    assert got == [b"%d" % number for number in range(10)]
    assert asked == ["d1"] * 10
    assert [(reason, who) for reason, who, _ in told] == [("rate", "d1")] * 8


def test_settings_that_would_open_the_broker_to_others_are_refused(certificates: Any) -> None:
    pair = {"broker_tls_certificate": certificates.certificate, "broker_tls_key": certificates.key}
    with pytest.raises(SettingsError, match=r"without senders_file.*taishi senders add"):
        broker_settings(Settings(broker_tls_host="192.0.2.1", **pair), lambda *_: None)
    with pytest.raises(SettingsError, match="with broker_tls_certificate"):
        broker_settings(Settings(broker_tls_host="192.0.2.1"), lambda *_: None)
    assert broker_settings(Settings(**pair), lambda *_: None).tls is not None
    assert broker_settings(Settings(), lambda *_: None).tls is None


def test_a_ca_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="mqtt_ca_file"):
        mqtt_settings(Settings(mqtt_tls=True, mqtt_ca_file=tmp_path / "none.pem"), 1.0)
