"""From an MQTT publish to an alert on the log: at once, once, and also when the worker is killed."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import paho.mqtt.client as mqtt
import pytest

from connectors.registry import COLUMNS

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

GRID = "370202001001001"
DEVICES = [f"alerts-{number}" for number in range(200)]
LIMIT_S = 60.0


def wait_until(condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    tick, deadline_s = threading.Event(), time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline_s, f"not within {limit_s} s"
        tick.wait(0.05)


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
