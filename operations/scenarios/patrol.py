"""Patrols: rounds of points, and who was at which when. Pure; wall time passed in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from operations.scenarios.metres import distances_m
from operations.scenarios.model import PatrolPoint, Point, Round

__all__ = ["CheckIn", "PointState", "RoundState", "check_in_refusal", "round_state"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn:
    """Somebody was at a point: `distance_m` from it by their phone."""

    id: str
    point: str
    person: str
    name: str
    at_ms: int
    longitude: float
    latitude: float
    distance_m: float
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PointState:
    """A point of a round, and its newest check-in in the running period; None: not visited yet."""

    point: PatrolPoint
    checked: CheckIn | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundState:
    """A round in its running period. `missed`: points not visited in the period before."""

    code: str
    name: str
    from_ms: int
    until_ms: int
    state: Literal["open", "done"]
    visited: int
    points: tuple[PointState, ...]
    missed: tuple[str, ...]


def check_in_refusal(point: PatrolPoint | None, code: str, at: Point, known: Iterable[str]) -> str:
    """Why a check-in does not count, in words; "" if it does."""
    if point is None:
        return f"巡逻点 point: received {code!r}, allowed: {', '.join(known) or 'none, as none is set up'}"
    distance = float(distances_m(point.point, [at])[0])
    if distance > point.within_m:
        return f"距巡逻点过远 distance: received {distance:.0f} m, allowed: up to {point.within_m:.0f} m"
    return ""


def round_state(
    round_: Round, points: Mapping[str, PatrolPoint], check_ins: Iterable[CheckIn], now_ms: int
) -> RoundState:
    """The round now. Periods begin at multiples of `every_s`: a round of an hour begins on the hour."""
    every_ms = round_.every_s * 1000
    from_ms = now_ms - now_ms % every_ms
    own = [each for each in check_ins if each.point in round_.points]
    current = {each.point: each for each in own if from_ms <= each.at_ms < from_ms + every_ms}
    before = {each.point for each in own if from_ms - every_ms <= each.at_ms < from_ms}
    states = tuple(PointState(point=points[code], checked=current.get(code)) for code in round_.points)
    return RoundState(
        code=round_.code,
        name=round_.name,
        from_ms=from_ms,
        until_ms=from_ms + every_ms,
        state="done" if len(current) == len(round_.points) else "open",
        visited=len(current),
        points=states,
        missed=tuple(code for code in round_.points if code not in before),
    )
