"""The district as the client draws it: names and outlines of places, and their last hours."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Response

from operations.desk.policies import Who, guarded
from operations.desk.seen import in_places
from operations.desk.state import Desk, desk_of
from operations.influxql import UnavailableError
from operations.outgoing.geography import Geography
from operations.pages.reading.store import PagesStore
from operations.pages.views.map import MAP_LEVELS
from operations.pages.views.outlines import Outlines
from operations.pages.views.trends import Trend, lines_of
from operations.pages.views.trends import trend as trend_of
from schemas.places.model import LEVELS, Place
from schemas.places.registry import PlaceRegistry

__all__ = ["City", "LastHours", "router"]

router = APIRouter(tags=["places"])
_Desk = Annotated[Desk, Depends(desk_of)]
_KEEP = {"Cache-Control": "private, max-age=3600"}


class City:
    """Places in force, with outlines; `trend` asks for the last hours of one, None where nobody can say."""

    def __init__(self, places: PlaceRegistry, trend: Callable[[Place], Trend] | None = None) -> None:
        self.places, self.trend = places, trend

    @cached_property
    def outlines(self) -> Outlines:
        """Made when first asked for."""
        return Outlines(self.places, Geography(self.places))

    @cached_property
    def names(self) -> bytes:
        """`[{code, name, level}]` from the district down, JSON."""
        found = [place for level in LEVELS for place in self.places.at(level)]
        return msgspec.json.encode([{"code": p.code, "name": p.name, "level": p.level} for p in found])


class LastHours:
    """The last hours of a place as the live pages draw them, asked anew each time; UnavailableError."""

    def __init__(self, store: PagesStore, clock: Callable[[], int]) -> None:
        self._store, self._clock = store, clock

    def __call__(self, place: Place) -> Trend:
        """Its lines, those of people of the whole district only."""
        now_ms, lines = self._clock(), lines_of(place.level)
        domains = {line.domain for line in lines}
        past = {domain: self._store.past(domain, place.code, now_ms) for domain in domains}
        usual = {domain: self._store.usual(domain, place.code, now_ms) for domain in domains}
        return trend_of(lines, past, usual, now_ms)


@router.get("/places", response_model=None, **guarded("signed_in"))
def list_places(desk: _Desk) -> Response:
    """Every place of the district: code, name, level."""
    return Response(desk.city.names, media_type="application/json", headers=_KEEP)


@router.get("/map/{level}", response_model=None, **guarded("signed_in"))
def outlines(level: Annotated[str, Path(pattern="^(grid|community|street)$")], desk: _Desk) -> Response:
    """Outlines of all places of a level, GeoJSON, WGS-84."""
    found = next(each for each in MAP_LEVELS if each == level)
    body = desk.city.outlines.collection(found, "WGS-84", None)
    return Response(body, media_type="application/json", headers=_KEEP)


@router.get("/places/{code}/trend", response_model=None, **guarded("alerts.read"))
def trend(code: str, who: Who, desk: _Desk) -> Response:
    """The last six hours of a place by five minutes, and the usual beside them. 503 where nobody can say."""
    place = desk.city.places.place(code)
    if place is None or not in_places(who.person, code):
        raise HTTPException(404, f"地点 place: received {code!r}, which is none of yours")
    if desk.city.trend is None:
        raise HTTPException(503, "此值班台未接时序库 this desk reads no InfluxDB")
    try:
        return Response(msgspec.json.encode(desk.city.trend(place)), media_type="application/json")
    except UnavailableError as error:
        raise HTTPException(503, f"时序库无应答 InfluxDB does not answer: {error}") from error
