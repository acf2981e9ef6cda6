"""From an MQTT publish to an alert on the log: at once, once, and also when the worker is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
import pytest

from connectors.registry import COLUMNS
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

GRID = "370202001001001"
DEVICES = [f"alerts-{number}" for number in range(200)]
LIMIT_S = 60.0


class Running:
    """A connector and a worker, each started again when told to be killed."""

    def __init__(self, stack: Stack, logs: Path) -> None:
        self._stack, self._logs = stack, logs
        self._processes = {
            words: self._start(words) for words in (("connect", "mqtt"), ("worker", "signals"))
        }

    def _start(self, words: tuple[str, str]) -> subprocess.Popen[bytes]:
        return self._stack.start(*words, log=self._logs / f"{'-'.join(words)}.log")

    def kill(self, *words: str) -> None:
        process = self._processes[words]  # type: ignore[index]
        process.kill()
        process.wait()
        self._processes[words] = self._start(words)  # type: ignore[index,arg-type]

    def end(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def running(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    rows = [",".join(COLUMNS), *(f"{name},native,care.emergency,{GRID},,,,,,true" for name in DEVICES)]
    (stack.settings.home / "devices.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    started = Running(stack, tmp_path_factory.mktemp("alerts"))
    yield started
    started.end()


@pytest.fixture(scope="module")
def device(stack: Stack) -> Iterator[mqtt.Client]:
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.max_inflight_messages_set(500)
    client.connect("127.0.0.1", stack.mqtt_port)
    client.loop_start()
    yield client
    client.disconnect()
    client.loop_stop()


def press(client: mqtt.Client, name: str, at_ms: int) -> mqtt.MQTTMessageInfo:
    said = {"device": name, "kind": "care.emergency", "metric": "sos", "value": 1, "observed_at_ms": at_ms}
    return client.publish(f"taishi/readings/{name}", json.dumps(said), qos=1)


def alerts_of(stack: Stack, names: set[str]) -> dict[str, list[dict[str, Any]]]:
    done = stack.run("alerts", "list", "--all", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, list[dict[str, Any]]] = {}
    for alert in json.loads(done.stdout):
        if alert["device"] in names:
            found.setdefault(alert["device"], []).append(alert)
    return found


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_a_press_is_an_alert_in_chinese_that_waits_for_a_person(
    stack: Stack, running: Running, device: mqtt.Client
) -> None:
    name, at_ms = DEVICES[0], now_ms()
    press(device, name, at_ms).wait_for_publish(LIMIT_S)
    wait_until(lambda: alerts_of(stack, {name}))
    ((alert,),) = alerts_of(stack, {name}).values()
    assert (alert["rule"], alert["severity"], alert["place"]) == ("signal.sos", "life_safety", GRID)
    assert (alert["onset_ms"], alert["active"], alert["latched"]) == (at_ms, True, True)
    assert alert["title"].startswith("紧急呼救")
    assert alert["simulated"] is True
    shown = stack.run("alerts", "list", "--severity", "high").stdout
    assert "紧急呼救" in shown
    assert json.loads(stack.run("alerts", "show", alert["id"], "--json").stdout)["id"] == alert["id"]


class Hook:
    """A webhook: what it was told, by key."""

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def told(self) -> list[str]:
        return [said["message"].rpartition("key ")[2].strip() for said in self.got]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.close()


def test_a_press_rings_once_escalates_until_acknowledged_and_a_killed_service_rings_nobody_twice(
    stack: Stack, running: Running, device: mqtt.Client, hook: Hook, tmp_path: Path
) -> None:
    told = f'"王芳" = ["json://127.0.0.1:{hook.port}/"]\n"李强" = ["json://127.0.0.1:{hook.port}/"]'
    steps = '[{ people = ["王芳"] }, { people = ["李强"], after_s = 3 }]'
    file = tmp_path / "oncall.toml"
    file.write_text(f'[people]\n{told}\n[[routes]]\nname = "all"\nsteps = {steps}\n', "utf-8")
    assert "1 条路线 routes" in stack.run("oncall", "check", str(file)).stdout
    serve = Served(stack, file, tmp_path / "oncall.log")
    try:
        press(device, name := DEVICES[0], now_ms()).wait_for_publish(LIMIT_S)
        wait_until(lambda: any(name in said["message"] for said in hook.got))
        serve.kill()
        wait_until(lambda: any("【升级】" in said["title"] and name in said["message"] for said in hook.got))
        (alert,) = [a for a in alerts_of(stack, {name})[name] if a["active"]]
        mine = [key for key in hook.told() if key.startswith(alert["id"])]
        assert list(dict.fromkeys(mine)) == [f"{alert['id']}/0/王芳", f"{alert['id']}/1/李强"]
        acknowledged = stack.run("alerts", "ack", alert["id"][:12], "--by", "李强")
        assert "已确认 acknowledged by 李强" in acknowledged.stdout
        again = stack.run("alerts", "ack", alert["id"], "--by", "王芳")
        assert (again.returncode, "already acknowledged by 李强" in again.stderr) == (1, True)
        history = json.loads(stack.run("alerts", "history", alert["id"], "--json").stdout)
        assert [row["person"] for row in history["notifications"]] == ["王芳", "李强"]
        assert history["acknowledged"]["by"] == "李强"
    finally:
        serve.end()


class Served:
    """`taishi oncall serve`, killed and started again."""

    def __init__(self, stack: Stack, file: Path, log: Path) -> None:
        self._environment = stack.environment | {"TAISHI_ONCALL_FILE": str(file)}
        self._log = log
        self._process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as output:
            return subprocess.Popen(
                [sys.executable, "-m", "taishi.cli.main", "oncall", "serve"],
                env=self._environment, stdout=output, stderr=output,
            )  # fmt: skip

    def kill(self) -> None:
        self.end()
        self._process = self._start()

    def end(self) -> None:
        self._process.kill()
        self._process.wait()


def test_worker_and_connector_killed_among_two_hundred_signals_lose_none_and_double_none(
    stack: Stack, running: Running, device: mqtt.Client
) -> None:
    names, at_ms = DEVICES[1:], now_ms()
    sent = []
    for number, name in enumerate(names):
        sent.append(press(device, name, at_ms + number))
        if number in {60, 130}:
            running.kill("worker", "signals")
        if number == 100:
            running.kill("connect", "mqtt")
    for each in sent:
        each.wait_for_publish(LIMIT_S)
    wait_until(lambda: len(alerts_of(stack, set(names))) == len(names))
    found = alerts_of(stack, set(names))
    assert {name: [a["onset_ms"] for a in alerts] for name, alerts in found.items()} == {
        name: [at_ms + number] for number, name in enumerate(names)
    }
    assert {alert["count"] for alerts in found.values() for alert in alerts} == {1}
