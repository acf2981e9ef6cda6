"""What stands where: the simulated city's devices counted by grid, those that are dead left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from schemas.places.model import DEFAULT_SCHEME
from simulation.city import City, Device, make_city
from simulation.faults import is_dead

__all__ = ["Equipment", "Int64s"]

_COMMUNITY_DIGITS = DEFAULT_SCHEME.length("community")
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Equipment:
    """The devices of a city over its grids; every array has shape `(grids,)`, in the order of `grids`."""

    grids: tuple[str, ...]
    city: City
    seed: int

    @classmethod
    def of(cls, grids: Sequence[str], devices: int, seed: int) -> Equipment:
        """The same city as `taishi simulate` makes of these."""
        return cls(tuple(grids), make_city(grids, devices, seed), seed)

    def count(self, devices: Iterable[Device]) -> Int64s:
        """How many of them are alive in each grid."""
        return np.bincount(self._where(devices), minlength=len(self.grids)).astype(np.int64)

    @cached_property
    def spaces(self) -> Int64s:
        """Parking spaces with a sensor of their own."""
        return self.count(self.city.spaces)

    @cached_property
    def lots(self) -> Int64s:
        """Car parks that report totals."""
        return self.count(self.city.lots)

    @cached_property
    def capacity(self) -> Int64s:
        """Spaces in those car parks."""
        alive = [lot for lot in self.city.lots if self._alive(lot)]
        sizes = np.array([lot.capacity for lot in alive], np.float64)
        return np.bincount(self._where(alive), sizes, len(self.grids)).astype(np.int64)

    @cached_property
    def homes(self) -> Int64s:
        """Residents' homes: each has room sensors and a room climate sensor."""
        return self.count(self.city.climates)

    @cached_property
    def home_grids(self) -> Int64s:
        """Shape (beds,): the grid of each bed with a radar."""
        return self._where(self.city.beds)

    @cached_property
    def wearables(self) -> Int64s:
        """Residents who wear a sensor of pulse and oxygen."""
        return self.count(self.city.wearables)

    @cached_property
    def public(self) -> dict[str, Int64s]:
        """Security devices: guards, counters, doors, smokes."""
        city = self.city
        groups = {"guards": city.guards, "counters": city.counters, "doors": city.doors}
        return {name: self.count(devices) for name, devices in (groups | {"smokes": city.smokes}).items()}

    @cached_property
    def workers(self) -> Int64s:
        """Grid workers."""
        return self.count(self.city.workers)

    @cached_property
    def members(self) -> Int64s:
        """Party members."""
        return self.count(self.city.members)

    def communities_with_spaces(self, least: int) -> list[str]:
        """Codes of communities with at least so many spaces, those of car parks included."""
        found: dict[str, int] = {}
        for grid, count in zip(self.grids, (self.spaces + self.capacity).tolist(), strict=True):
            found[grid[:_COMMUNITY_DIGITS]] = found.get(grid[:_COMMUNITY_DIGITS], 0) + count
        return [code for code, count in found.items() if count >= least]

    def alive_in(self, devices: Iterable[Device], place: str) -> list[Device]:
        """Those of a place that work."""
        return [device for device in devices if device.grid.startswith(place) and self._alive(device)]

    def _alive(self, device: Device) -> bool:
        return not is_dead(device.name, self.seed)

    @cached_property
    def _row(self) -> dict[str, int]:
        return {grid: row for row, grid in enumerate(self.grids)}

    def _where(self, devices: Iterable[Device]) -> Int64s:
        return np.array([self._row[d.grid] for d in devices if self._alive(d)], np.int64)
