"""Security: doors, guarded areas, counted people, smoke detectors that are well. Figures are ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from simulation.city import City
from simulation.events import Event
from simulation.rhythm import STREET_BY_HOUR, activity

__all__ = ["Security"]

_PASSAGES_A_DAY: Final = 300.0
_DENIED: Final = 0.03
_INTRUSIONS_A_DAY: Final = 0.05
_MOTIONS_A_DAY: Final = 20.0
_COUNT_S: Final = 60
_PEOPLE_A_MINUTE: Final = 6.0


class Security:
    """Cameras and doors of a city; `step` is called with growing times."""

    def __init__(self, city: City, rng: np.random.Generator) -> None:
        self._city, self._rng = city, rng
        self._busy = rng.lognormal(0.0, 0.7, len(city.counters))
        self._phase_s = rng.integers(0, _COUNT_S, len(city.counters))

    def step(self, now_ms: int, dt_s: float) -> Iterator[Event]:
        """What happened in the last `dt_s` seconds."""
        busy, day = activity(STREET_BY_HOUR, now_ms), dt_s / 86_400
        for number in self._happens(len(self._city.doors), _PASSAGES_A_DAY * busy * day):
            what = "denied" if self._rng.random() < _DENIED else "granted"
            yield Event(self._city.doors[number], what, now_ms)
        for number in self._happens(len(self._city.guards), _MOTIONS_A_DAY * busy * day):
            yield Event(self._city.guards[number], "VMD", now_ms)
        for number in self._happens(len(self._city.guards), _INTRUSIONS_A_DAY * day):
            yield Event(self._city.guards[number], "fielddetection", now_ms)
        due = (now_ms / 1000 - self._phase_s) % _COUNT_S < dt_s
        for number in np.flatnonzero(due).tolist():
            entered, left = self._rng.poisson(_PEOPLE_A_MINUTE * self._busy[number] * busy, 2).tolist()
            yield Event(self._city.counters[number], "people", now_ms, {"entered": entered, "left": left})

    def _happens(self, count: int, chance: float) -> list[int]:
        which: list[int] = np.flatnonzero(self._rng.random(count) < chance).tolist()
        return which
