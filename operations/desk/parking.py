"""智慧停车: where parking is short, and where the nearest free spaces are."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel

from operations.desk.policies import Who, guarded
from operations.desk.state import Desk, desk_of
from operations.influxql import UnavailableError
from operations.people.roles import in_places
from operations.scenarios.model import Point
from operations.scenarios.parking import Free, ParkingNow, Pressure, nearest_free, pressure

__all__ = ["router"]

router = APIRouter(tags=["parking"])
_Desk = Annotated[Desk, Depends(desk_of)]


class PressureOut(BaseModel):
    """Grids with spaces, the fullest first, as of `at_ms`, the end of a window."""

    at_ms: int
    simulated: bool
    grids: list[Pressure]


@router.get("/parking/pressure", **guarded("alerts.read"))
def show_pressure(who: Who, desk: _Desk) -> PressureOut:
    """Occupancy of the grids of one's places and its change in an hour. 503 where nobody can say."""
    found = _now(desk)
    grids = [each for each in pressure(found.now, found.before) if in_places(who.person, each.place)]
    return PressureOut(at_ms=found.at_ms, simulated=found.simulated, grids=grids)


@router.get("/parking/free", **guarded("alerts.read"))
def show_free(
    desk: _Desk,
    longitude: Annotated[float, Query(ge=-180, le=180)],
    latitude: Annotated[float, Query(ge=-90, le=90)],
    limit: Annotated[int, Query(ge=1, le=50)] = 5,
) -> list[Free]:
    """The grids nearest to a point (WGS-84) that have free spaces, the nearest first."""
    return nearest_free(_now(desk).now, _centres(desk), (longitude, latitude), limit)


def _centres(desk: Desk) -> dict[str, Point]:
    found = ((grid.code, grid.polygon.representative_point()) for grid in desk.city.places.layer.grids)
    return {code: (point.x, point.y) for code, point in found}


def _now(desk: Desk) -> ParkingNow:
    if desk.parking is None:
        raise HTTPException(503, "此值班台未接时序库 this desk reads no InfluxDB")
    try:
        return desk.parking()
    except UnavailableError as error:
        raise HTTPException(503, f"时序库无应答 InfluxDB does not answer: {error}") from error
