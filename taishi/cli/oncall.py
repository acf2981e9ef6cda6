"""`taishi oncall`: who is told of alerts."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path
from typing import Final

import click
import structlog

from operations.oncall.load import load_oncall
from operations.oncall.reader import Reader
from operations.oncall.service import Teller
from operations.oncall.store import Store
from schemas.errors import SettingsError
from taishi import logs, metrics
from taishi.kafka import kafka_of
from taishi.outbound import guard_connections
from taishi.serving import running
from taishi.settings import Settings, load_settings

__all__ = ["oncall"]

_LOG = structlog.get_logger(__name__)
_LEAVE_S: Final = 10.0


@click.group()
def oncall() -> None:
    """值班通知。Who is told of alerts, by which channel, and who next if nobody acknowledges."""


def _file(settings: Settings) -> Path:
    if settings.oncall_file is None:
        raise SettingsError(
            "oncall_file: not set, allowed: a TOML file with people and routes (docs/oncall.md), in "
            "taishi.toml or TAISHI_ONCALL_FILE"
        )
    return settings.oncall_file


@oncall.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
def check(file: Path | None) -> None:
    """Check the on-call file: people, channels, routes. Nobody is told anything."""
    found = load_oncall(file or _file(load_settings()))
    click.echo(f"{len(found.people)} 人 people, {len(found.routes)} 条路线 routes")
    for route in found.routes:
        steps = " → ".join(f"{step.after_s} s: {', '.join(step.people)}" for step in route.steps)
        what = f"{route.severity}+ {route.domain or '*'} {route.place or '*'}"
        click.echo(f"  {route.name}: {route.when} {what}: {steps}")


@oncall.command()
def serve() -> None:
    """Read alerts and tell people; `taishi up` runs this where an on-call file is set."""
    settings = load_settings()
    logs.configure("oncall")
    guard_connections()
    told = load_oncall(_file(settings))
    metrics.serve(settings.metrics_port + 11, settings.metrics_host)
    (settings.home / "data").mkdir(parents=True, exist_ok=True)
    store, stopping = Store(settings.operations_url), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    teller = Teller(told, store, seat=f"{socket.gethostname()}:{settings.home}", district=settings.district)
    reader = Reader(kafka_of(settings), store, teller.wake)
    threads = [
        running("reader", reader.run, stopping),
        running("teller", teller.run, stopping),
    ]
    _LOG.info("on call", people=len(told.people), routes=len(told.routes))
    stopping.wait()
    teller.wake()
    for thread in threads:
        thread.join(_LEAVE_S)
    teller.leave()
    store.close()
