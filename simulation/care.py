"""Elderly care at home: movement, beds, room climate, vital signs, and rarely a call for help.

Movement reproduces the TIHM recording (56 homes, 91 days): gaps between a home's events of 50 s in
the median and 265 s at the 90th percentile, a hundredth of them longer than an hour, the hours of
day as in its table, about 214 events a home and day in the median and a wide spread between homes.
Pulse and oxygen are generated from stated physiology (resting means, no recording): see _VITALS.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from simulation.city import HOME_SENSORS, City
from simulation.events import Event
from simulation.rhythm import HOME_BY_HOUR, local_hour

__all__ = ["Care", "home_gaps_s"]

# kitchen, hallway, lounge, bedroom, bathroom, front door (TIHM's counts, in thousands)
_ROOM_SHARES: Final = np.array([227.3, 194.0, 180.8, 131.1, 82.0, 58.3]) / 873.5
_SHORT_MEDIAN_S, _SHORT_SIGMA = 46.0, 1.15
_PAUSE_MEDIAN_S, _PAUSE_SIGMA = 1800.0, 1.5
_PAUSES: Final = 0.05
_BED_S, _CLIMATE_S, _WEARABLE_S, _SMOKE_S = 600, 300, 60, 12 * 3600
_TICK_MS: Final = 1000.0
_UTC_AHEAD_H: Final = 8  # rhythm.CHINA
_CALLS_A_DAY: Final = 0.002
_VITALS: Final = {"heart_rate": (72.0, 9.0), "spo2": (97.0, 1.2)}


# Hours since a midnight, and how much of a pause has passed by then: little at night, much by day.
_PAUSE_DAYS: Final = 31
_HOURS: Final = np.arange(24 * _PAUSE_DAYS + 1) * 1.0
_PASSED_H: Final = np.concatenate(([0.0], np.cumsum(np.tile(np.power(HOME_BY_HOUR, 1.5), _PAUSE_DAYS))))


def home_gaps_s(
    rng: np.random.Generator, pace: npt.NDArray[np.float64], hour: float
) -> npt.NDArray[np.float64]:
    """The gap to each home's next event, s; `pace` is each home's own, `hour` the local one, 0..24.

    Most gaps lie within a bout of activity and do not depend on the hour. The pauses between bouts pass
    as fast as the hours they span are active, so one that begins at midnight ends in the morning.
    """
    short = rng.lognormal(np.log(_SHORT_MEDIAN_S), _SHORT_SIGMA, pace.size)
    active_h = rng.lognormal(np.log(_PAUSE_MEDIAN_S / 3600), _PAUSE_SIGMA, pace.size) / pace
    until_h = np.interp(np.interp(hour, _HOURS, _PASSED_H) + active_h, _PASSED_H, _HOURS)
    return np.where(rng.random(pace.size) < _PAUSES, (until_h - hour) * 3600, short)


class Care:
    """The homes of a city; `step` is called with growing times."""

    def __init__(self, city: City, rng: np.random.Generator, start_ms: int) -> None:
        self._city, self._rng = city, rng
        homes = len(city.homes)
        self._pace = rng.lognormal(0.0, 0.6, homes)
        self._clock_ms = float(start_ms)  # the homes' own time: runs ahead when the city lives faster
        self._next_ms = start_ms + (rng.random(homes) * 300_000).astype(np.int64)
        self._in_bed = rng.random(homes) < _share_in_bed(start_ms)
        self._phase_s = rng.integers(0, 3600, homes)
        self._warmth_c = rng.normal(21.5, 1.5, homes)
        self._wearable_phase_s = rng.integers(0, _WEARABLE_S, len(city.wearables))

    def start(self, now_ms: int) -> Iterator[Event]:
        """Beds say their state once."""
        for number in range(len(self._city.beds)):
            yield self._bed(number, now_ms)

    def step(self, now_ms: int, dt_s: float) -> Iterator[Event]:
        """What happened in the last `dt_s` seconds."""
        self._clock_ms += dt_s * 1000
        yield from self._movement(now_ms)
        yield from self._beds(now_ms, dt_s)
        for number in self._due(now_ms, dt_s, self._phase_s, _CLIMATE_S):
            yield self._climate(number, now_ms)
        for number in self._due(now_ms, dt_s, self._wearable_phase_s, _WEARABLE_S):
            yield from self._vitals(number, now_ms)
        for number in np.flatnonzero(
            self._rng.random(len(self._city.buttons)) < _CALLS_A_DAY * dt_s / 86_400
        ).tolist():
            yield Event(self._city.buttons[number], "sos", now_ms)

    def _movement(self, now_ms: int) -> Iterator[Event]:
        hour = (now_ms / 3_600_000 + _UTC_AHEAD_H) % 24
        due = np.flatnonzero(self._next_ms <= self._clock_ms)
        while due.size:
            rooms = self._rng.choice(len(HOME_SENSORS), due.size, p=_ROOM_SHARES)
            for home, room in zip(due.tolist(), rooms.tolist(), strict=True):
                ago_ms = min(self._clock_ms - self._next_ms[home], _TICK_MS)
                yield Event(self._city.homes[home][room], "motion", int(now_ms - ago_ms))
            gaps_ms = home_gaps_s(self._rng, self._pace[due], hour) * 1000
            self._next_ms[due] += np.maximum(gaps_ms, 1000).astype(np.int64)
            due = due[self._next_ms[due] <= self._clock_ms]

    def _beds(self, now_ms: int, dt_s: float) -> Iterator[Event]:
        wanted = _share_in_bed(now_ms)
        turn = self._rng.random(self._in_bed.size) < dt_s / 2400
        before = self._in_bed.copy()
        self._in_bed[turn] = self._rng.random(int(turn.sum())) < wanted
        due = set(self._due(now_ms, dt_s, self._phase_s, _BED_S))
        for number in sorted(due | set(np.flatnonzero(before != self._in_bed).tolist())):
            yield self._bed(number, now_ms)

    def _bed(self, number: int, now_ms: int) -> Event:
        values = {"in_bed": float(self._in_bed[number])}
        return Event(self._city.beds[number], "room", now_ms, values)

    def _climate(self, number: int, now_ms: int) -> Event:
        self._warmth_c[number] += self._rng.normal(0, 0.05) + 0.01 * (21.5 - self._warmth_c[number])
        values = {
            "temperature": round(float(self._warmth_c[number]), 1),
            "humidity": round(float(np.clip(self._rng.normal(48, 5), 15, 90)), 1),
        }
        return Event(self._city.climates[number], "climate", now_ms, values)

    def _vitals(self, number: int, now_ms: int) -> Iterator[Event]:
        for metric, (mean, spread) in _VITALS.items():
            value = float(np.clip(self._rng.normal(mean, spread), 45, 160 if metric == "heart_rate" else 100))
            yield Event(self._city.wearables[number], metric, now_ms, {"value": round(value, 1)})

    def _due(self, now_ms: int, dt_s: float, phase_s: npt.NDArray[np.int64], every_s: int) -> list[int]:
        due: list[int] = np.flatnonzero((now_ms / 1000 - phase_s) % every_s < dt_s).tolist()
        return due


def _share_in_bed(now_ms: int) -> float:
    hour, _ = local_hour(now_ms)
    return 0.95 if hour >= 22 or hour < 6 else 0.08
