"""What happened in the past, labelled: incidents of places, feeds that died, gaps of the whole system.

Drawn a day at a time from the seed, so whoever asks for any period is told the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.kinds import DOMAINS
from simulation.city import Device
from simulation.history.equipment import Equipment
from simulation.history.rhythm import MINUTE_MS, day_number, day_start_ms, stream

__all__ = ["FEEDS", "SHARDS", "Happening", "happenings"]

FEEDS: Final = ("mqtt.zigbee2mqtt", "mqtt.chirpstack", "http.hikvision")
"""Sources that die now and then: homes and smoke detectors; spaces and beds; cameras and doors."""
SHARDS: Final = 4
"""Kafka partitions of a domain; grid `row` is in shard `row % SHARDS`."""
_STREAM: Final = 1
_INTRUSIONS_A_DAY, _CALLS_A_DAY = 0.05, 0.002
"""Of one guarding camera and of one button: those of the live city."""
_FULL_LEAST: Final = 60
"""Spaces of a community that can be called full."""


@dataclass(frozen=True, slots=True)
class Happening:
    """`what` happened at `place` (of `level`) from `from_ms` until `until_ms`.

    `device` is who told of it (its name), the feed that died, or "DOMAIN/SHARD" that fell behind.
    """

    what: str
    level: str
    place: str
    from_ms: int
    until_ms: int
    device: str = ""


def happenings(equipment: Equipment, district: str, from_ms: int, until_ms: int) -> list[Happening]:
    """Everything that was going on between two moments, by begin."""
    days = range(day_number(from_ms) - 1, day_number(until_ms) + 1)
    found = [one for day in days for one in _day(equipment, district, day)]
    within = [one for one in found if one.from_ms < until_ms and one.until_ms > from_ms]
    return sorted(within, key=lambda one: (one.from_ms, one.what, one.place))


def _day(equipment: Equipment, district: str, day: int) -> Iterator[Happening]:
    rng, city = stream(equipment.seed, _STREAM, day), equipment.city
    yield from _told(equipment, rng, day)
    yield from _of_grids(equipment, rng, day, ("crowd", city.counters, 15))
    community = _large_community(equipment, rng)
    yield _lasting("parking-full", "community", community, _at(rng, day, 7, 20), 100)
    quiet = _large_community(equipment, rng)
    yield _lasting("sensors-silent", "community", quiet, _at(rng, day, 0, 18), int(rng.integers(180, 360)))
    behind = f"{DOMAINS[int(rng.integers(len(DOMAINS)))]}/{int(rng.integers(SHARDS))}"
    yield _lasting("shard-behind", "district", district, _at(rng, day, 0, 23), 5, behind)
    feed, dies = FEEDS[int(rng.integers(len(FEEDS)))], _at(rng, day, 0, 22)
    if day % 3 == 0:
        yield _lasting("feed-dead", "district", district, dies, int(rng.integers(20, 60)), feed)
    if day % 7 == 2:
        yield _lasting("system-down", "district", district, day_start_ms(day) + 190 * MINUTE_MS, 15)


def _told(equipment: Equipment, rng: np.random.Generator, day: int) -> Iterator[Happening]:
    """What devices tell of at once: one of each a day, intrusions and calls as often as in the live city."""
    city = equipment.city
    intrusions = 1 + int(rng.poisson(_INTRUSIONS_A_DAY * len(city.guards)))
    calls = 1 + int(rng.poisson(_CALLS_A_DAY * len(city.buttons)))
    told: tuple[tuple[str, Sequence[Device], int, int], ...] = (
        ("fire", city.smokes, 10, 1),
        ("fall", city.beds, 5, 1),
        ("forced-door", city.doors, 3, 1),
        ("intrusion", city.guards, 2, intrusions),
        ("sos", city.buttons, 5, calls),
    )
    for what, devices, minutes, count in told:
        for _ in range(count):
            yield from _of_grids(equipment, rng, day, (what, devices, minutes))


def _of_grids(
    equipment: Equipment, rng: np.random.Generator, day: int, told: tuple[str, Sequence[Device], int]
) -> Iterator[Happening]:
    what, devices, minutes = told
    at_ms, chosen = _at(rng, day, 0, 23), devices[int(rng.integers(len(devices)))]
    if equipment.alive_in([chosen], chosen.grid):
        yield _lasting(what, "grid", chosen.grid, at_ms, minutes, chosen.name)


def _large_community(equipment: Equipment, rng: np.random.Generator) -> str:
    able = equipment.communities_with_spaces(_FULL_LEAST)
    return able[int(rng.integers(len(able)))]


def _at(rng: np.random.Generator, day: int, from_hour: int, to_hour: int) -> int:
    minute = int(rng.integers(from_hour * 60, to_hour * 60))
    return day_start_ms(day) + minute * MINUTE_MS


def _lasting(what: str, level: str, place: str, at_ms: int, minutes: int, device: str = "") -> Happening:
    return Happening(what, level, place, at_ms, at_ms + minutes * MINUTE_MS, device)
