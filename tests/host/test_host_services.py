"""The services of the compose file, started as it says, and what a city sends through them.

`make test-compatibility`; what is real and what is not started: installation.py.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx
import paho.mqtt.client as paho
import psycopg
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from deploy.embedded.fetch import ARTIFACTS, fetch
from taishi.settings import load_settings
from tests import influxdb2
from tests.host import compose
from tests.host.installation import ABSENT, Host
from tests.host.namespace import network
from tests.host.operator_files import prepare
from tests.waiting import wait_until

DISTRICT = "370202"

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1_200)]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    cache = load_settings().cache
    influxdb2.wanted(cache)
    if os.geteuid() or shutil.which("setpriv") is None:
        pytest.skip("only root may give each service its user, its files and its network")
    fetch(list(ARTIFACTS.values()), cache, lambda *_: None)
    folder = tmp_path_factory.mktemp("host")
    with network(f"taishi-host-{os.getpid()}", compose.names()) as at:
        made = Host(folder, at, cache)
        prepare(made)
        try:
            for name in compose.in_order({n: each for n, each in made.services.items() if n not in ABSENT}):
                if name == "desk":  # it does not start while nobody may sign in
                    words = ["taishi", "people", "add", "zhibanyuan", "--role", "operator"]
                    made.run(name, [*words, "--password-stdin"], "correct horse battery\n")
                began_s = time.monotonic()
                made.start(name)
                sys.stderr.write(f"{name}: well after {time.monotonic() - began_s:.1f} s\n")
            yield made
        finally:
            made.end()


def test_a_reading_and_an_alarm_go_all_the_way(host: Host) -> None:
    """In over HTTPS and MQTT with TLS, out of InfluxDB 2.7 by a scoped token, and of PostgreSQL."""
    trusted = ssl.create_default_context(cafile=str(host.secrets / "tls_ca"))
    token = host.volumes.joinpath("token-reader", "taishi_influxdb_token").read_text()
    number, began_ms = 0, time.time_ns() // 1_000_000

    def reading(device: str, kind: str, metric: str) -> dict[str, object]:
        nonlocal number
        number += 1
        now_ms = time.time_ns() // 1_000_000
        return {
            "device": device,
            "kind": kind,
            "metric": metric,
            "value": 1,
            "observed_at_ms": now_ms,
            "seq": number,
        }

    def push(*readings: dict[str, object]) -> int:
        headers = {"Authorization": f"Bearer {host.senders['gateway-1']}"}
        with httpx.Client(verify=trusted, headers=headers) as client:
            return client.post("https://localhost:18080/readings", json=list(readings)).status_code

    def publish() -> None:
        client = paho.Client(CallbackAPIVersion.VERSION2, client_id="home-1")
        client.username_pw_set("home-1", host.senders["home-1"])
        client.tls_set_context(trusted)
        client.connect("localhost", 8883)
        client.loop_start()
        body = json.dumps(reading("home-1", "care.activity", "motion"))
        client.publish("taishi/readings/home-1", body, qos=1).wait_for_publish(10)
        client.loop_stop()
        client.disconnect()

    def stored(domain: str, database: str) -> bool:
        asked = f"SELECT * FROM {domain} WHERE level = 'district' AND time >= {began_ms}ms"  # noqa: S608
        headers = {"Authorization": f"Token {token}"}
        where = {"db": database, "rp": "10s", "q": asked}
        return DISTRICT in httpx.get("http://127.0.0.1:8086/query", params=where, headers=headers).text

    def arrives() -> bool:
        """A sender tries again what it is not told that it was taken."""
        try:
            taken = host.ask(lambda: push(reading("gate-1", "security.access", "granted"))) == 202
        except httpx.TimeoutException:
            return False
        host.ask(publish)
        return taken and host.ask(lambda: stored("security", "taishi") and stored("care", "taishi_care"))

    wait_until(arrives, 300, pause_s=1.0)
    assert host.ask(lambda: push(reading("sos-1", "care.emergency", "sos"))) == 202
    password = (host.secrets / "postgres_password").read_text()

    def alerted() -> list[Any]:
        words = {"host": "127.0.0.1", "user": "taishi", "password": password, "dbname": "taishi"}
        with psycopg.connect(**words) as opened:
            return opened.execute("SELECT 1 FROM alerts").fetchall()

    wait_until(lambda: host.ask(alerted), 60)


def test_the_desk_and_the_outgoing_door_speak_tls_and_ask_who_it_is(host: Host) -> None:
    trusted = ssl.create_default_context(cafile=str(host.secrets / "tls_ca"))

    def status(port: int, path: str) -> int:
        with httpx.Client(verify=trusted) as client:
            return client.get(f"https://localhost:{port}{path}").status_code

    assert host.ask(lambda: status(18084, "/")) == 200
    assert host.ask(lambda: status(18084, "/api/alerts")) == 401
    assert host.ask(lambda: status(18090, "/ngsi-ld/v1/entities")) == 401


def test_who_dies_is_started_again_and_goes_on(host: Host) -> None:
    """As the engine's restart does: from what its volumes hold."""
    for name in ("worker-situation", "influxdb", "kafka"):
        host.running[name].kill()
        host.running[name].wait()
        host.start(name)
    test_a_reading_and_an_alarm_go_all_the_way(host)
