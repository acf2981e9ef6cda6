"""Grid work and party building: patrols, reports, check-ins, visits to stations. Figures are ours.

Grid workers walk their grid by working hours, with a pause at noon, and report one thing in five patrols.
Party members come to their community's station by day and report for service after work and on weekends.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from simulation.city import City
from simulation.events import Event
from simulation.rhythm import local_hour, relative

__all__ = [
    "CHECK_INS_A_DAY",
    "DUTY",
    "PATROLS_A_DAY",
    "REPORTED",
    "SERVICE",
    "STATION",
    "VISITS_A_DAY",
    "Governance",
]

PATROLS_A_DAY: Final = 3.0
REPORTED: Final = 0.2
VISITS_A_DAY: Final = 0.3
CHECK_INS_A_DAY: Final = 0.15
_Rhythm = tuple[tuple[float, ...], float]
"""Factors by hour of a weekday, and what a day of the weekend is of one."""
DUTY: Final[_Rhythm] = relative((*[0.0] * 8, 6, 9, 9, 6, 2, 3, 8, 9, 7, 4, 2, 1, 0.5, *[0.0] * 3)), 0.3
STATION: Final[_Rhythm] = relative((*[0.0] * 8, 4, 8, 9, 6, 2, 4, 8, 8, 6, 3, 2, 1, *[0.0] * 4)), 0.5
SERVICE: Final[_Rhythm] = relative((*[0.0] * 7, 1, 2, 3, 3, 2, 2, 2, 2, 3, 3, 5, 9, 9, 5, 1, 0.0, 0.0)), 2.0


class Governance:
    """The grid workers and party members of a city; `step` is called with growing times."""

    def __init__(self, city: City, seed: int) -> None:
        self._city = city
        self._rng = np.random.default_rng((seed, 4))  # its own: the rest of the city lives on as without it

    def step(self, now_ms: int, dt_s: float) -> Iterator[Event]:
        """What was done in the last `dt_s` seconds."""
        workers, members = self._city.workers, self._city.members
        for number in self._happens(len(workers), PATROLS_A_DAY, DUTY, now_ms, dt_s):
            yield Event(workers[number], "patrolled", now_ms)
            if self._rng.random() < REPORTED:
                yield Event(workers[number], "reported", now_ms)
        for number in self._happens(len(members), VISITS_A_DAY, STATION, now_ms, dt_s):
            yield Event(members[number], "station_visit", now_ms)
        for number in self._happens(len(members), CHECK_INS_A_DAY, SERVICE, now_ms, dt_s):
            yield Event(members[number], "checked_in", now_ms)

    def _happens(self, count: int, a_day: float, rhythm: _Rhythm, now_ms: int, dt_s: float) -> list[int]:
        """Which of them do it now."""
        by_hour, on_weekends = rhythm
        hour, weekend = local_hour(now_ms)
        chance = a_day * by_hour[hour] * (on_weekends if weekend else 1.0) * dt_s / 86_400
        which: list[int] = np.flatnonzero(self._rng.random(count) < chance).tolist()
        return which
