"""One hour of the past: its minutes, what was going on in it, and whose data came."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from simulation.history.equipment import Equipment, Int64s
from simulation.history.happenings import Happening
from simulation.history.rhythm import HOUR_MS, MINUTE_MS, Floats, stream

__all__ = ["MINUTES", "Bools", "Hour"]

Bools = npt.NDArray[np.bool_]
MINUTES: Final = 60


@dataclass(frozen=True)
class Hour:
    """The hour that begins at `start_ms`; `happenings` are those that touch it."""

    equipment: Equipment
    start_ms: int
    happenings: tuple[Happening, ...]

    @cached_property
    def middles_ms(self) -> Int64s:
        """Shape (60,): the middle of each minute."""
        return self.start_ms + np.arange(MINUTES) * MINUTE_MS + MINUTE_MS // 2

    def ends_ms(self, window_s: int) -> Int64s:
        """The ends of its windows of that size."""
        return self.start_ms + np.arange(1, HOUR_MS // (window_s * 1000) + 1) * (window_s * 1000)

    def rng(self, what: int) -> np.random.Generator:
        """Random numbers of one purpose."""
        return stream(self.equipment.seed, what, self.start_ms // HOUR_MS)

    def poisson(self, rng: np.random.Generator, by_grid: npt.ArrayLike, by_minute: Floats) -> Int64s:
        """How often something happened, shape (60, grids): a mean by grid times a factor by minute."""
        return rng.poisson(np.multiply.outer(by_minute, np.asarray(by_grid, np.float64)))

    def came(self, feed: str) -> Floats:
        """Shape (60,): 1 in the minutes in which that source spoke, 0 while it was dead."""
        dead = [self._minutes(one) for one in self._all("feed-dead") if one.device == feed]
        silent: Bools = np.logical_or.reduce([np.zeros(MINUTES, bool), *dead])
        return 1.0 - silent.astype(np.float64)

    def heard_until(self, feed: str, at_ms: Int64s) -> Int64s:
        """The moment up to which that source had been heard at each moment."""
        for one in self._all("feed-dead"):
            if one.device == feed:
                at_ms = np.where((at_ms >= one.from_ms) & (at_ms < one.until_ms), one.from_ms, at_ms)
        return at_ms

    def during(self, what: str) -> Iterator[tuple[Happening, Bools]]:
        """Each happening of that kind, with where and when it was: shape (60, grids)."""
        for one in self._all(what):
            yield one, np.logical_and.outer(self._minutes(one), self.inside(one.place))

    def begun(self, what: str) -> Int64s:
        """How many of that kind began, shape (60, grids)."""
        count = np.zeros((MINUTES, len(self.equipment.grids)), np.int64)
        for one in self._all(what):
            minute = (one.from_ms - self.start_ms) // MINUTE_MS
            if 0 <= minute < MINUTES:
                count[minute] += self.inside(one.place)
        return count

    def weight(self, what: str, at_ms: Int64s, ramp_ms: int) -> Floats:
        """How much of that kind there is, 0..1, shape (times, grids): it comes and goes over `ramp_ms`."""
        total = np.zeros((at_ms.size, len(self.equipment.grids)))
        for one in self._all(what):
            along = np.minimum(at_ms - one.from_ms, one.until_ms - at_ms) / ramp_ms
            total = np.maximum(total, np.multiply.outer(np.clip(along, 0, 1), self.inside(one.place)))
        return total

    def said(self, domain: str, shards: int) -> tuple[Bools, Bools]:
        """Which windows there are, shape (60, grids), and in which minutes they are complete, shape (60,)."""
        present = np.ones((MINUTES, len(self.equipment.grids)), bool)
        complete = np.ones(MINUTES, bool)
        for one in self._all("system-down"):
            present[self._minutes(one)] = False
        for one in self._all("shard-behind"):
            behind, _, shard = one.device.partition("/")
            if behind == domain:
                rows = np.arange(len(self.equipment.grids)) % shards == int(shard)
                present &= ~np.logical_and.outer(self._minutes(one), rows)
                complete &= ~self._minutes(one)
        return present, complete

    def inside(self, place: str) -> Bools:
        """Which grids lie in a place."""
        return np.array([grid.startswith(place) for grid in self.equipment.grids])

    def _all(self, what: str) -> list[Happening]:
        return [one for one in self.happenings if one.what == what]

    def _minutes(self, one: Happening) -> Bools:
        starts = self.start_ms + np.arange(MINUTES) * MINUTE_MS
        within: Bools = (starts >= one.from_ms) & (starts < one.until_ms)
        return within
