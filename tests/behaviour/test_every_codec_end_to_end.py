"""Every codec's fixtures through the doors of a running stack, into the right grid of InfluxDB and alerts.

Each good case of `connectors/*/testcases`, each LoRaWAN device's (as an uplink of ChirpStack) and each
sample is sent by the way its format comes: MQTT, HTTP, TCP or SIP. So that cases do not meet, each gets
devices of its own where the format lets them be renamed in the text, and each device a grid of its own. So
that they count, their times are moved to now, in whatever spelling. Both are checked by decoding what is
sent. Whether what a codec says is right, its own cases tell; here the question is whether it arrives.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import msgspec
import paho.mqtt.client as mqtt
import pytest
from confluent_kafka import Consumer, TopicPartition

from connectors.alarms import SIGNAL_OF
from connectors.base import Decoded, Device, Message, Observation
from connectors.codecs import codec_names, load_codecs
from connectors.enrolment import to_csv
from connectors.lorawan.frame import frame_models
from connectors.occurrences import Occurrences
from connectors.registry import parse_rows
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.alerts import Alert
from schemas.kinds import KINDS
from schemas.readings import Reading
from schemas.signals import Signal
from schemas.topics import ALERTS, SIGNALS, TOPICS, readings_topic
from taishi.places import load_registry
from taishi.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

CONNECTORS = Path(__file__).resolve().parents[2] / "connectors"
BASE = datetime(2026, 11, 23)  # noqa: DTZ001 - the day of the cases, in whatever zone they write it
BASE_MS = 1_795_392_000_000
DOMAINS = tuple(dict.fromkeys(kind.domain for kind in KINDS.values()))
KIND_OF = {signal: key.rpartition(".")[0] for key, signal in SIGNAL_OF.items()}
OLDEST_MS, LIMIT_S = 480_000, 90.0
HTTP_ROUTES: dict[str, str] = Settings.model_fields["http_routes"].default
MQTT_ROUTES: dict[str, str] = Settings.model_fields["mqtt_routes"].default
TCP_CODEC, SIP_CODEC = "gb26875", "gb28181"
ISO = re.compile(rb"(?<!\d)(20\d\d-\d\d-\d\d)([T ])(\d\d:\d\d)")
COMPACT = re.compile(rb"(?<!\d)(20\d{10})(\d\d)(?!\d)")
EPOCH = re.compile(rb"(?<![\d.])(1[78]\d{8})(?=\d{3}(?!\d)|(?!\d))")
BINARY = re.compile(rb"[\x00-\x3b]{2}[\x00-\x17]\x17\x0b\x1a", re.DOTALL)


@dataclass(frozen=True)
class Case:
    """A case as it lies in its folder."""

    name: str
    codec: str
    payload: bytes
    said: dict[str, Any]


@dataclass
class Sent:
    """A case as it is sent, and what its codec says of that."""

    case: Case
    payload: bytes
    address: str
    devices: dict[str, Device]
    means: Decoded = field(default_factory=Decoded)


def cases() -> Iterator[Case]:
    """The good ones: nothing refused, something said, of the options most cases of the codec have."""
    for codec in codec_names():
        folder = CONNECTORS / codec
        found = [read(codec, path) for path in sorted(folder.glob("testcases/*"))]
        good = [case for case in found if is_good(case)]
        options = Counter(json.dumps(case.said.get("options", {})) for case in good).most_common(1)[0][0]
        usual = [case for case in good if json.dumps(case.said.get("options", {})) == options]
        yield from usual
        (sample,) = folder.glob("sample.*")
        said = usual[0].said | {"received_at_ms": 0}
        yield Case(f"{codec}/sample", codec, sample.read_bytes(), said)
    for model in frame_models():
        for path in sorted((CONNECTORS / "lorawan" / model.replace(".", "_")).glob("testcases/*")):
            case = read("chirpstack", path)
            if is_good(case):
                yield uplink(case, model)


def read(codec: str, path: Path) -> Case:
    (message,) = path.glob("input.*")
    said = json.loads((path / "expected.json").read_text(encoding="utf-8"))
    return Case(f"{path.parents[1].name}/{path.name}", codec, message.read_bytes(), said)


def is_good(case: Case) -> bool:
    said = case.said
    return not said.get("rejected") and not said.get("retained") and bool(observed(said))


def observed(said: dict[str, Any]) -> list[Any]:
    return [*said.get("observations", []), *said.get("signals", [])]


def uplink(case: Case, model: str) -> Case:
    """A device's frame as ChirpStack hands it on."""
    given = json.loads(case.payload)
    envelope = json.loads((CONNECTORS / "chirpstack" / "sample.json").read_bytes())
    envelope |= {"fPort": given["port"], "data": base64.b64encode(bytes.fromhex(given["hex"])).decode()}
    (device,) = {each["device"] for each in observed(case.said)}
    address = f"application/1/device/{device}/event/up"
    said = case.said | {"devices": [{"device": device, "model": model}], "address": address}
    return Case(case.name, "chirpstack", json.dumps(envelope).encode(), said)


def moved(payload: bytes, by: timedelta) -> bytes:
    """The payload with every time of the cases' days later by whole minutes, in every spelling it has."""

    def near(at: datetime) -> bool:
        return abs(at - BASE) < timedelta(days=2)

    def iso(found: re.Match[bytes]) -> bytes:
        at = datetime.fromisoformat(f"{found[1].decode()}T{found[3].decode()}")
        later = (at + by).isoformat(timespec="minutes").encode()
        return later.replace(b"T", found[2]) if near(at) else found[0]

    def compact(found: re.Match[bytes]) -> bytes:
        at = datetime.strptime(found[1].decode(), "%Y%m%d%H%M")  # noqa: DTZ007 - its zone is the case's
        return (at + by).strftime("%Y%m%d%H%M").encode() + found[2] if near(at) else found[0]

    def epoch(found: re.Match[bytes]) -> bytes:
        is_near = abs(int(found[1]) - BASE_MS // 1000) < 2 * 86_400
        return b"%d" % (int(found[1]) + by.total_seconds()) if is_near else found[0]

    return EPOCH.sub(epoch, COMPACT.sub(compact, ISO.sub(iso, payload)))


def moved_frame(frame: bytes, by: timedelta, number: int) -> bytes:
    """The same of GB/T 26875.3: six bytes, seconds first, and the sum; `number` is added to the address."""

    def six(found: re.Match[bytes]) -> bytes:
        second, minute, hour, day, month, year = found[0]
        at = datetime(2000 + year, month, day, hour, minute, second) + by  # noqa: DTZ001 - as above
        return bytes((at.second, at.minute, at.hour, at.day, at.month, at.year - 2000))

    body = bytearray(BINARY.sub(six, frame[2:-3]))
    body[10] = (body[10] + number) % 256
    return frame[:2] + bytes(body) + bytes((sum(body) % 256,)) + frame[-2:]


def renamed(text: str, number: int) -> str:
    """Another name of the same look: its last two hex digits, else something added."""
    return f"{text[:-2]}{number:02d}" if re.fullmatch(r"[0-9a-fA-F]{2}", text[-2:]) else f"{text}-{number}"


def prepared(case: Case, by: timedelta, number: int, codecs: dict[str, Any]) -> Sent:
    """The case at its new time; `number` 0: under its own names."""
    payload = moved_frame(case.payload, by, number) if case.codec == TCP_CODEC else moved(case.payload, by)
    rows, address = case.said.get("devices", []), case.said.get("address", "x")
    names = {row["device"] for row in rows} | {each["device"] for each in observed(case.said)}
    parts = {part for name in names for part in name.split("/") if len(part) > 2} if number else set()
    spelled = {each: renamed(each, number) for part in parts for each in (part, part.upper(), part.lower())}

    def other(text: str) -> str:
        for old, new in spelled.items():
            text = text.replace(old, new)
        return text

    for old, new in spelled.items():
        payload = payload.replace(old.encode(), new.encode())
    devices = {}
    for row in rows:
        known = {"model": "", "kind": "", "subject": "", "capacity": None, "zone": "", "vendor": ""}
        values = known | {name: row[name] for name in known if name in row}
        devices[other(row["device"])] = Device(
            device=other(row["device"]), grid="", location=None, simulated=True, **values
        )
    sent = Sent(case, payload, address if address.startswith("/") else other(address), devices)
    return meaning(sent, codecs)


def meaning(sent: Sent, codecs: dict[str, Any]) -> Sent:
    """With what its codec says now; of what it names and no row does, a device each."""
    headers = tuple(sent.case.said.get("headers", {}).items())
    message = Message(sent.payload, sent.address, time.time_ns() // 1_000_000, headers=headers)
    codec = codecs[sent.case.codec]
    means = codec.decode(message, sent.devices)
    said = (*means.observations, *means.signals) if isinstance(means, Decoded) else ()
    for each in said:
        kind = each.kind if isinstance(each, Observation) else KIND_OF[each.type]
        bare = Device(each.device, "", kind, "", None, "", None, simulated=True)
        sent.devices.setdefault(each.device, bare)
    kinds = {each.device: each.kind for each in said if isinstance(each, Observation)}
    for name, device in sent.devices.items():  # a registry's row has a kind
        sent.devices[name] = replace(device, kind=device.kind or kinds.get(name, "security.device"))
    means = codec.decode(message, sent.devices)
    if isinstance(means, Decoded) and not means.rejected:
        sent.means, _told = Occurrences().settle(means)  # an end of what never began says nothing
    return sent


def planned(grids: Iterator[str], codecs: dict[str, Any]) -> tuple[list[Sent], list[str]]:
    """What to send, each device with its grid; and the cases whose names meet others', or that are of old."""
    now_ms = time.time_ns() // 1_000_000
    by = timedelta(minutes=(now_ms - BASE_MS - 60_000) // 60_000)
    taken: set[str] = set()
    found, left = [], []
    for case in cases():
        for number in range(100):
            sent = prepared(case, by, number, codecs)
            said = (*sent.means.observations, *sent.means.signals)
            recent = all(now_ms - OLDEST_MS < each.observed_at_ms < now_ms + 5_000 for each in said)
            if said and recent and not taken & set(sent.devices):
                break
        else:
            left.append(case.name)
            continue
        taken |= set(sent.devices)
        sent.devices = {name: replace(device, grid=next(grids)) for name, device in sent.devices.items()}
        found.append(sent)
    return found, left


def door_of(sent: Sent) -> str:
    """mqtt, http, tcp or sip; of what comes both ways a part each."""
    codec, address = sent.case.codec, sent.address
    if codec == TCP_CODEC:
        return "tcp"
    if codec == SIP_CODEC and len(sent.case.name) % 2:
        return "sip"
    return "http" if address.startswith("/") or codec not in MQTT_ROUTES.values() else "mqtt"


def addressed(sent: Sent) -> Sent:
    """A case without an address of its door goes to the one the settings name."""
    if door_of(sent) == "http" and not sent.address.startswith("/"):
        sent.address = next(path for path, codec in HTTP_ROUTES.items() if codec == sent.case.codec)
    return sent


def routes(plan: Iterable[Sent], door: str) -> dict[str, str]:
    return {sent.address: sent.case.codec for sent in plan if door_of(sent) == door}


class Doors:
    """A device or platform of each kind. What is sent must be taken: each waits for its acknowledgement."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._serial = 0
        self._mqtt = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "every-codec")
        self._mqtt.connect(*settings.mqtt_host_port)
        self._mqtt.loop_start()

    def send(self, sent: Sent) -> None:
        getattr(self, door_of(sent))(sent)

    def close(self) -> None:
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def mqtt(self, sent: Sent) -> None:
        published = self._mqtt.publish(sent.address, sent.payload, qos=1)
        published.wait_for_publish(30)
        assert published.is_published(), sent.case.name

    def http(self, sent: Sent) -> None:
        url = f"http://127.0.0.1:{self._settings.http_port}{sent.address}"
        headers = sent.case.said.get("headers", {})
        answer = httpx.post(url, content=sent.payload, headers=headers, trust_env=False, timeout=30)
        assert answer.status_code in {200, 202}, (sent.case.name, answer.text)

    def tcp(self, sent: Sent) -> None:
        with socket.create_connection(("127.0.0.1", self._settings.tcp_port), 30) as device:
            device.sendall(sent.payload)
            said = device.recv(30)
        assert said[26] == 3, (sent.case.name, said)  # confirmed

    def sip(self, sent: Sent) -> None:
        self._serial += 1
        head = (
            "MESSAGE sip:37020200002000000001@3702020000 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bKe{self._serial}\r\n"
            "From: <sip:37020200001320000011@3702020000>;tag=a\r\n"
            "To: <sip:37020200002000000001@3702020000>\r\n"
            f"Call-ID: e{self._serial}\r\nCSeq: 1 MESSAGE\r\nContent-Length: {len(sent.payload)}\r\n\r\n"
        )
        with socket.socket(type=socket.SOCK_DGRAM) as device:
            device.settimeout(30)
            device.sendto(head.encode() + sent.payload, ("127.0.0.1", self._settings.sip_port))
            assert device.recv(65_536).startswith(b"SIP/2.0 200 OK\r\n"), sent.case.name


class Log:
    """What some topics get from now on."""

    def __init__(self, bootstrap: str, topics: Iterable[str]) -> None:
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "every-codec"})
        shards = [TopicPartition(topic, n) for topic in topics for n in range(TOPICS[topic].partitions)]
        for shard in shards:
            shard.offset = self._consumer.get_watermark_offsets(shard, timeout=30)[1]
        self._consumer.assign(shards)
        self._values: dict[str, list[bytes]] = {}

    def values(self, topic: str) -> list[bytes]:
        for message in self._consumer.consume(10_000, 0.2):
            if message.error() is None and message.value() is not None:
                self._values.setdefault(message.topic(), []).append(message.value())
        return self._values.get(topic, [])

    def close(self) -> None:
        self._consumer.close()


@dataclass
class City:
    """What was planned and sent, the log since, and the store."""

    plan: list[Sent]
    left: list[str]
    log: Log
    settings: Settings

    def grid_of(self, sent: Sent, device: str) -> str:
        return sent.devices[device].grid

    def named(self, items: set[Any]) -> list[tuple[str, Any]]:
        """Each with the case whose grid it speaks of."""
        cases_ = {device.grid: sent.case.name for sent in self.plan for device in sent.devices.values()}
        return [(name, item) for item in sorted(items) for grid, name in cases_.items() if grid in str(item)]

    def wait_for(self, expected: set[Any], found: Callable[[], set[Any]]) -> None:
        """Until all is there; AssertionError names what is not."""
        tick, deadline_s = threading.Event(), time.monotonic() + LIMIT_S
        while missing := expected - found():
            assert time.monotonic() < deadline_s, f"missing: {self.named(missing)}"
            tick.wait(0.5)


@pytest.fixture(scope="module")
def city(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    options = {case.codec: case.said.get("options", {}) for case in cases()}
    codecs = load_codecs(codec_names(), options)
    # The first community is the other tests'.
    grids = (each for each in load_registry(stack.settings).grid_codes if not each.startswith("370202001001"))
    plan, left = planned(grids, codecs)
    plan = [addressed(sent) for sent in plan]
    registry = to_csv(device for sent in plan for device in sent.devices.values())
    assert parse_rows(registry.splitlines())[1] == ()
    (stack.settings.home / "devices.csv").write_text(registry, encoding="utf-8")
    before = stack.environment
    stack.environment = before | {
        "TAISHI_MQTT_ROUTES": json.dumps(routes(plan, "mqtt") | MQTT_ROUTES),
        "TAISHI_HTTP_ROUTES": json.dumps(routes(plan, "http") | HTTP_ROUTES),
        "TAISHI_CODEC_OPTIONS": json.dumps(options),
    }
    log = Log(stack.kafka_bootstrap, [*map(readings_topic, DOMAINS), SIGNALS, ALERTS])
    logs = tmp_path_factory.mktemp("every-codec")
    doors, workers = ("mqtt", "http", "tcp", "sip"), ("aggregate", "situation", "signals")
    commands = [*(("connect", door) for door in doors), *(("worker", name) for name in workers)]
    with ExitStack() as running:
        for words in commands:
            running.callback(end, stack.start(*words, log=logs / f"{'-'.join(words)}.log"))
        wait_until_listening(stack.settings, logs)
        sender = Doors(stack.settings)
        running.callback(sender.close)
        for sent in plan:
            sender.send(sent)
        yield City(plan, left, log, stack.settings)
    stack.environment = before
    log.close()


def end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def wait_until_listening(settings: Settings, logs: Path) -> None:
    words = {door: f"{door} listening".encode() for door in ("http", "tcp", "sip")} | {
        "mqtt": b"mqtt connected"
    }
    tick, deadline_s = threading.Event(), time.monotonic() + LIMIT_S
    while waiting := [d for d, said in words.items() if said not in (logs / f"connect-{d}.log").read_bytes()]:
        assert time.monotonic() < deadline_s, f"not listening: {waiting}"
        tick.wait(0.2)


def test_nearly_every_case_of_every_codec_is_sent(city: City) -> None:
    assert {sent.case.codec for sent in city.plan} == set(codec_names()), city.left
    assert {door_of(sent) for sent in city.plan} == {"mqtt", "http", "tcp", "sip"}
    # An end alone says nothing; a few cases are late on purpose, or their names are in the options.
    assert len(city.left) <= len(city.plan) / 6, city.left


def test_every_reading_is_on_the_log_in_its_devices_grid(city: City) -> None:
    expected = {
        (city.grid_of(sent, seen.device), seen.kind, seen.metric, seen.value)
        for sent in city.plan
        for seen in sent.means.observations
    }

    def found() -> set[Any]:
        values = [value for domain in DOMAINS for value in city.log.values(readings_topic(domain))]
        read = [msgspec.json.decode(value, type=Reading) for value in values]
        return {(each.grid, each.kind, each.metric, each.value) for each in read}

    city.wait_for(expected, found)
    assert found() == expected


def alarms(city: City) -> set[tuple[str, str]]:
    """Grid and type of every alarm that begins: the end of one that never began is no signal."""
    return {
        (city.grid_of(sent, signal.device), signal.type)
        for sent in city.plan
        for signal in sent.means.signals
        if signal.state == "active"
    }


def test_every_alarm_is_a_signal_in_its_devices_grid(city: City) -> None:
    def found() -> set[Any]:
        read = [msgspec.json.decode(value, type=Signal) for value in city.log.values(SIGNALS)]
        return {(each.grid, each.type) for each in read if each.state == "active"}

    city.wait_for(alarms(city), found)
    assert found() == alarms(city)


def test_every_alarm_is_an_alert_in_its_devices_grid(city: City) -> None:
    ours = {device for sent in city.plan for device in sent.devices}

    def found() -> set[Any]:
        read = [msgspec.json.decode(value, type=Alert) for value in city.log.values(ALERTS)]
        return {each.place for each in read if each.device in ours}

    grids = {grid for grid, _ in alarms(city)}
    city.wait_for(grids, found)
    assert found() == grids


def test_every_reading_is_counted_in_its_devices_grid_in_influxdb(city: City) -> None:
    identities = {
        (seen.device, seen.kind, seen.metric, seen.observed_at_ms, seen.seq): city.grid_of(sent, seen.device)
        for sent in city.plan
        for seen in sent.means.observations
    }
    kinds = {identity: KINDS[identity[1]].domain for identity in identities}
    expected = set(Counter((kinds[each], grid) for each, grid in identities.items()).items())
    store = InfluxDb(InfluxSettings(city.settings.influxdb_url, city.settings.influxdb_database))
    ours = set(identities.values())

    def found() -> set[Any]:
        sums: Counter[tuple[str, str]] = Counter()
        for domain in DOMAINS:
            where = "WHERE level = 'grid' AND readings > 0 AND time > now() - 15m"
            for row in store.query(f'SELECT readings, place FROM "10s".{domain} {where}'):  # noqa: S608 - our own names
                sums[domain, str(row["place"])] += int(str(row["readings"]))
        return {item for item in sums.items() if item[0][1] in ours}

    city.wait_for(expected, found)
    assert found() == expected
