"""`taishi simulate`: a simulated city that speaks the vendors' formats to the real connectors."""

from __future__ import annotations

import io
import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import click
import structlog

from connectors.base import Device as Registered
from connectors.registry import parse_rows
from operations.oncall.clock import now_ms as wall_ms
from schemas.errors import SettingsError
from simulation.city import City, Device, make_city, registry_csv
from simulation.history.windows import Past
from simulation.incidents import INCIDENTS, incident, parse_incident
from simulation.load import load_devices, load_messages
from simulation.publish import Publisher, PublisherSettings
from simulation.vendors.outgoing import Outgoing
from simulation.world import World
from taishi import logs, metrics
from taishi.cli.simulate_history import fill
from taishi.devices import editing, write
from taishi.places import load_registry
from taishi.settings import Settings, load_settings

__all__ = ["simulate"]

_LOG = structlog.get_logger(__name__)
_TICK_S = 1.0
_DRAIN_S = 10.0
_SHOWN = 5


@click.command()
@click.option(
    "--serve", is_flag=True, help="Write the registry, then publish until stopped (what `up` runs)."
)
@click.option("--devices", type=click.IntRange(min=100), default=None, help="Default: 20,000 (settings).")
@click.option("--seed", type=int, default=None, help="Same seed, same city. Default: 370202 (settings).")
@click.option("--duration", type=float, default=None, metavar="S", help="Stop after S seconds.")
@click.option(
    "--speed",
    type=click.FloatRange(min=0.01),
    default=1.0,
    show_default=True,
    help="How fast the city lives. Messages are stamped with the real time all the same.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0),
    default=0.0,
    metavar="N",
    help="N readings a second in our own JSON, half MQTT, half HTTP lists; with --serve besides the city.",
)
@click.option(
    "--incident",
    "incident_text",
    default=None,
    metavar="WHAT@PLACE",
    help=f"Let something happen in the running city. WHAT: {', '.join(INCIDENTS)}.",
)
@click.option(
    "--write-registry",
    type=click.Path(path_type=Path),
    default=None,
    metavar="FILE",
    help="Only write the device registry.",
)
@click.option(
    "--history",
    default=None,
    metavar="SPAN",
    help="Fill InfluxDB with the city's past instead: 7d, 36h; its last hour also in windows of 10 s.",
)
@click.option("--history-until", default=None, metavar="TIME", help="Where that past ends. Default: now.")
@click.option(
    "--dry-run",
    is_flag=True,
    help="Send nothing: count what would be sent in --duration, show an incident.",
)
@click.option(
    "--show", type=click.IntRange(min=1), default=None, metavar="N", help="Print N sample messages."
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
def simulate(  # noqa: PLR0913 - one parameter an option
    *,
    devices: int | None,
    seed: int | None,
    duration: float | None,
    speed: float,
    rate: float,
    incident_text: str | None,
    write_registry: Path | None,
    show: int | None,
    serve: bool,
    history: str | None,
    history_until: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Publish what a city's parking, security and care devices would say. All of it is SIMULATED.

    \b
    taishi simulate --dry-run --duration 3600 --speed 60   # what would an hour send?
    taishi simulate --incident fire@370202001001001        # smoke in one grid of the running city
    taishi simulate --rate 2000 --duration 60              # load on top
    taishi simulate --history 7d                           # a past for boards and analyses
    """  # noqa: D301 - \b is click's mark for lines that stay lines  # fmt: skip
    settings = load_settings()
    seed = settings.simulated_seed if seed is None else seed
    grids = load_registry(settings).grid_codes
    if history is not None:
        past = Past(grids, devices or settings.simulated_devices, seed)
        fill(settings, past, long=history, until=history_until, as_json=as_json)
        return
    city = make_city(grids, devices or settings.simulated_devices, seed)
    extra = load_devices(grids, rate)
    if write_registry is not None:
        _write_registry(write_registry, city, extra)
        click.echo(f"wrote {sum(1 for _ in city.devices()) + len(extra)} devices to {write_registry}")
    elif incident_text is not None:
        _happen(settings, city, incident_text, seed, dry_run=dry_run)
    elif dry_run or show is not None:
        _dry_run(World(city, seed, wall_ms()), duration or 60.0, speed, show, as_json=as_json)
    else:
        _run(settings, city, extra, seed=seed, duration=duration, speed=speed, serve=serve)


def _write_registry(path: Path, city: City, extra: list[Device]) -> None:
    """The city's devices in place of the simulated ones before; what others registered stays."""
    rows = "".join(f"{d.name},{d.model},{d.kind},{d.grid},,,,,,true\n" for d in extra)
    simulated, _ = parse_rows(io.StringIO(registry_csv(city) + rows))
    with editing(path):
        real = [device for device in _registered(path) if not device.simulated]
        write(path, [*simulated.values(), *(d for d in real if d.device not in simulated)])


def _registered(path: Path) -> Iterable[Registered]:
    """What the file holds; SettingsError where a row cannot be read: writing would drop it."""
    if not path.exists():
        return ()
    with path.open(encoding="utf-8-sig", newline="") as file:
        devices, problems = parse_rows(file)
    if problems:
        raise SettingsError(f"{path}: {problems[0]}; mend it first (taishi devices check)")
    return devices.values()


def _run(  # noqa: PLR0913 - what a run is made of
    settings: Settings,
    city: City,
    extra: list[Device],
    *,
    seed: int,
    duration: float | None,
    speed: float,
    serve: bool,
) -> None:
    """Publish in real time, one tick a second, until the duration is over or a signal comes."""
    logs.configure("simulate")
    if serve:
        metrics.serve(settings.metrics_port + 5, settings.metrics_host)
    if serve or extra:
        _write_registry(settings.devices_file or settings.home / "devices.csv", city, extra)
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    world, sent = World(city, seed, wall_ms()), 0
    until_s = None if duration is None else time.monotonic() + duration

    def over() -> bool:
        return stopped.is_set() or (until_s is not None and time.monotonic() >= until_s)

    with Publisher(_publisher_settings(settings)) as publisher:
        _LOG.info("city started", devices=sum(1 for _ in city.devices()), seed=seed, speed=speed)
        for messages in _ticks(world if serve or not extra else None, extra, speed, stopped, over):
            sent += publisher.send(messages, over)
        left = publisher.drain(_DRAIN_S)
    _LOG.info("city stopped", sent=sent, not_acknowledged=left)
    if not serve:
        click.echo(f"sent {sent} messages, {sent - left} answered, {left} not")


def _ticks(
    world: World | None,
    extra: list[Device],
    speed: float,
    stopped: threading.Event,
    over: Callable[[], bool],
) -> Iterator[list[Outgoing]]:
    number, next_s = 0, time.monotonic()
    while not over():
        now_ms = wall_ms()
        living = world.advance(now_ms, speed) if world is not None else []
        yield [*living, *load_messages(extra, number, now_ms)]
        number += 1
        next_s += _TICK_S
        stopped.wait(max(0.0, next_s - time.monotonic()))


def _dry_run(world: World, duration_s: float, speed: float, show: int | None, *, as_json: bool) -> None:
    counts: Counter[str] = Counter()
    samples: list[Outgoing] = []
    now_ms = wall_ms()
    for tick in range(1, max(1, round(duration_s)) + 1):
        messages = world.advance(now_ms + tick * 1000, speed)
        counts.update(f"{message.transport} {message.vendor}" for message in messages)
        samples.extend(messages[: (show or 0) - len(samples)])
    for sample in samples:
        click.echo(f"{sample.transport} {sample.address}\n{sample.payload.decode('utf-8', 'replace')}\n")
    if show is None:
        total = sum(counts.values())
        per_s = total / duration_s
        result = {"messages": total, "messages_per_s": round(per_s, 1), "by": dict(sorted(counts.items()))}
        click.echo(json.dumps(result) if as_json else "\n".join(
            [f"{total:,} messages in {duration_s:g} s ({per_s:.1f}/s), SIMULATED (模拟):",
             *(f"  {name:<20}{count:>10,}" for name, count in sorted(counts.items()))]
        ))  # fmt: skip


def _happen(settings: Settings, city: City, text: str, seed: int, *, dry_run: bool) -> None:
    name, place = parse_incident(text)
    known = load_registry(settings)
    if known.place(place) is None:
        raise SettingsError(
            f"place: received {place!r}, allowed: a code of the district (taishi places list), "
            f"such as {known.grid_codes[0]}"
        )
    messages = incident(city, name, place, wall_ms(), seed)
    if not dry_run:
        _publish(settings, messages)
    for message in messages[:_SHOWN]:
        click.echo(f"{message.transport} {message.address} {message.payload.decode()[:300]}")
    if len(messages) > _SHOWN:
        click.echo(f"... and {len(messages) - _SHOWN} more")
    became = "messages not sent (--dry-run)" if dry_run else "messages sent and acknowledged"
    click.echo(f"{name} at {place}: {len(messages)} {became} (模拟 SIMULATED)")


def _publish(settings: Settings, messages: list[Outgoing]) -> None:
    with Publisher(_publisher_settings(settings)) as publisher:
        until_s = time.monotonic() + _DRAIN_S
        sent = publisher.send(messages, lambda: time.monotonic() >= until_s)
        left = publisher.drain(max(0.0, until_s - time.monotonic())) + len(messages) - sent
    if left:
        raise SettingsError(f"{left} of {len(messages)} messages were not acknowledged; is the stack up?")


def _publisher_settings(settings: Settings) -> PublisherSettings:
    host, port = settings.mqtt_host_port
    url = f"http://{settings.http_host}:{settings.http_port}"
    shown = (settings.http_token, settings.mqtt_user, settings.mqtt_password)
    return PublisherSettings(host, port, url, *shown)
