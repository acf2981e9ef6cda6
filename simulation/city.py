"""Which devices the city has, and where: drawn once from a seed, the same for the same seed.

Shares of the whole: 45 % parking spaces, about 40 % in residents' homes (a home has eight sensors),
the rest car parks, cameras, doors and smoke detectors; and about one person to a hundred devices, who does
grid work or party building.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

__all__ = ["HOME_SENSORS", "REGISTRY_COLUMNS", "City", "Device", "make_city", "registry_csv"]

REGISTRY_COLUMNS: Final = (
    *("device", "model", "kind", "grid", "longitude", "latitude", "crs", "subject", "capacity", "simulated"),
)

HOME_SENSORS: Final = ("kitchen", "hallway", "lounge", "bedroom", "bathroom", "front-door")
"""Rooms with a sensor: those of the TIHM recording, without fridge and back door."""

_PER_HOME: Final = len(HOME_SENSORS) + 2  # and a bed radar and a room climate sensor
_EUI_PARKING, _EUI_BED, _EUI_SOS = "5a5a000001", "5a5a000002", "5a5a000003"


@dataclass(frozen=True, slots=True)
class Device:
    """One device; `name` is what its vendor's message calls it, `capacity` of car parks only."""

    name: str
    model: str
    kind: str
    grid: str
    subject: str = ""
    capacity: int = 0


@dataclass(frozen=True, slots=True)
class City:
    """Devices by what they are; `homes[i]` are the sensors of one home, in the order of HOME_SENSORS."""

    spaces: list[Device]
    lots: list[Device]
    homes: list[list[Device]]
    beds: list[Device]
    climates: list[Device]
    buttons: list[Device]
    wearables: list[Device]
    guards: list[Device]
    counters: list[Device]
    doors: list[Device]
    smokes: list[Device]
    workers: list[Device]
    members: list[Device]

    def devices(self) -> Iterator[Device]:
        """All of them, in a fixed order."""
        for sensors in self.homes:
            yield from sensors
        groups = (self.spaces, self.lots, self.beds, self.climates, self.buttons, self.wearables)
        public = (self.guards, self.counters, self.doors, self.smokes)
        for group in (*groups, *public, self.workers, self.members):
            yield from group


def make_city(grids: Sequence[str], devices: int, seed: int) -> City:
    """About `devices` devices over the grids (exactly, but for the size of a home)."""
    rng = np.random.default_rng(seed)

    def grid() -> str:
        return grids[int(rng.integers(len(grids)))]

    def many(share: float) -> range:
        return range(max(1, int(devices * share)))

    homes = [grid() for _ in many(0.40 / _PER_HOME)]
    people = [f"sim-resident-{home:05d}" for home in range(len(homes))]
    spaces = [Device(f"{_EUI_PARKING}{n:06x}", "bosch.tps110", "parking.space", grid()) for n in many(0.45)]
    lots = [
        Device(f"sim-lot-{n:04d}", "fiware", "parking.lot", grid(), capacity=int(rng.integers(40, 500)))
        for n in many(0.004)
    ]
    mac = "02:5a:5a:{:02x}:{:02x}:{:02x}/1"
    cameras = [mac.format(n >> 16, n >> 8 & 255, n & 255) for n in range(devices)]
    guards, counters, doors = len(many(0.03)), len(many(0.015)), len(many(0.02))
    return City(
        spaces=spaces,
        lots=lots,
        homes=[_home(home, grid_, people[home]) for home, grid_ in enumerate(homes)],
        beds=[
            Device(f"{_EUI_BED}{home:06x}", "milesight.vs373", "care.bed", grid_, people[home])
            for home, grid_ in enumerate(homes)
        ],
        climates=[
            Device(f"sim-climate-{home:05d}", "zigbee2mqtt", "care.environment", grid_, people[home])
            for home, grid_ in enumerate(homes)
        ],
        buttons=[
            Device(f"{_EUI_SOS}{n:06x}", "milesight.ws101", "care.emergency", homes[n % len(homes)],
                   people[n % len(homes)])
            for n in many(0.03)
        ],
        wearables=[
            Device(f"Device/sim-wearable-{n:05d}", "fhir", "care.vitals", homes[n % len(homes)],
                   people[n % len(homes)])
            for n in many(0.02)
        ],
        guards=[Device(cameras[n], "hikvision", "security.intrusion", grid()) for n in range(guards)],
        counters=[
            Device(cameras[guards + n], "hikvision", "security.video_count", grid()) for n in range(counters)
        ],
        doors=[
            Device(cameras[guards + counters + n], "hikvision", "security.access", grid())
            for n in range(doors)
        ],
        smokes=[Device(f"sim-smoke-{n:05d}", "zigbee2mqtt", "security.fire", grid()) for n in many(0.031)],
        workers=[_person(f"sim-worker-{n:05d}", "governance.patrol", grid()) for n in many(0.004)],
        members=[_person(f"sim-member-{n:05d}", "governance.party", grid()) for n in many(0.008)],
    )  # fmt: skip


def _person(name: str, kind: str, grid: str) -> Device:
    """Somebody who does something, as a row of the registry: the name is a pseudonym already."""
    return Device(name, "governance", kind, grid, name)


def _home(home: int, grid: str, person: str) -> list[Device]:
    return [
        Device(f"sim-home-{home:05d}-{room}", "zigbee2mqtt", "care.activity", grid, person)
        for room in HOME_SENSORS
    ]


def registry_csv(city: City) -> str:
    """The device registry of the city, as the connectors read it."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(REGISTRY_COLUMNS)
    for d in city.devices():
        writer.writerow((d.name, d.model, d.kind, d.grid, "", "", "", d.subject, d.capacity or "", "true"))
    return text.getvalue()
