"""From the log to every open page of the desk: `python -m benchmarks.desk [--pages 200] [--alerts 50]`.

Against the running stack (`TAISHI_DESK=true taishi up --no-demo --detach`). Two people are entered, one looks
on many pages (server-sent events), the other acknowledges. Alerts are written to the topic `alerts`, as the
jobs do; printed are p50 and p99 over all pages of: from the write of an alert until a page has it, and from
the request that acknowledges it until a page has the name. The pages' own work is in it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import click
import httpx
import msgspec
import numpy as np
import pyotp
from confluent_kafka import Producer

from operations.oncall.clock import now_ms
from operations.people.passwords import Passwords
from operations.people.roles import Person, Role
from operations.store.people import Credentials
from schemas.alerts import Alert, alert_id
from schemas.topics import ALERTS
from taishi.people import opened, said
from taishi.places import load_registry
from taishi.settings import Settings, load_settings

__all__ = ["Pages", "entered", "looking", "main", "spread", "token", "until"]

_RULE: Final = "bench.desk"
_LIMIT_S: Final = 30.0


@dataclass
class Pages:
    """What open pages have heard: alert of the rule -> moments (monotonic) a page had it, or its name."""

    rule: str = _RULE
    heard: dict[str, list[float]] = field(default_factory=dict)
    named: dict[str, list[float]] = field(default_factory=dict)
    open: int = 0

    def hear(self, line: str) -> None:
        """One line of the stream."""
        if not line.startswith("data: [") or self.rule not in line:
            return
        at_s = time.monotonic()
        for told in json.loads(line.removeprefix("data: ")):
            if told["rule"] != self.rule:
                continue
            moments = self.named if told["state"].get("acknowledged") else self.heard
            moments.setdefault(told["id"], []).append(at_s)

    async def look(self, client: httpx.AsyncClient) -> None:
        """One page, until cancelled."""
        async with client.stream("GET", "/api/events", timeout=None) as answer:
            answer.raise_for_status()
            async for line in answer.aiter_lines():
                self.open += line == "event: listed"
                self.hear(line)


@click.command()
@click.option("--pages", default=200, show_default=True)
@click.option("--alerts", default=50, show_default=True)
@click.option("--per-s", default=2.0, show_default=True, help="Alerts a second.")
def main(pages: int, alerts: int, per_s: float) -> None:
    """Print the latencies as one JSON object."""
    click.echo(json.dumps(asyncio.run(_measured(pages, alerts, per_s))))


async def _measured(pages: int, count: int, per_s: float) -> dict[str, object]:
    settings = load_settings()
    url = f"http://{settings.desk_host}:{settings.desk_port}"
    by, wall = entered("operator", settings), entered("analyst", settings)
    limits = httpx.Limits(max_connections=None)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=_LIMIT_S) as client:
        acting = {"Authorization": f"Bearer {await token(client, *by)}"}
        client.headers["Authorization"] = f"Bearer {await token(client, *wall)}"
        async with looking(client, pages, Pages()) as seen:
            raised = await _raise(settings.kafka_bootstrap, _made(count), per_s)
            await until(lambda: _all(seen.heard, raised, pages))
            acknowledged: dict[str, float] = {}
            for id_ in raised:
                acknowledged[id_] = time.monotonic()
                answer = await client.post(f"/api/alerts/{id_}/acknowledge", json={}, headers=acting)
                answer.raise_for_status()
                await asyncio.sleep(1 / per_s)
            await until(lambda: _all(seen.named, raised, pages))
        return {
            "pages": pages,
            "alerts": count,
            "alert_to_page_s": spread(seen.heard, raised),
            "acknowledgement_to_page_s": spread(seen.named, acknowledged),
        }


def entered(role: Role, settings: Settings) -> tuple[str, str, str]:
    """Somebody new: id, password and the secret of the second factor."""
    id_, password, secret = f"bench-{secrets.token_hex(4)}", secrets.token_urlsafe(16), pyotp.random_base32()
    person = Person(id=id_, name=id_, roles=(role,), places=(settings.district,))
    with opened(settings) as store:
        store.add_person(person, Credentials(Passwords().hashed(password), secret), said("people.add", id_))
    return id_, password, secret


async def token(client: httpx.AsyncClient, id_: str, password: str, secret: str) -> str:
    """Of a session that has just begun."""
    asked = {"id": id_, "password": password, "code": pyotp.TOTP(secret).now(), "terminal": "desk"}
    answer = await client.post("/api/session", json=asked)
    answer.raise_for_status()
    (token,) = answer.cookies.values()
    client.cookies.clear()
    return str(token)


@asynccontextmanager
async def looking(client: httpx.AsyncClient, pages: int, seen: Pages) -> AsyncIterator[Pages]:
    """So many open pages; all have their list."""
    tasks = [asyncio.ensure_future(seen.look(client)) for _ in range(pages)]
    try:
        await until(lambda: seen.open >= pages)
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _made(count: int) -> Iterable[Alert]:
    grids = load_registry(load_settings()).grid_codes
    for number in range(count):
        at_ms = now_ms() + number
        grid = grids[number % len(grids)]
        yield Alert(
            id=alert_id(_RULE, grid, at_ms),
            rule=_RULE,
            severity="low",
            domain="security",
            level="grid",
            place=grid,
            onset_ms=at_ms,
            active=True,
            title="测量 bench",
            revision=1,
            simulated=True,
        )


async def _raise(bootstrap: str, alerts: Iterable[Alert], per_s: float) -> dict[str, float]:
    """Write them at a steady rate; id -> moment of the write."""
    producer, raised = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0}), dict[str, float]()
    for alert in alerts:
        raised[alert.id] = time.monotonic()
        producer.produce(ALERTS, msgspec.json.encode(alert), alert.id)
        producer.poll(0)
        await asyncio.sleep(1 / per_s)
    await asyncio.to_thread(producer.flush, _LIMIT_S)
    return raised


async def until(condition: Callable[[], bool], limit_s: float = _LIMIT_S) -> None:
    """Wait for it; ClickException when it does not come in time."""
    until_s = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > until_s:
            raise click.ClickException(f"not all pages heard of it within {limit_s:.0f} s")
        await asyncio.sleep(0.05)


def _all(moments: dict[str, list[float]], ids: Iterable[str], pages: int) -> bool:
    return all(len(moments.get(id_, ())) >= pages for id_ in ids)


def spread(moments: dict[str, list[float]], since_s: dict[str, float]) -> dict[str, float]:
    """Median and 99th percentile over all pages."""
    waits = [at - since for id_, since in since_s.items() for at in moments[id_]]
    return {f"p{q}": round(float(np.percentile(waits, q)), 3) for q in (50, 99)}


if __name__ == "__main__":
    main()
