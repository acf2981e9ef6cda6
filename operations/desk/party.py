"""智慧党建: stations and who reaches them on foot, members registered twice (双报到), branches of grids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from operations.cases.model import Entry
from operations.desk.policies import Who, guarded
from operations.desk.seen import in_places
from operations.desk.state import Desk, desk_of
from operations.scenarios.coverage import Coverage, circles, coverage
from operations.scenarios.model import Branch, Station, Walking
from operations.scenarios.service import MemberService, service

__all__ = ["router"]

router = APIRouter(tags=["party"])
_Desk = Annotated[Desk, Depends(desk_of)]
_SINCE_MS: Final = 30 * 24 * 3_600_000
_CLAIMED: Final = frozenset({"residents-order", "grid-calls"})


class CoverageOut(BaseModel):
    """Stations, the walking model, and what of the grids is in reach. `circles`: GeoJSON, WGS-84."""

    walking: Walking
    synthetic: bool
    stations: list[Station]
    coverage: Coverage
    circles: dict[str, Any]


@router.get("/party/coverage", **guarded("cases.read"))
def show_coverage(desk: _Desk) -> CoverageOut:
    """15-minute service circles (15 分钟服务圈) of the stations over the grid layer."""
    stations, walking = list(desk.scenarios.stations.values()), desk.scenarios.walking
    return CoverageOut(
        walking=walking,
        synthetic=desk.city.places.synthetic,
        stations=stations,
        coverage=coverage(desk.city.places.layer.grids, stations, walking),
        circles=circles(stations, walking),
    )


@router.get("/party/members", **guarded("cases.dispatch"))
def list_members(who: Who, desk: _Desk) -> list[MemberService]:
    """Members registered in one's places, with their claims and hours of the last 30 days."""
    members = [each for each in desk.scenarios.members if in_places(who.person, each.community)]
    return service(members, _flows(desk))


@router.get("/party/branches", **guarded("cases.read"))
def list_branches(desk: _Desk) -> list[Branch]:
    """The branch of each grid that has one (一格一支部)."""
    return [desk.scenarios.branches[grid] for grid in sorted(desk.scenarios.branches)]


def _flows(desk: Desk) -> Iterator[list[Entry]]:
    now_ms = desk.clock()
    for case in desk.cases.cases_between(now_ms - _SINCE_MS, now_ms):
        if case.workflow in _CLAIMED:
            yield desk.cases.flow(case.id)
