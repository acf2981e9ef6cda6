"""What a district sets for its scenarios: stations, members, patrols, how people walk. Plain values.

Points are WGS-84 degrees, longitude first. Places are codes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Branch", "Member", "PatrolPoint", "Point", "Round", "Scenarios", "Station", "Walking"]

Point = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Walking:
    """The walking model: `minutes` at `speed_m_s`; a way is `detour` times as long as the straight line.

    1.2 m/s is what crossings are designed for; 1.3 is a common figure for streets of a dense city. Both are
    assumptions, so both are settings.
    """

    minutes: float = 15.0
    speed_m_s: float = 1.2
    detour: float = 1.3

    @property
    def radius_m(self) -> float:
        """How far in a straight line one gets, metres."""
        return self.minutes * 60 * self.speed_m_s / self.detour


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A party-member service station (党群服务站)."""

    code: str
    name: str
    point: Point


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A member who is registered twice (双报到): in the work unit, and in the community they serve.

    `name` is that of their account at the desk, by which claims are theirs.
    """

    name: str
    work_unit: str
    community: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """The party branch of a grid (一格一支部), and its secretary."""

    grid: str
    name: str
    secretary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PatrolPoint:
    """A point to be visited; a check-in counts within `within_m` of it."""

    code: str
    name: str
    point: Point
    within_m: float = 50.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Points that are visited together, each `every_s`."""

    code: str
    name: str
    points: tuple[str, ...]
    every_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenarios:
    """Everything the file says; points and stations by code, branches by grid."""

    walking: Walking = Walking()
    stations: Mapping[str, Station] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    branches: Mapping[str, Branch] = field(default_factory=dict)
    points: Mapping[str, PatrolPoint] = field(default_factory=dict)
    rounds: tuple[Round, ...] = ()
    photo_max_bytes: int = 8_000_000
