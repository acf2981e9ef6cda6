"""Where parking is short, and where the nearest free spaces are. Pure.

By grid: what is kept of car parks and kerbs is the sum of a grid. A space whose sensor is silent is neither
occupied nor free.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from operations.scenarios.metres import distances_m
from operations.scenarios.model import Point

__all__ = ["FULL", "Free", "ParkingNow", "Pressure", "Spaces", "nearest_free", "pressure"]

FULL: Final = 0.9
"""Occupied by this share of the known spaces, a place is near its capacity."""
_FREE_MIN: Final = 3
"""Fewer free spaces are gone before one is there."""


@dataclass(frozen=True, slots=True)
class Spaces:
    """The spaces of a place at a moment: all, occupied, and those whose sensor is silent."""

    spaces: float
    occupied: float
    unknown: float

    @property
    def free(self) -> int:
        """Known to be free."""
        return max(0, int(self.spaces - self.occupied - self.unknown))

    @property
    def occupancy(self) -> float | None:
        """Share of those known that is occupied; None: none is known."""
        known = self.spaces - self.unknown
        return self.occupied / known if known > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressure:
    """A grid that has spaces. `change`: of the occupancy in the last hour, in shares; None: not known."""

    place: str
    spaces: int
    free: int
    unknown: int
    occupancy: float
    change: float | None
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """Where free spaces are, and how far that is in a straight line."""

    place: str
    free: int
    occupancy: float
    distance_m: int
    longitude: float
    latitude: float


def pressure(now: Mapping[str, Spaces], before: Mapping[str, Spaces]) -> list[Pressure]:
    """Places by occupancy, the fullest first. `before`: an hour ago."""
    found = [
        _pressure(place, spaces, share, before.get(place))
        for place, spaces in now.items()
        if (share := spaces.occupancy) is not None
    ]
    return sorted(found, key=lambda each: (-each.occupancy, -each.spaces, each.place))


def nearest_free(
    now: Mapping[str, Spaces], centres: Mapping[str, Point], origin: Point, limit: int = 5
) -> list[Free]:
    """The nearest places with free spaces; those near their capacity, or with few left, are no guidance."""
    open_ = [
        (place, spaces, share)
        for place, spaces in now.items()
        if place in centres and (share := spaces.occupancy) is not None
        if share < FULL and spaces.free >= _FREE_MIN
    ]
    away = distances_m(origin, [centres[place] for place, *_ in open_])
    ranked = sorted(zip(away, open_, strict=True), key=lambda each: (each[0], each[1][0]))[:limit]
    return [
        Free(
            place=place,
            free=spaces.free,
            occupancy=round(share, 4),
            distance_m=round(distance),
            longitude=round(centres[place][0], 6),
            latitude=round(centres[place][1], 6),
        )
        for distance, (place, spaces, share) in ranked
    ]


def _pressure(place: str, spaces: Spaces, share: float, before: Spaces | None) -> Pressure:
    earlier = before.occupancy if before else None
    return Pressure(
        place=place,
        spaces=int(spaces.spaces),
        free=spaces.free,
        unknown=int(spaces.unknown),
        occupancy=round(share, 4),
        change=None if earlier is None else round(share - earlier, 4),
        full=share >= FULL,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingNow:
    """Spaces by grid in the newest window, which ends at `at_ms`, and an hour before."""

    at_ms: int
    simulated: bool
    now: Mapping[str, Spaces]
    before: Mapping[str, Spaces]
