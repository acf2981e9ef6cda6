"""The examples of docs/trust.md, run as they stand."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
import uvicorn

from connectors.base import Device
from connectors.codecs import load_codecs
from connectors.gateway import Gateway
from connectors.http.app import HttpSettings, application
from connectors.http.guard import Guard
from connectors.producer import Record
from connectors.resolve import Resolver
from deploy.embedded.mqtt_broker import BrokerSettings, TlsListener, serve
from deploy.embedded.mqtt_trust import MqttUsers
from deploy.embedded.ports import free_ports
from simulation.publish import Publisher, PublisherSettings
from simulation.vendors.outgoing import Outgoing
from taishi.senders import new_entry, trust_of, users_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "trust.md"
EXAMPLE = re.compile(r"<!-- example: ([\w-]+) -->\n```(\w+)\n(.*?)```", re.DOTALL)
EXAMPLES = {name: (language, code) for name, language, code in EXAMPLE.findall(PAGE.read_text("utf-8"))}
READING = {"device": "a", "kind": "parking.space", "metric": "occupied", "value": 1}
LIMIT_S = 20.0


class Log:
    def __init__(self) -> None:
        self.records: list[Record] = []

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        self.records += records
        on_delivered()


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


@pytest.fixture(autouse=True)
def tools(program: Callable[[str], str]) -> None:
    """What the page's examples call."""
    for name in ("curl", "openssl"):
        program(name)


def run(name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    language, code = EXAMPLES[name]
    (folder / "reading.json").write_text(json.dumps(READING | {"observed_at_ms": 1_795_392_000_000}))
    program = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}[language]
    return subprocess.run(
        [*program, code], cwd=folder, env=dict(os.environ) | environment | {"no_proxy": "127.0.0.1"},
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip


Door = tuple[dict[str, str], Log]


@pytest.fixture
def door() -> Iterator[Door]:
    """A closed HTTP door with the senders of the page, and its environment for the examples."""
    camera, token = new_entry("camera-7", paths=["/readings"])
    gateway_1, secret = new_entry("gateway-1", paths=["/readings"], signs=True)
    devices = {"a": Device("a", "", "parking.space", "370202001001001", None, "", None, simulated=False)}
    log = Log()
    gateway = Gateway(
        "example", load_codecs(["native"], {}), devices, Resolver(devices, Places()), log  # type: ignore[arg-type]
    )  # fmt: skip
    app = application(HttpSettings({"/readings": "native"}), gateway, Guard(trust_of([camera, gateway_1])))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield (
            {"DOOR": f"http://127.0.0.1:{listener.getsockname()[1]}", "TOKEN": token, "SECRET": secret},
            log,
        )
        server.should_exit = True
        thread.join(LIMIT_S)


@pytest.mark.parametrize("name", ["curl-token", "python-hmac", "curl-hmac"])
def test_an_http_example_is_taken(name: str, door: Door, tmp_path: Path) -> None:
    environment, log = door
    done = run(name, tmp_path, **environment)
    assert (done.returncode, len(log.records)) == (0, 1), done.stderr
    assert '"readings":1' in done.stdout


@pytest.mark.parametrize("name", ["curl-token", "python-hmac", "curl-hmac"])
def test_the_same_example_with_a_wrong_secret_is_not(name: str, door: Door, tmp_path: Path) -> None:
    environment, log = door
    done = run(name, tmp_path, **environment | dict.fromkeys(("TOKEN", "SECRET"), "wrong"))
    assert done.returncode != 0
    assert "401" in done.stdout + done.stderr
    assert log.records == []


def test_the_simulated_city_is_let_in_with_its_token_and_not_without(door: Door) -> None:
    environment, log = door
    reading = json.dumps(READING | {"observed_at_ms": 1_795_392_000_000}).encode()
    for token, records in (("", 0), (environment["TOKEN"], 1)):
        with Publisher(PublisherSettings("127.0.0.1", 1, environment["DOOR"], token)) as city:
            city.send([Outgoing("http", "native", "/readings", reading)])
            assert city.drain(LIMIT_S) == 0
        assert len(log.records) == records


def test_the_mqtt_example_is_taken(tmp_path: Path, certificates: Any) -> None:
    device, secret = new_entry("a84041000181c061", topics=["taishi/readings/%u"], mqtt=True)
    connector, password = new_entry("connect-mqtt", subscribes=True, mqtt=True)
    port, tls_port = free_ports(2)
    tls = TlsListener("127.0.0.1", tls_port, certificates.certificate, certificates.key)
    settings = BrokerSettings(port, tls, MqttUsers(users_of([device, connector])))
    got: list[str] = []

    async def taken() -> subprocess.CompletedProcess[str]:
        stop, started = asyncio.Event(), asyncio.get_running_loop().create_future()
        task = asyncio.create_task(serve(settings, stop, started))
        await started
        subscribed = threading.Event()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        client.username_pw_set("connect-mqtt", password)
        client.on_connect = lambda *_: client.subscribe("#", 1)
        client.on_subscribe = lambda *_: subscribed.set()
        client.on_message = lambda _c, _u, message: got.append(message.topic)
        client.connect_async("127.0.0.1", port)
        client.loop_start()
        await asyncio.to_thread(subscribed.wait, LIMIT_S)
        given = {"CA": str(certificates.ca), "SECRET": secret, "BROKER": "127.0.0.1", "PORT": str(tls_port)}
        done = await asyncio.to_thread(run, "python-mqtt", tmp_path, **given)
        client.disconnect()
        client.loop_stop()
        stop.set()
        await task
        return done

    done = asyncio.run(taken())
    assert done.returncode == 0, done.stderr
    assert got == ["taishi/readings/a84041000181c061"]
