"""A broker with TLS and named senders, the embedded one or Mosquitto, and a client that records."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import paho.mqtt.client as mqtt
from click.testing import CliRunner

from deploy.embedded.ports import free_ports, is_free
from taishi.cli.senders import senders
from taishi.senders import editing, new_entry
from tests.waiting import wait_until

USERS = {
    "d1": {"topics": ["taishi/readings/%u"]},
    "d2": {"topics": ["taishi/readings/%u"]},
    "chirpstack": {"topics": ["application/+/device/+/event/up"]},
    "connector": {"subscribes": True},
}


@dataclass
class TrustedBroker:
    """A broker with TLS; `plain_port` is 0 where there is only TLS."""

    kind: str
    port: int
    plain_port: int
    metrics_port: int
    file: Path
    secrets: dict[str, str]
    ca: Path
    process: subprocess.Popen[bytes]
    export: Callable[[], None] = field(default=lambda: None)

    def remove(self, name: str) -> None:
        with editing(self.file) as entries:
            entries[:] = [entry for entry in entries if entry.name != name]
        if self.kind == "mosquitto":
            self.export()
            self.process.send_signal(signal.SIGHUP)

    def refused(self, reason: str) -> float:
        text = httpx.get(f"http://127.0.0.1:{self.metrics_port}/metrics", trust_env=False).text
        name = f'taishi_broker_refused_total{{reason="{reason}"}} '
        (line,) = (line for line in text.splitlines() if line.startswith(name))
        return float(line.split()[1])


def named_senders(folder: Path) -> tuple[Path, dict[str, str]]:
    made = {name: new_entry(name, mqtt=True, **given) for name, given in USERS.items()}  # type: ignore[arg-type]
    with editing(folder / "senders.toml") as entries:
        entries += [entry for entry, _ in made.values()]
    return folder / "senders.toml", {name: secret for name, (_, secret) in made.items()}


def start_broker(folder: Path, certificates: Any, mosquitto: str = "") -> TrustedBroker:
    file, secrets = named_senders(folder)
    port, plain_port, metrics_port = free_ports(3)
    environment = dict(os.environ) | {
        "TAISHI_MQTT_PORT": str(plain_port),
        "TAISHI_METRICS_PORT": str(metrics_port - 6),
        "TAISHI_SENDERS_FILE": str(file),
        "TAISHI_BROKER_TLS_PORT": str(port),
        "TAISHI_BROKER_TLS_CERTIFICATE": str(certificates.certificate),
        "TAISHI_BROKER_TLS_KEY": str(certificates.key),
    }

    def export() -> None:
        words = ["export-mosquitto", str(folder / "mosquitto"), "--port", str(port)]
        result = CliRunner().invoke(senders, words, env=environment, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        if os.geteuid() == 0:  # else it becomes a user that cannot read a test's files
            with (folder / "mosquitto" / "mosquitto.conf").open("a") as conf:
                conf.write("user root\n")

    command = [sys.executable, "-m", "taishi.cli.main", "broker"]
    if mosquitto:
        export()
        command, plain_port = [mosquitto, "-c", str(folder / "mosquitto" / "mosquitto.conf")], 0
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: not is_free(port) or process.poll() is not None)
    except AssertionError:
        process.kill()
        raise
    assert process.poll() is None, (folder / "log").read_text()
    kind = "mosquitto" if mosquitto else "embedded"
    return TrustedBroker(
        kind, port, plain_port, metrics_port, file, secrets, certificates.ca, process, export
    )


class Client:
    """A paho client over TLS that records."""

    def __init__(self, broker: TrustedBroker, user: str, password: str | None = None, **given: Any) -> None:
        self.connects: list[bool] = []
        self.got: list[tuple[str, bytes]] = []
        self.confirmed: set[int] = set()
        self.subscribed: list[bool] = []
        self.ended = 0
        name = given.get("client_id", f"{user}-{id(self)}")
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, name, clean_session=True)
        self.client.reconnect_delay_set(0.1, 0.3)
        self.client.max_inflight_messages_set(0)
        self.client.tls_set(str(given.get("ca", broker.ca)))
        if user:
            secret = broker.secrets.get(user, "") if password is None else password
            self.client.username_pw_set(user, secret)
        if "will" in given:
            self.client.will_set(given["will"], b"will", qos=1)
        self.client.on_connect = lambda _c, _u, _f, code, _p: self.connects.append(not code.is_failure)
        self.client.on_message = lambda _c, _u, m: self.got.append((m.topic, m.payload))
        self.client.on_publish = lambda _c, _u, mid, *_: self.confirmed.add(mid)
        self.client.on_subscribe = lambda _c, _u, _m, codes, _p: self.subscribed.append(codes[0].is_failure)
        self.client.on_disconnect = self._on_disconnect
        self.client.connect("127.0.0.1", broker.port, keepalive=30)
        self.client.loop_start()

    def _on_disconnect(self, *_: object) -> None:
        self.ended += 1

    def online(self) -> Client:
        wait_until(lambda: self.connects)
        assert self.connects[0]
        return self

    def subscribe(self, topic: str) -> Client:
        self.online().client.subscribe(topic, 1)
        wait_until(lambda: self.subscribed)
        return self

    def publish(self, topic: str, payload: bytes = b"x", **given: Any) -> int:
        return self.client.publish(topic, payload, qos=given.pop("qos", 1), **given).mid

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
