"""A minute of 1,000 alerts a second on the desk: `python -m benchmarks.desk_storm [--seconds 60]`.

A Kafka and a desk of its own, where fires and people in need open cases by rule. Every alert is another
device's; nearly all are fires of as many grids as there are, and each second one is a person's SOS elsewhere.
Told are: alerts lost, cases and alerts in them (one case an incident), from the write of an SOS until every
open page has it, how long the lists of alerts and cases take meanwhile, and how long after the last write all
is in the desk. Ends with 1 when an alert is lost or an incident has not exactly one case.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
import httpx
import msgspec
import numpy as np
from confluent_kafka import Producer

from benchmarks.desk import Pages, entered, looking, spread, token, until
from benchmarks.pinned import started, wait_for
from deploy.embedded import stack as embedded
from deploy.embedded.ports import free_ports
from operations.cases.config import load_config
from operations.oncall.clock import now_ms
from operations.store.alerts import AlertRows
from operations.store.casebook import CaseBook
from schemas.alerts import Alert, alert_id
from schemas.topics import ALERTS
from taishi.places import load_registry
from taishi.settings import Settings, load_settings
from taishi.stack_settings import environment_of, stack_settings

__all__ = ["main"]

_FIRE: Final = "signal.smoke"
_SOS: Final = "signal.sos"
_PARTS: Final = ("kafka", "topics")
_EVERY_S: Final = 0.05
_DRAINED_S: Final = 600.0
_CASES: Final = """
[[categories]]
code = "fire"
name = "火情"
rules = ["signal.smoke"]
workflow = "street-calls"
auto = true

[[categories]]
code = "person-in-need"
name = "人员求助"
rules = ["signal.sos"]
workflow = "grid-calls"
auto = true

[[categories]]
code = "other"
name = "其他"
workflow = "city-management"
"""


@dataclass
class _Storm:
    """What was written: incident -> ids of its alerts; moments (monotonic) at which an SOS was."""

    incidents: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    sos_at_s: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def written(self) -> int:
        return sum(map(len, self.incidents.values()))


@contextmanager
def _desk(home: Path, database: str) -> Iterator[Settings]:
    """A desk that is nobody else's, on a Kafka of its own."""
    (home / "cases.toml").write_text(_CASES, "utf-8")
    kafka, controller, desk, metrics = free_ports(4)
    settings = load_settings(
        home=home, kafka_port=kafka, kafka_controller_port=controller, desk_port=desk, metrics_port=metrics,
        cases_file=home / "cases.toml", operations_database=database,
    )  # fmt: skip
    wanted = stack_settings(settings)
    try:
        embedded.up(wanted, only=_PARTS, report=lambda _what, _now: None, outlive=False)
        embedded.wait_well(wanted, 120)
        yield settings
    finally:
        embedded.down(wanted)


@click.command()
@click.option("--seconds", default=60, show_default=True)
@click.option("--per-s", default=1000, show_default=True, help="Alerts a second.")
@click.option("--pages", default=10, show_default=True, help="Open pages.")
@click.option("--database", default="", help="Of the desk; SQLite if unset.")
def main(seconds: int, per_s: int, pages: int, database: str) -> None:
    """Print the figures as one JSON object."""
    with tempfile.TemporaryDirectory(prefix="taishi-storm-") as home, _desk(Path(home), database) as settings:
        people = entered("operator", settings), entered("analyst", settings)
        words, log = ("taishi.cli.main", "desk", "serve"), Path(home) / "desk.log"
        with started(words, (0, 1), log, environment_of(settings)) as process:
            url = f"http://{settings.desk_host}:{settings.desk_port}"
            wait_for(lambda: _healthy(url, process.poll()), 0.1, f"the desk (see {log})")
            told = asyncio.run(_measured(settings, url, people, seconds, per_s, pages))
    click.echo(json.dumps(told))
    sys.exit(bool(told["lost"] or told["incidents_without_one_case"]))


def _healthy(url: str, ended: int | None) -> bool:
    if ended is not None:
        raise click.ClickException(f"the desk ended with {ended}")
    try:
        return httpx.get(f"{url}/health", trust_env=False).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


async def _measured(
    settings: Settings, url: str, people: Sequence[tuple[str, str, str]], seconds: int, per_s: int, pages: int
) -> dict[str, object]:
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60, trust_env=False) as client:
        asking = {"Authorization": f"Bearer {await token(client, *people[0])}"}
        client.headers["Authorization"] = f"Bearer {await token(client, *people[1])}"
        async with looking(client, pages, Pages(_SOS)) as open_pages:
            over = asyncio.Event()
            lists = asyncio.ensure_future(_asked(client, asking, over))
            storm = await asyncio.to_thread(_raise, settings, seconds, per_s)
            over.set()
            waits = await lists
            await until(lambda: set(open_pages.heard) >= set(storm.sos_at_s), _DRAINED_S)
            last_s = time.monotonic()
            judged = await asyncio.to_thread(_judged, settings, storm)
    return {
        "alerts": storm.written,
        "per_s": round(storm.written / storm.seconds),
        "incidents": len(storm.incidents),
        **judged,
        "drained_s": round(time.monotonic() - last_s, 1),
        "pages": pages,
        "sos_to_page_s": spread(open_pages.heard, storm.sos_at_s),
        "lists_s": {name: _percentiles(each) for name, each in waits.items()},
    }


async def _asked(
    client: httpx.AsyncClient, headers: dict[str, str], over: asyncio.Event
) -> dict[str, list[float]]:
    """How long the two lists take, asked one after the other until it is over."""
    waits: dict[str, list[float]] = {"alerts": [], "cases": []}
    while not over.is_set():
        for name, taken in waits.items():
            asked_s = time.monotonic()
            (await client.get(f"/api/{name}", params={"limit": 100}, headers=headers)).raise_for_status()
            taken.append(time.monotonic() - asked_s)
    return waits


def _raise(settings: Settings, seconds: int, per_s: int) -> _Storm:
    """Write the storm at a steady rate."""
    grids = load_registry(settings).grid_codes
    producer, storm = Producer({"bootstrap.servers": settings.kafka_bootstrap}), _Storm()
    began_s, block = time.monotonic(), max(1, int(per_s * _EVERY_S))
    for first in range(0, seconds * per_s, block):
        time.sleep(max(0.0, began_s + first / per_s - time.monotonic()))  # the rate is what is given
        for number in range(first, first + block):
            rule = _FIRE if number % per_s else _SOS
            grid = grids[(number if rule == _FIRE else number // per_s) % len(grids)]
            alert = _alert(rule, grid, number)
            storm.incidents.setdefault((rule, grid), []).append(alert.id)
            if rule == _SOS:
                storm.sos_at_s[alert.id] = time.monotonic()
            producer.produce(ALERTS, msgspec.json.encode(alert), alert.id)
        producer.poll(0)
    if left := producer.flush(60):
        raise click.ClickException(f"Kafka did not take {left} alerts")
    storm.seconds = time.monotonic() - began_s
    return storm


def _alert(rule: str, grid: str, number: int) -> Alert:
    at_ms, device = now_ms(), f"storm-{number}"
    return Alert(
        id=alert_id(rule, grid, at_ms, device), rule=rule, severity="life_safety",
        domain="care" if rule == _SOS else "security", level="grid", place=grid, onset_ms=at_ms, active=True,
        title="测量 bench", device=device, revision=1, simulated=True,
    )  # fmt: skip


def _judged(settings: Settings, storm: _Storm) -> dict[str, int]:
    """What the desk's database holds once nothing more changes in it."""
    sent = {id_ for ids in storm.incidents.values() for id_ in ids}
    config = load_config(settings.cases_file, settings.workflows_folder)
    store = AlertRows(settings.operations_url)
    wait_for(lambda: (store.next_offset(ALERTS) or 0) >= storm.written, 0.5, "the desk to read the topic")
    lost = len(sent - {each.id for each in store.alerts()})
    store.close()
    book = CaseBook(settings.operations_url, config)
    try:
        wait_for(lambda: not book.without_case(-1), 0.5, "the cases")
        cases = list(book.cases_between(0, now_ms() + 1))
    finally:
        book.close()
    of_alert = Counter(id_ for case in cases for id_ in case.alerts)
    case_of = {id_: case.id for case in cases for id_ in case.alerts}
    split = sum(len({case_of.get(id_, "") for id_ in ids}) != 1 for ids in storm.incidents.values())
    return {
        "lost": lost,
        "cases": len(cases),
        "incidents_without_one_case": split + abs(len(cases) - len(storm.incidents)),
        "alerts_in_two_cases": sum(count > 1 for count in of_alert.values()),
    }


def _percentiles(waits: Sequence[float]) -> dict[str, float]:
    found = {f"p{q}": round(float(np.percentile(waits, q)), 3) for q in (50, 99)}
    return found | {"asked": len(waits)}


if __name__ == "__main__":
    main()
