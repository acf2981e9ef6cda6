"""A person's habits of moving, and from when on not moving is unusual for them.

A gap between movements is measured on a clock that runs faster where the person moves more (the square root
of their own rate at that hour of that kind of day): an hour at noon weighs more than one at night. What a gap
is like depends on the sensor that was heard last (after the front door it is long: they went out), so each
sensor of a person has its own distribution of gaps, leaning on all of the person's while it is young. The
limit is where gaps as long as that come `ALARMS_PER_DAY` times a day: by the exponential tail of the person's
longest gaps, and corrected by what the person's own alarms, and a little everybody's, turn out to be
(adaptive conformal inference, Gibbs & Candès 2021). It finds inactivity; it is no detector of falls. The
survival threshold by hour is Wilhelm & Wahl's, Sensors 24(20):6583, 2024; figures: docs/decisions/0010.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import msgspec
import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s
from schemas.calendar import is_working_day, local

__all__ = ["ALARMS_PER_DAY", "SENSORS_MAX", "SHARD_ALARMS_PER_DAY", "Habits", "Person"]

Floats = npt.NDArray[np.float64]

ALARMS_PER_DAY: Final = 0.1
"""False alarms a day and person that the district accepts, while it has few people."""
SHARD_ALARMS_PER_DAY: Final = 8.0
"""And of all people of a shard (a quarter of a district): operators have a budget, however many there are."""
SENSORS_MAX: Final = 12
"""Sensors of a person told apart; further ones share the last place."""
HISTORY_MIN: Final = 7 * 24 * 60
"""Minutes of being known before a person is judged."""
_MINUTE_MS: Final = 60_000
_SLOTS: Final = 48
_GAP_MIN_MS: Final = 3_600_000
_SLOT_KEPT: Final = 1 - 1 / 1_200
"""A slot is visited 60 minutes a day: about three weeks."""
_GAPS_KEPT: Final = 0.9999
_TAIL: Final = 20.0
"""The tail is what comes this many times as often as alarms may: gaps that end a day or two."""
_TAIL_GAPS: Final = 10.0
"""And no fewer gaps than this: of one gap nothing is known of those beyond it."""
_STEP: Final = 0.3
_STEP_ALL: Final = 0.02
"""What an alarm of somebody else moves: what is wrong for all, a thousand people learn together."""
_SCALE_FIRST: Final = 1.7
"""Caution while little is known: with 1 the recording gave 0.13 false alarms a day and home."""
_PRIOR_MIN: Final = 120.0
"""Minutes that a slot counts as the person's mean before it has its own."""
_PRIOR_GAPS: Final = 50.0
_EDGES: Final[Floats] = np.concatenate(([0.0], np.geomspace(0.3, 1500.0, 47)))
_CENTRES: Final[Floats] = np.append((_EDGES[:-1] + _EDGES[1:]) / 2, _EDGES[-1] * 1.1)


class Person(msgspec.Struct, array_like=True):
    """Who it is (a pseudonym), where, through which source they are heard, and their sensors in order."""

    subject: str
    grid: str
    source: str
    simulated: bool
    sensors: dict[str, int]


@dataclass(slots=True)
class Habits:
    """People of a shard, in order of appearance; every array has one row a person.

    `moves`, `minutes`: active minutes and minutes known, by slot (hour x kind of day), weighted by recency;
    `gaps`: histograms of gaps by the sensor heard before them; `since`: the gap that runs, on the person's
    own clock; `sensor`: the one heard last; `scale`: correction of the limit by the alarms there were.
    """

    people: list[Person] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    moves: Floats = field(default_factory=lambda: np.zeros((0, _SLOTS)))
    minutes: Floats = field(default_factory=lambda: np.zeros((0, _SLOTS)))
    gaps: Floats = field(default_factory=lambda: np.zeros((0, SENSORS_MAX, _EDGES.size)))
    since: Floats = field(default_factory=lambda: np.zeros(0))
    scale: Floats = field(default_factory=lambda: np.zeros(0))
    sensor: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    known_min: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    last_ms: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    still: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def meet(self, newcomers: Sequence[tuple[Person, int]]) -> None:
        """Give rows to people heard of for the first time, each as if they had moved at that moment (ms)."""
        for person, _ in newcomers:
            self.rows[person.subject] = len(self.people)
            self.people.append(person)
        count = len(newcomers)
        for name in ("moves", "minutes", "gaps", "since", "sensor", "known_min", "still"):
            array = getattr(self, name)
            setattr(self, name, np.pad(array, ((0, count), *((0, 0),) * (array.ndim - 1))))
        self.scale = np.append(self.scale, np.full(count, _SCALE_FIRST))
        self.last_ms = np.append(self.last_ms, np.array([at_ms for _, at_ms in newcomers], np.int64))

    def sensor_of(self, row: int, device: str) -> int:
        """The number of a person's sensor, in order of appearance."""
        sensors = self.people[row].sensors
        number = sensors.get(device)
        if number is None:
            number = sensors[device] = len(sensors)
        return number

    @property
    def alarms_per_day(self) -> float:
        """False alarms a day that each person may have."""
        return min(ALARMS_PER_DAY, SHARD_ALARMS_PER_DAY / max(len(self.people), 1))

    def rate_at(self, at_ms: int) -> Floats:
        """How fast each person's clock runs at a moment."""
        return self._rate(_slot(local(at_ms)))

    def _rate(self, slot: int) -> Floats:
        mean = self.moves.sum(axis=1) / np.maximum(self.minutes.sum(axis=1), 1.0)
        usual = (self.moves[:, slot] + _PRIOR_MIN * mean) / (self.minutes[:, slot] + _PRIOR_MIN)
        rate: Floats = np.sqrt(usual)
        return rate

    def close_minute(self, start_ms: int, moved: Int64s, sensors: Int64s) -> tuple[Int64s, Int64s]:
        """Take in one minute of event time: who moved in it, each once, and by which of their sensors last.

        Minutes come in order, each once. Returns the rows of those whose stillness has just become unusual,
        and of those who moved again.
        """
        slot = _slot(local(start_ms))
        self.since += self._rate(slot)
        returned: Int64s = moved[self.still[moved]]
        self._learn(slot, moved)
        self.sensor[moved] = np.minimum(sensors, SENSORS_MAX - 1)
        self.still[moved] = False
        self.since[moved] = 0.0
        self.last_ms[moved] = np.maximum(self.last_ms[moved], start_ms)
        return self._fall_still(start_ms + _MINUTE_MS), returned

    def _learn(self, slot: int, moved: Int64s) -> None:
        """The gap that ended an alarm is learned too: what a person does is their habit."""
        self.minutes[:, slot] = self.minutes[:, slot] * _SLOT_KEPT + 1
        self.moves[:, slot] *= _SLOT_KEPT
        self.moves[moved, slot] += 1
        self.known_min += 1
        before = self.sensor[moved]
        self.gaps[moved, before] *= _GAPS_KEPT
        self.gaps[moved, before, np.searchsorted(_EDGES, self.since[moved], "right") - 1] += 1

    def _fall_still(self, now_ms: int) -> Int64s:
        judged = self.known_min >= HISTORY_MIN
        long = now_ms - self.last_ms >= _GAP_MIN_MS
        found: Int64s = np.flatnonzero(judged & long & ~self.still)
        if found.size:
            found = found[self.since[found] > self.limits(found)]
        self.still[found] = True
        a_minute = self.alarms_per_day / 1440
        together = found.size - a_minute * np.count_nonzero(judged)
        self.scale[judged] *= np.exp(_STEP_ALL * together - _STEP * a_minute)
        self.scale[found] *= np.exp(_STEP)
        return found

    def limits(self, rows: Int64s) -> Floats:
        """How long a gap may be, on each one's own clock, after the sensor that was heard last."""
        all_gaps = self.gaps[rows].sum(axis=1)
        total = np.maximum(all_gaps.sum(axis=1), 1.0)
        own = self.gaps[rows, self.sensor[rows]] + all_gaps * (_PRIOR_GAPS / total)[:, None]
        share = own / own.sum(axis=1)[:, None]
        beyond = np.cumsum(share[:, ::-1], axis=1)[:, ::-1]
        a_day = self.moves[rows].sum(axis=1) / np.maximum(self.minutes[rows].sum(axis=1), 1.0) * 1440.0
        rare = self.alarms_per_day / np.maximum(a_day, 1.0)
        among = np.maximum(rare * _TAIL, _TAIL_GAPS / (total + _PRIOR_GAPS))
        among = np.maximum(
            among, np.where(beyond > 0, beyond, 1.0).min(axis=1)
        )  # the longest gaps at the least
        tail = np.where(beyond <= among[:, None], share, 0.0)
        first = (tail > 0).argmax(axis=1)  # what lies between the bulk and the tail is empty, not long
        start, weight = _EDGES[first], np.maximum(tail.sum(axis=1), 1e-12)
        excess = (tail * (_CENTRES - start[:, None])).sum(axis=1) / weight
        limit: Floats = self.scale[rows] * (start + excess * np.log(np.maximum(weight / rare, 1.0)))
        return limit

    def pause(self, span_ms: int) -> None:
        """Nobody could be heard for so long: it is no gap of anybody's."""
        self.last_ms[~self.still] += span_ms

    def move_late(self, row: int, at_ms: int) -> bool:
        """A movement of a minute that is over: no habit is learned of it; whether it ends a stillness."""
        if at_ms <= self.last_ms[row]:
            return False
        self.last_ms[row], self.since[row] = at_ms, 0.0
        ended = bool(self.still[row])
        self.still[row] = False
        return ended


def _slot(at: datetime) -> int:
    return at.hour + (0 if is_working_day(at.date()) else 24)
