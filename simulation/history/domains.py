"""What the devices of each domain say in an hour: counts by minute, and gauges at any moment.

The figures are those of the live city (simulation/parking.py, care.py, security.py, governance.py), as
expected counts with Poisson noise. Occupancy, which the live city keeps at 60 %, has a shape of its own here:
streets where people work are full by day, streets where people live by night.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from schemas.kinds import Domain
from simulation.governance import (
    CHECK_INS_A_DAY,
    DUTY,
    PATROLS_A_DAY,
    REPORTED,
    SERVICE,
    STATION,
    VISITS_A_DAY,
)
from simulation.history.equipment import Equipment, Int64s
from simulation.history.hour import MINUTES, Hour
from simulation.history.rhythm import Floats, day_number, drift, duty_day, factor, hour_of, stream, street
from simulation.rhythm import HOME_BY_HOUR

__all__ = ["DOMAIN_PAST", "SCALE", "DomainPast"]

SCALE: Final = 1_000_000
"""One unit in millionths: values are whole numbers of them, so sums are exact."""
_HOMES_FEED, _SPACES_FEED, _CAMERAS_FEED = "mqtt.zigbee2mqtt", "mqtt.chirpstack", "http.hikvision"
_MINUTES_A_DAY: Final = 1440.0
_RAMP_MS: Final = 20 * 60_000
_STAY_MIN: Final = 120.0
_MEASURED_EVERY_MIN: Final = 5
_IN_BED: Final = (*[0.95] * 6, *[0.08] * 16, 0.95, 0.95)
_NOON_MS: Final = 12 * 3_600_000
_OUT_OF_RANGE: Final = {"heart_rate": 0.033, "spo2": 0.2}
"""What leaves the normal range of the live city's draws: N(72, 9) beyond 51..90, N(97, 1.2) below 96."""

Columns = dict[str, Int64s]


@dataclass(frozen=True)
class DomainPast:
    """How a domain's past is made.

    `counts(hour)`: what adds up, by measure, shape (60, grids). `gauges(hour, at_ms)`: what holds, shape
    (times, grids). Both in units, `*_sum` in millionths. `known(equipment)`: who can be heard at all, by
    measure of distinct ones, shape (grids,).
    """

    counts: Callable[[Hour], Columns]
    gauges: Callable[[Hour, Int64s], Columns]
    known: Callable[[Equipment], Columns]


def _shares(hour: Hour, at_ms: Int64s) -> Floats:
    """Occupied share of the spaces, shape (times, grids)."""
    equipment = hour.equipment
    at_ms = hour.heard_until(_SPACES_FEED, at_ms)
    by_day = np.clip(street(at_ms) / 1.4, 0, 1) - 0.5
    share = 0.6 + np.multiply.outer(by_day, 0.5 * _work(equipment))
    share = np.clip(share + 0.05 * drift(equipment.seed, 2, at_ms, len(equipment.grids)), 0.05, 0.93)
    full: Floats = share + (1 - share) * hour.weight("parking-full", at_ms, _RAMP_MS)
    return full


def _work(equipment: Equipment) -> Floats:
    """How much a grid is for work (1) or for living (-1), alike within a street."""
    rng = stream(equipment.seed, 3, 0)
    streets = {grid[:9]: rng.uniform(-1, 1) for grid in equipment.grids}
    own = rng.uniform(-0.4, 0.4, len(equipment.grids))
    work: Floats = np.clip(np.array([streets[grid[:9]] for grid in equipment.grids]) + own, -1, 1)
    return work


def _taken(hour: Hour, at_ms: Int64s) -> Int64s:
    total = hour.equipment.spaces + hour.equipment.capacity
    return np.rint(_shares(hour, at_ms) * total).astype(np.int64)


def _parking_counts(hour: Hour) -> Columns:
    rng, equipment, came = hour.rng(4), hour.equipment, hour.came(_SPACES_FEED)
    total = equipment.spaces + equipment.capacity
    busy = np.clip(street(hour.middles_ms), 0.2, 1.5) * came
    moved = hour.poisson(rng, total * 0.6 / _STAY_MIN, busy)
    change = np.diff(_taken(hour, np.concatenate(([hour.start_ms], hour.ends_ms(60)))), axis=0)
    beats = hour.poisson(rng, equipment.spaces / _MINUTES_A_DAY, came)
    reports = 2 * _every(equipment.lots, _MEASURED_EVERY_MIN)
    said = 2 * moved + np.abs(change) + beats + reports
    return {"turnover": moved + np.maximum(change, 0), "readings": said}


def _parking_gauges(hour: Hour, at_ms: Int64s) -> Columns:
    equipment = hour.equipment
    total = equipment.spaces + equipment.capacity
    silent = hour.weight("sensors-silent", at_ms, 1) > 0
    unknown = np.where(silent, equipment.spaces * 3 // 5, 0)
    occupied = np.rint(_shares(hour, at_ms) * (total - unknown)).astype(np.int64)
    return {"spaces": np.broadcast_to(total, unknown.shape), "unknown": unknown, "occupied": occupied}


def _security_counts(hour: Hour) -> Columns:
    rng, public, came = hour.rng(5), hour.equipment.public, hour.came(_CAMERAS_FEED)
    busy = street(hour.middles_ms) * came
    passages = hour.poisson(rng, public["doors"] * 300 / _MINUTES_A_DAY, busy)
    denied = rng.binomial(passages, 0.03)
    crowded = stream(hour.equipment.seed, 6, 0).lognormal(0, 0.5, len(hour.equipment.grids))
    entered, left = (hour.poisson(rng, public["counters"] * 6 * crowded, busy) for _ in range(2))
    for _, where in hour.during("crowd"):
        entered += where * 400 * public["counters"]
    for _, where in hour.during("fire"):
        left += where * 40 * public["counters"]
    counts = {
        "access_granted": passages - denied,
        "access_denied": denied,
        "access_forced": hour.begun("forced-door"),
        "intrusion_motion": hour.poisson(rng, public["guards"] * 20 / _MINUTES_A_DAY, busy),
        "intrusion_intrusion": hour.begun("intrusion"),
        "fire_smoke": hour.begun("fire"),
    }
    reports = np.multiply.outer(came.astype(np.int64), 2 * public["counters"])
    said = sum(counts.values(), reports + hour.poisson(rng, public["smokes"] / 720, hour.came(_HOMES_FEED)))
    return {**counts, "people_entered": entered, "people_left": left, "readings": said}


def _care_counts(hour: Hour) -> Columns:
    rng, equipment, came = hour.rng(7), hour.equipment, hour.came(_HOMES_FEED)
    pace = stream(equipment.seed, 8, 0).lognormal(0, 0.4, len(equipment.grids))
    by_minute = factor(HOME_BY_HOUR, hour.middles_ms) * came
    activity = hour.poisson(rng, equipment.homes * pace * 214 / _MINUTES_A_DAY, by_minute)
    measured = _every(equipment.homes, _MEASURED_EVERY_MIN) * came.astype(np.int64)[:, None]
    worn = np.broadcast_to(equipment.wearables, measured.shape)
    counts = {
        "activity": activity,
        "vitals": 2 * worn,
        "sos": hour.begun("sos"),
        "falls": hour.begun("fall"),
        "temperature_count": measured,
        "humidity_count": measured,
    }
    beds = hour.poisson(rng, np.bincount(equipment.home_grids, minlength=len(equipment.grids)) / 10,
                        hour.came(_SPACES_FEED))  # fmt: skip
    return {
        **counts,
        "vitals_out_of_range": sum((rng.binomial(worn, share) for share in _OUT_OF_RANGE.values()), 0 * worn),
        "temperature_sum": _tenths(measured * _warmth_c(hour)),
        "humidity_sum": _tenths(measured * (48 + 4 * drift(equipment.seed, 9, hour.middles_ms, pace.size))),
        "readings": sum(counts.values(), beds),
    }


def _warmth_c(hour: Hour) -> Floats:
    equipment = hour.equipment
    own = stream(equipment.seed, 10, 0).normal(0, 1.0, len(equipment.grids))
    by_day = 0.6 * np.sin((hour_of(hour.middles_ms) - 9) / 24 * 2 * np.pi)
    warmth: Floats = 21.5 + own + by_day[:, None] + 0.2 * drift(equipment.seed, 11, hour.middles_ms, own.size)
    return warmth


def _care_gauges(hour: Hour, at_ms: Int64s) -> Columns:
    equipment = hour.equipment
    heard_ms = hour.heard_until(_SPACES_FEED, at_ms)
    night = day_number(hour.start_ms - _NOON_MS)
    sleeper = stream(equipment.seed, 12, night).random(equipment.home_grids.size)
    in_bed = np.less.outer(sleeper, factor(_IN_BED, heard_ms))
    occupied = np.zeros((len(equipment.grids), at_ms.size), np.int64)
    np.add.at(occupied, equipment.home_grids, in_bed)
    beds = np.bincount(equipment.home_grids, minlength=len(equipment.grids))
    return {"beds": np.broadcast_to(beds, occupied.T.shape), "beds_occupied": occupied.T}


def _governance_counts(hour: Hour) -> Columns:
    rng, equipment, at_ms = hour.rng(13), hour.equipment, hour.middles_ms

    def done(people: Int64s, a_day: float, rhythm: tuple[tuple[float, ...], float]) -> Int64s:
        by_minute = factor(rhythm[0], at_ms) * duty_day(at_ms, rhythm[1])
        return hour.poisson(rng, people * a_day / _MINUTES_A_DAY, by_minute)

    patrols = done(equipment.workers, PATROLS_A_DAY, DUTY)
    counts = {
        "patrols": patrols,
        "reports": rng.binomial(patrols, REPORTED),
        "station_visits": done(equipment.members, VISITS_A_DAY, STATION),
        "checked_in": done(equipment.members, CHECK_INS_A_DAY, SERVICE),
    }
    return {**counts, "readings": sum(counts.values(), 0 * patrols)}


def _no_gauges(_hour: Hour, _at_ms: Int64s) -> Columns:
    return {}


def _every(devices: Int64s, minutes: int) -> Int64s:
    """How many report in each minute, shape (60, grids), when each does once in `minutes`, evenly spread."""
    turn = np.add.outer(np.arange(MINUTES), np.arange(devices.size)) % minutes
    due: Int64s = (devices + turn) // minutes
    return due


def _tenths(values: Floats) -> Int64s:
    return np.rint(values * 10).astype(np.int64) * (SCALE // 10)


def _security_known(equipment: Equipment) -> Columns:
    return {"devices": sum(equipment.public.values(), 0 * equipment.lots)}


def _care_known(equipment: Equipment) -> Columns:
    devices = equipment.homes * 8 + equipment.wearables + equipment.count(equipment.city.buttons)
    return {"devices": devices, "residents_seen": equipment.homes}


DOMAIN_PAST: Final[Mapping[Domain, DomainPast]] = {
    "parking": DomainPast(_parking_counts, _parking_gauges, lambda e: {"devices": e.spaces + e.lots}),
    "security": DomainPast(_security_counts, _no_gauges, _security_known),
    "care": DomainPast(_care_counts, _care_gauges, _care_known),
    "governance": DomainPast(_governance_counts, _no_gauges, lambda e: {"devices": e.workers + e.members}),
}
"""How each domain's past is made."""
