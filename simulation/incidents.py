"""Incidents on request: what the devices of a place say when something happens there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice, takewhile
from typing import Final

from schemas.errors import SettingsError, received_allowed
from simulation.city import City, Device
from simulation.events import Event
from simulation.faults import is_dead
from simulation.vendors import encode
from simulation.vendors.outgoing import Outgoing

__all__ = ["INCIDENTS", "incident", "parse_incident"]

_NAMED: Final = 3


def _fire(city: City, place: str, now_ms: int) -> list[Event]:
    smokes = _in(city.smokes, place)
    passers = [Event(d, "people", now_ms, {"entered": 2, "left": 40}) for d in _in(city.counters, place)]
    return [Event(d, "smoke", now_ms, {"smoke": 1.0}) for d in smokes[:3]] + passers


def _intrusion(city: City, place: str, now_ms: int) -> list[Event]:
    return [Event(d, "fielddetection", now_ms) for d in _in(city.guards, place)[:1]]


def _forced_door(city: City, place: str, now_ms: int) -> list[Event]:
    return [Event(d, "forced", now_ms) for d in _in(city.doors, place)[:1]]


def _fall(city: City, place: str, now_ms: int) -> list[Event]:
    return [Event(d, "fall", now_ms) for d in _in(city.beds, place)[:1]]


def _sos(city: City, place: str, now_ms: int) -> list[Event]:
    return [Event(d, "sos", now_ms) for d in _in(city.buttons, place)[:1]]


def _crowd(city: City, place: str, now_ms: int) -> list[Event]:
    return [Event(d, "people", now_ms, {"entered": 400, "left": 20}) for d in _in(city.counters, place)]


def _parking_full(city: City, place: str, now_ms: int) -> list[Event]:
    spaces = [Event(d, "status", now_ms, {"occupied": 1.0}) for d in _in(city.spaces, place)]
    lots = [
        Event(d, "report", now_ms, {"occupied": d.capacity, "capacity": d.capacity})
        for d in _in(city.lots, place)
    ]
    return spaces + lots


INCIDENTS: Final[Mapping[str, Callable[[City, str, int], list[Event]]]] = {
    "fire": _fire,
    "intrusion": _intrusion,
    "forced-door": _forced_door,
    "fall": _fall,
    "sos": _sos,
    "crowd": _crowd,
    "parking-full": _parking_full,
}


def _in(devices: list[Device], place: str) -> list[Device]:
    """Devices of a grid, or of every grid of a larger place; codes are prefixes."""
    return [device for device in devices if device.grid.startswith(place)]


def parse_incident(text: str) -> tuple[str, str]:
    """`fire@370202001001001` -> (fire, 370202001001001)."""
    name, at, place = text.partition("@")
    if name not in INCIDENTS or not at:
        allowed = [f"{known}@PLACE" for known in INCIDENTS]
        raise SettingsError(received_allowed("incident", text, allowed))
    return name, place


def incident(city: City, name: str, place: str, now_ms: int, seed: int) -> list[Outgoing]:
    """The messages of an incident; SettingsError when no device of the place could tell of it."""
    events = _events(city, name, place, now_ms, seed)
    if not events:
        grids = sorted({device.grid for device in city.devices()}, key=lambda grid: _distance(grid, place))
        able = (grid for grid in grids if _events(city, name, grid, now_ms, seed))
        raise SettingsError(
            f"incident {name}: no simulated device of {place!r} can tell of it, allowed: "
            f"{', '.join(islice(able, _NAMED))} and others, or a whole street or district"
        )
    return [encode(event, now_ms // 1000 % 65_536 + n) for n, event in enumerate(events)]


def _events(city: City, name: str, place: str, now_ms: int, seed: int) -> list[Event]:
    return [e for e in INCIDENTS[name](city, place, now_ms) if not is_dead(e.device.name, seed)]


def _distance(grid: str, place: str) -> tuple[int, str]:
    """Places of one community, of one street and so on have the beginning of their codes in common."""
    same = takewhile(lambda pair: pair[0] == pair[1], zip(grid, place, strict=False))
    return -sum(1 for _ in same), grid
