"""A fire in the simulated city: a webhook rings, InfluxDB shows it, an acknowledgement ends the ringing."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from deploy.embedded import stack as embedded
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.store import EVENTS
from simulation.city import make_city
from simulation.faults import is_dead
from taishi.places import load_registry
from taishi.settings import Settings
from taishi.stack_settings import stack_settings
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

PARTS = (
    *("kafka", "topics", "influxdb", "influxdb-database", "mqtt", "connect-mqtt", "connect-http"),
    *("prism-signals", "prism-situation", "worker-signals", "worker-situation", "oncall"),
)
ONCALL = """
[people]
"值班员" = ["json://127.0.0.1:{port}/"]
"值班长" = ["json://127.0.0.1:{port}/"]

[[routes]]
name = "fire"
severity = "life_safety"
steps = [{{ people = ["值班员"], repeat_s = 2, repeat_max = 60 }}, {{ people = ["值班长"], after_s = 6 }}]
"""


class Hook:
    """A webhook: what it was told and when."""

    def __init__(self) -> None:
        self.got: list[tuple[float, dict[str, str]]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                hook.got.append((time.time(), said))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_words: object) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def about(self, device: str) -> list[dict[str, str]]:
        return [said for _, said in self.got if device in said["message"]]


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    made = Hook()
    yield made
    made.server.shutdown()
    made.server.server_close()
    made.thread.join()


@pytest.fixture(scope="module")
def stack(
    stack_at: Callable[[Path], Stack], tmp_path_factory: pytest.TempPathFactory, hook: Hook
) -> Iterator[Stack]:
    """What `taishi up` starts with an on-call file, without the city's traffic."""
    home = tmp_path_factory.mktemp("incident")
    running = stack_at(home)
    file = home / "oncall.toml"
    file.write_text(ONCALL.format(port=hook.port), "utf-8")
    settings = Settings(**(running.settings.model_dump() | {"oncall_file": file, "simulated_devices": 2000}))
    running.settings = settings
    running.environment |= {"TAISHI_ONCALL_FILE": str(file), "TAISHI_SIMULATED_DEVICES": "2000"}
    done = running.run("simulate", "--write-registry", str(home / "devices.csv"))
    assert done.returncode == 0, done.stderr
    wanted = stack_settings(settings)
    try:
        embedded.up(wanted, only=PARTS, report=lambda *_: None, outlive=False)
        embedded.wait_well(wanted, 120)
        yield running
    finally:
        embedded.down(wanted)


def smoke_detector(settings: Settings) -> Any:
    """One that is well, alone in its grid, so that one alert tells of the fire."""
    city = make_city(load_registry(settings).grid_codes, 2000, settings.simulated_seed)
    grids = [device.grid for device in city.smokes]
    return next(
        d for d in city.smokes if grids.count(d.grid) == 1 and not is_dead(d.name, settings.simulated_seed)
    )


def test_a_fire_rings_and_escalates_in_chinese_shows_in_influxdb_and_rings_no_more_when_acknowledged(
    stack: Stack, hook: Hook
) -> None:
    device = smoke_detector(stack.settings)
    done = stack.run("simulate", "--incident", f"fire@{device.grid}")
    assert done.returncode == 0, done.stderr
    wait_until(lambda: hook.about(device.name))
    first = hook.about(device.name)[0]
    assert first["title"] == f"【模拟】【生命安全】烟雾报警 smoke {device.grid}"
    assert f"设备 {device.name} 上报烟雾报警" in first["message"]
    assert "同地同类告警：此前没有" in first["message"]
    alert_id, _, rest = first["message"].rpartition("key ")[2].strip().partition("/")
    assert rest == "0/值班员"

    store = InfluxDb(InfluxSettings(stack.influxdb_url, stack.influxdb_database))
    query = f"SELECT title, active, id FROM \"{EVENTS}\".alerts WHERE place = '{device.grid}'"  # noqa: S608 - ours
    try:
        wait_until(lambda: store.query(query))
        (row,) = store.query(query)
    finally:
        store.close()
    assert (row["active"], row["title"]) == (1, "烟雾报警 smoke")

    wait_until(lambda: any("【升级】" in said["title"] for said in hook.about(device.name)))
    wait_until(lambda: any("【重复" in said["title"] for said in hook.about(device.name)))
    acknowledged = stack.run("alerts", "ack", alert_id[:12], "--by", "值班长", "--why", "演习")
    assert "已确认 acknowledged by 值班长" in acknowledged.stdout, acknowledged.stderr
    rung, three_rings_s = len(hook.about(device.name)), time.time() + 6
    wait_until(lambda: time.time() > three_rings_s)
    assert len(hook.about(device.name)) <= rung + 1, "one may have been under way"
    history = json.loads(stack.run("alerts", "history", alert_id, "--json").stdout)
    at_s = next(at for at, said in hook.got if alert_id in said["message"])
    sys.stderr.write(f"webhook {at_s - history['alert']['onset_ms'] / 1000:.3f} s after the onset\n")
    assert {row["person"] for row in history["notifications"]} == {"值班员", "值班长"}
    assert (history["acknowledged"]["by"], history["similar"]) == ("值班长", [])
