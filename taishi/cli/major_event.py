"""`taishi major-event`: set an event up, switch it on and off, and see how it stands (战时)."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from operations.major_event.load import load_major_event
from operations.major_event.model import KIND_NAMES, MajorEvent, Switched
from operations.major_event.rhythm import slots_of
from operations.oncall.clock import now_ms
from operations.oncall.load import load_oncall
from operations.store.major_events import MajorEventRows
from schemas.calendar import local
from schemas.errors import SettingsError, received_allowed
from taishi.people import checked_places, said
from taishi.settings import Settings, load_settings

__all__ = ["major_event"]

_FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def major_event() -> None:
    """战时。An area and a period with own units, roster, reports, priorities (docs/major-events.md)."""


@major_event.command()
@_FILE
def check(file: Path) -> None:
    """Check an event's file, also against places and the on-call file. Nothing is kept."""
    event = _loaded(file, load_settings())
    for unit in event.units:
        depth = len(list(event.above(unit))) - 1
        people = sorted({name for turn in event.duty if turn.unit == unit.code for name in turn.people})
        click.echo(
            f"{'  ' * depth}{KIND_NAMES[unit.kind]} {unit.name} ({unit.code}): {'、'.join(people) or '–'}"
        )


@major_event.command()
@_FILE
def add(file: Path) -> None:
    """Set an event up, or anew until it is switched on."""
    settings = load_settings()
    event = _loaded(file, settings)
    with _opened(settings) as store:
        store.add_event(event, said("major.add", event.id, event.name))
    click.echo(f"{event.id}: {event.name}, {_period(event)}")


@major_event.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="one JSON array")
def list_(*, as_json: bool) -> None:
    """All events, the latest to begin first."""
    with _opened(load_settings()) as store:
        found = store.events()
    if as_json:
        rows = [dataclasses.asdict(each) | {"in_effect": each.in_effect(now_ms())} for each in found]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for each in found:
        click.echo(f"{each.event.id}  {_state(each)}  {each.event.name}  {_period(each.event)}")


@major_event.command()
@click.argument("event_id", metavar="ID")
@click.option("--by", required=True, help="who switches it on")
@click.option("--why", default="", help="the reason")
def on(*, event_id: str, by: str, why: str) -> None:
    """Switch it on: it counts within its period."""
    with _opened(load_settings()) as store:
        switched = store.switch_on(event_id, by, why, said("major.on", event_id, f"{by}: {why}"))
    click.echo(f"{event_id}: {_state(switched)}, {_period(switched.event)}")


@major_event.command()
@click.argument("event_id", metavar="ID")
@click.option("--by", required=True, help="who switches it off")
def off(*, event_id: str, by: str) -> None:
    """Switch it off. Its summary is on the desk."""
    with _opened(load_settings()) as store:
        switched = store.switch_off(event_id, by, said("major.off", event_id, by))
    click.echo(f"{event_id}: {_state(switched)}")


@major_event.command()
@click.argument("event_id", metavar="ID")
def reports(*, event_id: str) -> None:
    """What each unit owed and gave: due, in time, late, missing."""
    with _opened(load_settings()) as store:
        switched, given = store.event(event_id), store.reports(event_id)
    for unit in switched.event.units:
        for slot in slots_of(switched, unit, given, now_ms()):
            words = slot.report.text if slot.report else ""
            click.echo(f"{unit.code}  {local(slot.due_ms):%m-%d %H:%M}  {slot.state}  {words}".rstrip())


def _loaded(file: Path, settings: Settings) -> MajorEvent:
    """The event; SettingsError also for places that are none, and people on duty who have no channel."""
    event = load_major_event(file.read_text("utf-8"), str(file))
    checked_places([*event.places, *(place for unit in event.units for place in unit.places)], settings)
    if settings.oncall_file is not None:
        known = load_oncall(settings.oncall_file).people
        for name in dict.fromkeys(name for turn in event.duty for name in turn.people):
            if name not in known:
                raise SettingsError(
                    received_allowed(f"{file}: duty, people of {settings.oncall_file}", name, known)
                )
    return event


@contextmanager
def _opened(settings: Settings) -> Iterator[MajorEventRows]:
    (settings.home / "data").mkdir(parents=True, exist_ok=True)
    store = MajorEventRows(settings.operations_url)
    try:
        yield store
    finally:
        store.close()


def _period(event: MajorEvent) -> str:
    return f"{local(event.from_ms):%Y-%m-%d %H:%M} – {local(event.until_ms):%m-%d %H:%M}"


def _state(switched: Switched) -> str:
    if switched.in_effect(now_ms()):
        return f"战时 on since {local(switched.start_ms):%m-%d %H:%M} by {switched.on_by}"
    if not switched.on_ms:
        return "待启动 planned"
    return "已结束 over" if now_ms() >= switched.end_ms else "已启动 armed"
