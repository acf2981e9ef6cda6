"""S5: whoever sends too much, too slowly or too strangely at the HTTP door is told so, and the others go on.

Against the real process with the real Kafka; `-s` shows figures. `make test`, where other tests run beside,
asks that everybody is answered and nothing grows; `make test-security` asks for the times, too.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest

from connectors.registry import COLUMNS
from taishi.senders import editing, new_entry

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

GRID = "370202001001001"
LIMITS = {"TAISHI_HTTP_RATE_PER_S": "100", "TAISHI_HTTP_BURST": "200", "TAISHI_DEVICE_RATE_PER_S": "5",
          "TAISHI_DEVICE_BURST": "20"}  # fmt: skip
SHARE = float(os.environ.get("TAISHI_SECURITY_SHARE", "0.1"))
TIMED = SHARE >= 1
ALLOWED_S = 1.0 if TIMED else 20.0
PROBES = 150 if TIMED else 40
FLOOD, FLOOD_PER_S = 2_000, 500
"""Requests: all that a flood makes, and how fast: a hundred times what a device may."""
NOISE_S = 0.05
"""What the machine's own work may add to the slowest of 100 requests."""


@dataclass
class Door:
    """A running `taishi connect http` with senders, and what it weighs."""

    port: int
    metrics: str
    tokens: dict[str, str]
    process: psutil.Process
    number: Iterator[int] = field(default_factory=lambda: iter(range(10**9)))

    @property
    def rss(self) -> int:
        return self.process.memory_info().rss

    def client(self, who: str) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=30)

    def reading(self, device: str) -> dict[str, Any]:
        return {"device": device, "kind": "parking.space", "metric": "occupied", "value": 1,
                "observed_at_ms": 1_795_392_000_000 + next(self.number)}  # fmt: skip

    def counts(self) -> list[str]:
        """Lines of its metrics: what each name in a tag would add to."""
        return httpx.get(self.metrics, timeout=30).text.splitlines()


@pytest.fixture(scope="module")
def door(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    home = tmp_path_factory.mktemp("flood")
    devices = [f"bay-{number}" for number in range(50)] + ["loud"]
    rows = [f"{device},,parking.space,{GRID},,,,,,true" for device in devices]
    (home / "devices.csv").write_text("\n".join([",".join(COLUMNS), *rows]) + "\n", encoding="utf-8")
    made = {name: new_entry(name, paths=["/readings"]) for name in ("honest", "flood")}
    with editing(home / "senders.toml") as entries:
        entries += [entry for entry, _ in made.values()]
    environment = stack.environment | LIMITS | {
        "TAISHI_SENDERS_FILE": str(home / "senders.toml"),
        "TAISHI_DEVICES_FILE": str(home / "devices.csv"),
    }  # fmt: skip
    with (home / "log").open("wb") as log:
        words = [sys.executable, "-m", "taishi.cli.main", "connect", "http"]
        process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
    try:
        while "http listening" not in (home / "log").read_text():
            assert process.poll() is None, (home / "log").read_text()
            threading.Event().wait(0.05)
        metrics = f"http://127.0.0.1:{stack.settings.metrics_port + 2}/metrics"
        yield Door(
            stack.settings.http_port, metrics, {name: secret for name, (_, secret) in made.items()},
            psutil.Process(process.pid),
        )  # fmt: skip
    finally:
        process.terminate()
        process.wait(30)


def probed(door: Door) -> list[float]:
    """Seconds that each of an honest sender's requests took; every one is taken."""
    took = []
    with door.client("honest") as client:
        for number in range(PROBES):
            begun_s = time.perf_counter()
            answer = client.post("/readings", json=door.reading(f"bay-{number % 50}"))
            took.append(time.perf_counter() - begun_s)
            assert answer.status_code == 202, answer.text
            threading.Event().wait(0.01)
    return sorted(took)


def p99(took: list[float]) -> float:
    return took[int(len(took) * 0.99) - 1]


@contextmanager
def beside(attack: Callable[[threading.Event], None]) -> Iterator[None]:
    """The attack on threads of its own, until the block ends."""
    ending = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        attacking = pool.submit(attack, ending)
        try:
            yield
        finally:
            ending.set()
            attacking.result(60)


def others_go_on(door: Door, attack: Callable[[threading.Event], None], name: str) -> None:
    """What honest senders wait for, and what the process weighs, with the attack beside as without."""
    quiet, weight = p99(probed(door)), door.rss
    with beside(attack):
        loaded, heavy = p99(probed(door)), door.rss
    figures = f"p99 {quiet * 1e3:.1f} → {loaded * 1e3:.1f} ms, RSS {weight >> 20} → {heavy >> 20} MiB"
    sys.stderr.write(f"{name}: {figures}\n")
    assert loaded <= (1.2 * quiet + NOISE_S if TIMED else ALLOWED_S)
    assert heavy <= 1.1 * weight


def test_a_body_too_large_is_told_413_at_once(door: Door) -> None:
    """By what it announces, and where it announces nothing by what has come; 10 MB are still taken."""
    body = b"x" * (17 << 20)

    def unannounced() -> Iterator[bytes]:
        for start in range(0, len(body), 1 << 20):
            yield body[start : start + (1 << 20)]

    for content, status in ((body, 413), (unannounced(), 413), (body[: 10 << 20], 422)):
        with door.client("flood") as client:
            begun_s = time.perf_counter()
            answer = client.post("/readings", content=content)
            took_s = time.perf_counter() - begun_s
        assert answer.status_code == status, answer.text
        assert took_s <= ALLOWED_S


def test_a_hundred_thousand_headers_end_the_connection_and_nothing_else(door: Door) -> None:
    lines = b"".join(b"X-%d: y\r\n" % number for number in range(100_000))

    def attack(ending: threading.Event) -> None:
        told = Counter[bytes]()
        while not ending.is_set() or not told:
            told[answered(door, b"POST /readings HTTP/1.1\r\nHost: a\r\n" + lines + b"\r\n")] += 1
            ending.wait(0.2)
        assert set(told) <= {b"HTTP/1.1 400", b"HTTP/1.1 431", b""}

    others_go_on(door, attack, "100,000 headers")


def answered(door: Door, request: bytes) -> bytes:
    """The first bytes of the answer, within a second; none where the connection was reset."""
    with socket.create_connection(("127.0.0.1", door.port), timeout=ALLOWED_S) as sent:
        try:
            sent.sendall(request)
            return sent.recv(12)
        except (ConnectionResetError, BrokenPipeError):  # it was ended while we still sent
            return b""


def dripping(door: Door) -> socket.socket:
    slow = socket.create_connection(("127.0.0.1", door.port), timeout=30)
    slow.sendall(b"POST /readings HTTP/1.1\r\nHost: a\r\nX-Slow: ")
    return slow


def test_five_hundred_connections_that_drip_hold_nobody(door: Door) -> None:
    """One that the door ends after its ten seconds comes again."""

    def attack(ending: threading.Event) -> None:
        slow = [dripping(door) for _ in range(max(100, int(500 * SHARE)))]
        while not ending.wait(0.5):
            for place, each in enumerate(slow):
                try:
                    each.send(b"y")
                except OSError:
                    each.close()
                    slow[place] = dripping(door)
        for each in slow:
            each.close()

    others_go_on(door, attack, "slow connections")


def test_one_that_sends_a_hundred_times_too_much_is_told_429_and_alone(door: Door) -> None:
    told, waited = Counter[int](), list[float]()

    def post(client: httpx.Client) -> None:
        begun_s = time.perf_counter()
        told[client.post("/readings", json=door.reading("loud")).status_code] += 1
        waited.append(time.perf_counter() - begun_s)

    def attack(ending: threading.Event) -> None:
        with door.client("flood") as client, ThreadPoolExecutor(4) as pool:
            while not (ending.is_set() and told[429]) and len(waited) < FLOOD:
                begun_s = time.perf_counter()
                list(pool.map(lambda _: post(client), range(40)))
                ending.wait(max(0.0, 40 / FLOOD_PER_S - (time.perf_counter() - begun_s)))

    others_go_on(door, attack, "a flood")
    assert set(told) <= {202, 422, 429}  # 422: what the device's own allowance keeps in quarantine
    assert told[429] > 0
    assert max(waited) <= ALLOWED_S


def test_unknown_names_and_tags_make_no_series(door: Door) -> None:
    """Ten thousand devices that nobody registered, each with a vendor, a model and a metric of its own."""
    count, batch = max(1000, int(10_000 * SHARE)), 500
    before, weight = door.counts(), door.rss
    with door.client("honest") as client:
        for start in range(0, count, batch):
            strangers = [
                door.reading(f"stranger-{number}") | {"kind": f"kind.{number}", "metric": f"m{number}",
                "vendor": f"v{number}", "model": f"v{number}.x", "labels": {f"tag{number}": "x"}}
                for number in range(start, start + batch)
            ]  # fmt: skip
            answer = client.post("/readings", content=json.dumps(strangers))
            assert answer.status_code == 422, answer.text
    after, heavy = door.counts(), door.rss
    figures = f"series {len(before)} → {len(after)}, RSS {weight >> 20} → {heavy >> 20} MiB"
    sys.stderr.write(f"{count} unknown: {figures}\n")
    assert refused(after) - refused(before) == count // batch
    assert len(after) - len(before) <= 50  # by reason and source, not by name
    assert heavy <= 1.1 * weight


def refused(counts: list[str]) -> float:
    """Messages of our own format in quarantine, whatever the reason."""
    found = (line for line in counts if line.startswith("taishi_quarantined_total{"))
    return sum(float(line.split()[-1]) for line in found if 'source="http.native"' in line)
