"""When a device was last heard, what gaps are usual for it, and from when on its silence is a finding.

A device known for a day whose gaps are regular (20 of them, the longest not over three times their mean) may
be silent for five of its longest gaps. Any other (a door, a room), and one that is regular but slow, may for
three of its longest, and at the least for as long as its kind allows (`schemas.kinds`). While few gaps are
known: for three times that, and one that speaks of events only (a button, a rarely used room) is not judged.
Where the registry gives an interval, three of them. Time is the log's: what is heard is what was appended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s
from pipelines.kernels.decode import HotReading
from schemas.kinds import KINDS

__all__ = ["DeviceTable", "Facts"]

Floats = npt.NDArray[np.float64]

_GAP_MIN_MS: Final = 1_000
"""Readings closer than this are one message."""
_MEAN_WEIGHT: Final = 0.1
_LONGEST_HALF_MS: Final = 3 * 86_400_000.0
"""The longest gap counts half after three days: every night is in it, and a bad week is forgotten."""
_KNOWN_MS: Final = 86_400_000
_GAPS_MIN: Final = 20
_REGULAR: Final = 3.0
_ALLOWED_GAPS: Final = 5.0
_ALLOWED_IRREGULAR: Final = 3.0
_ALLOWED_INTERVALS: Final = 3
_ALLOWED_MIN_MS: Final = 120_000
_EVENTS: Final = {k.name for k in KINDS.values() if all(m.series == "event" for m in k.metrics)}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a device said of itself when it was first heard."""

    device: str
    kind: str
    source: str
    grid: str
    simulated: bool


@dataclass(slots=True)
class DeviceTable:
    """Devices of a shard, in order of appearance; every array has one element a device.

    `first_ms`, `last_ms`: oldest and newest append time. `gaps`: how many were seen. `mean_ms`,
    `longest_ms`: of the gaps, weighted by recency. `events`: its kind speaks of events only.
    `kind_ms`, `given_ms`: silence its kind allows; by the
    registry's interval, or 0.
    """

    facts: list[Facts] = field(default_factory=list)
    rows: dict[str, int] = field(default_factory=dict)
    first_ms: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    last_ms: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    gaps: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    mean_ms: Floats = field(default_factory=lambda: np.zeros(0))
    longest_ms: Floats = field(default_factory=lambda: np.zeros(0))
    kind_ms: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    events: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))
    given_ms: Int64s = field(default_factory=lambda: np.zeros(0, np.int64))
    silent: npt.NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))

    def locate(self, readings: Sequence[HotReading], intervals_s: Mapping[str, int]) -> Int64s:
        """The row of each reading's device; new ones get one."""
        rows = self.rows
        try:
            return np.array([rows[r.device] for r in readings], np.int64)
        except KeyError:
            self._add({r.device: r for r in readings if r.device not in rows}, intervals_s)
            return self.locate(readings, intervals_s)

    def _add(self, new: Mapping[str, HotReading], intervals_s: Mapping[str, int]) -> None:
        count = len(new)
        for device, r in new.items():
            self.rows[device] = len(self.facts)
            self.facts.append(Facts(device, r.kind, r.source, r.grid, r.simulated))
        kinds = [KINDS[r.kind].silent_after_s if r.kind in KINDS else 0 for r in new.values()]
        events = [r.kind in _EVENTS for r in new.values()]
        given = [intervals_s.get(device, 0) * _ALLOWED_INTERVALS for device in new]
        self.first_ms = np.pad(self.first_ms, (0, count), constant_values=-1)
        self.last_ms = np.pad(self.last_ms, (0, count), constant_values=-1)
        self.gaps = np.pad(self.gaps, (0, count))
        self.mean_ms = np.pad(self.mean_ms, (0, count))
        self.longest_ms = np.pad(self.longest_ms, (0, count))
        self.kind_ms = np.append(self.kind_ms, np.array(kinds, np.int64) * 1000)
        self.events = np.append(self.events, np.array(events, np.bool_))
        self.given_ms = np.append(self.given_ms, np.array(given, np.int64) * 1000)
        self.silent = np.pad(self.silent, (0, count))

    def hear(self, rows: Int64s, at_ms: Int64s) -> Int64s:
        """Note that devices were heard, in log order; returns the rows of those that had been silent."""
        if not rows.size:
            return rows
        order = np.argsort(rows, kind="stable")
        row, at = rows[order], np.maximum.accumulate(at_ms)[order]
        first = np.flatnonzero(np.diff(row, prepend=-1))
        before = np.concatenate(([0], at[:-1]))
        before[first] = self.last_ms[row[first]]
        self._learn(row, np.where(before >= 0, at - before, 0))
        heard = row[first]
        self.first_ms[heard] = np.where(before[first] < 0, at[first], self.first_ms[heard])
        self.last_ms[heard] = np.maximum(self.last_ms[heard], at[np.append(first[1:], at.size) - 1])
        returned: Int64s = heard[self.silent[heard]]
        self.silent[returned] = False
        return returned

    def _learn(self, row: Int64s, gap_ms: Int64s) -> None:
        """Gaps by device, each device's in order: mean and longest as if they had come one by one.

        The gap that ends a silence is none of the usual ones.
        """
        true = (gap_ms >= _GAP_MIN_MS) & ~self.silent[row]
        row, gap = row[true], gap_ms[true].astype(np.float64)
        if not row.size:
            return
        first = np.flatnonzero(np.diff(row, prepend=-1))
        count = np.diff(np.append(first, row.size))
        last = np.append(first[1:], row.size) - 1
        device, after = row[first], np.repeat(last, count) - np.arange(row.size)
        mean = np.add.reduceat(gap * _MEAN_WEIGHT * (1 - _MEAN_WEIGHT) ** after, first)
        begun = np.where(self.gaps[device] > 0, self.mean_ms[device], gap[first])
        self.mean_ms[device] = begun * (1 - _MEAN_WEIGHT) ** count + mean
        passed_ms = np.cumsum(gap)
        age_ms = np.repeat(passed_ms[last], count) - passed_ms
        longest = np.maximum.reduceat(gap * 0.5 ** (age_ms / _LONGEST_HALF_MS), first)
        passed = 0.5 ** (np.add.reduceat(gap, first) / _LONGEST_HALF_MS)
        self.longest_ms[device] = np.maximum(self.longest_ms[device] * passed, longest)
        self.gaps[device] += count

    def allowed_ms(self) -> Floats:
        """How long each may be silent."""
        learned = np.maximum(self.longest_ms * _ALLOWED_GAPS, _ALLOWED_MIN_MS)
        known = (self.gaps >= _GAPS_MIN) & (self.last_ms - self.first_ms >= _KNOWN_MS)
        regular = known & (self.longest_ms <= self.mean_ms * _REGULAR)
        unjudged = self.events & (self.gaps < _GAPS_MIN)
        irregular = np.maximum(
            self.longest_ms, np.where(known, self.kind_ms / _ALLOWED_IRREGULAR, self.kind_ms)
        )
        allowed = irregular * _ALLOWED_IRREGULAR
        allowed = np.where(regular, np.minimum(learned, allowed), allowed)
        return np.where(self.given_ms > 0, self.given_ms, np.where(unjudged, np.inf, allowed))

    def allowed_of_ms(self, row: int) -> float:
        """How long this one may be silent."""
        return float(self.allowed_ms()[row])

    def fall_silent(self, now_ms: int) -> Int64s:
        """Rows of the devices whose silence has just become too long; they count as silent from here on."""
        fallen = np.flatnonzero(~self.silent & (now_ms - self.last_ms > self.allowed_ms()))
        self.silent[fallen] = True
        return fallen

    def pause(self, span_ms: int) -> None:
        """The log itself stood still for so long: nobody could be heard, so nobody was silent."""
        self.last_ms[~self.silent] += span_ms
