"""Parking: spaces that speak when they change and once a day, car parks that report on a schedule.

Figures: of Melbourne's 3,309 bays 60 % were occupied; German car parks report every 5 min by day
and every 15 min at night (shared recordings' facts). Stays of two hours in the mean are ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from simulation.city import City
from simulation.events import Event
from simulation.rhythm import STREET_BY_HOUR, activity, local_hour

__all__ = ["Parking"]

_OCCUPIED: Final = 0.6
_STAY_S: Final = 7200.0
_HEARTBEAT_S: Final = 86_400
_CHATTERING: Final = 0.002
_CHATTER_S: Final = 4.0


class Parking:
    """The parking of a city; `step` is called with growing times."""

    def __init__(self, city: City, rng: np.random.Generator) -> None:
        self._city, self._rng = city, rng
        count = len(city.spaces)
        self.occupied = rng.random(count) < _OCCUPIED
        self._chattering = rng.random(count) < _CHATTERING
        self._heartbeat_s = rng.integers(0, _HEARTBEAT_S, count)
        self._lot_share = rng.uniform(0.3, 0.9, len(city.lots))
        self._lot_phase_s = rng.integers(0, 900, len(city.lots))

    def start(self, now_ms: int) -> Iterator[Event]:
        """Every space says its state once, as after power-on; so do the car parks."""
        for number, device in enumerate(self._city.spaces):
            yield Event(device, "startup", now_ms, {"occupied": float(self.occupied[number])})
        for number in range(len(self._city.lots)):
            yield self._lot(number, now_ms)

    def step(self, now_ms: int, dt_s: float) -> Iterator[Event]:
        """What changed in the last `dt_s` seconds."""
        busy = activity(STREET_BY_HOUR, now_ms)
        leave = dt_s / _STAY_S * np.clip(busy, 0.2, 1.5)
        # Arrivals balance departures at the mean occupancy, more of them when it is busy.
        arrive = leave * _OCCUPIED / (1 - _OCCUPIED) * np.clip(busy, 0.7, 1.2)
        chance = np.where(self.occupied, leave, arrive)
        chance[self._chattering] = min(1.0, dt_s / _CHATTER_S)
        changed = np.flatnonzero(self._rng.random(chance.size) < chance)
        self.occupied[changed] ^= True
        for number in changed.tolist():
            values = {"occupied": float(self.occupied[number])}
            yield Event(self._city.spaces[number], "status", now_ms, values)
        yield from self._heartbeats(now_ms, dt_s)
        yield from self._lots(now_ms, dt_s)

    def _heartbeats(self, now_ms: int, dt_s: float) -> Iterator[Event]:
        due = (now_ms / 1000 - self._heartbeat_s) % _HEARTBEAT_S < dt_s
        for number in np.flatnonzero(due).tolist():
            values = {"occupied": float(self.occupied[number]), "temperature_c": 12.0}
            yield Event(self._city.spaces[number], "heartbeat", now_ms, values)

    def _lots(self, now_ms: int, dt_s: float) -> Iterator[Event]:
        hour, _ = local_hour(now_ms)
        every_s = 300 if 6 <= hour < 22 else 900
        due = (now_ms / 1000 - self._lot_phase_s) % every_s < dt_s
        for number in np.flatnonzero(due).tolist():
            yield self._lot(number, now_ms)

    def _lot(self, number: int, now_ms: int) -> Event:
        drift = self._rng.normal(0, 0.02)
        pull = 0.05 * (0.35 + 0.35 * min(1.0, activity(STREET_BY_HOUR, now_ms)) - self._lot_share[number])
        self._lot_share[number] = float(np.clip(self._lot_share[number] + drift + pull, 0, 1))
        device = self._city.lots[number]
        occupied = round(self._lot_share[number] * device.capacity)
        return Event(device, "report", now_ms, {"occupied": occupied, "capacity": device.capacity})
