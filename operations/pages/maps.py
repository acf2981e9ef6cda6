"""`/map/<level>.geojson`: outlines of a level's places, with values and bands of the metric that is named."""

from __future__ import annotations

import hashlib
from typing import Annotated, Final, cast

from fastapi import APIRouter, Header, Query, Response

from operations.pages.live.watch import Watch
from operations.pages.views.map import MAP_LEVELS, colours, map_metric
from operations.pages.views.outlines import Outlines
from schemas.errors import Refused, received_allowed
from schemas.places.datum import Datum

__all__ = ["maps_router"]

DATUMS: Final = ("WGS-84", "GCJ-02")
_OUTLINES_S: Final = 300
_VALUES_S: Final = 5


def maps_router(watch: Watch, outlines: Outlines) -> APIRouter:
    """Answers from what is known already: however many ask, InfluxDB is not asked."""
    router = APIRouter()

    @router.get("/map/{level}.geojson")
    def geojson(
        level: str,
        metric: Annotated[str | None, Query()] = None,
        datum: Annotated[str, Query()] = "WGS-84",
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        if level not in MAP_LEVELS:
            raise Refused(received_allowed("level", level, MAP_LEVELS))
        if datum not in DATUMS:
            raise Refused(received_allowed("datum", datum, DATUMS))
        found = None
        if metric is not None:
            map_metric(metric)
            found = colours(watch.cells(), level, metric)
        body = outlines.collection(level, cast("Datum", datum), found)
        keep_s = _OUTLINES_S if metric is None else _VALUES_S
        return _answer(body, keep_s, if_none_match)

    return router


def _answer(body: bytes, keep_s: int, seen: str | None) -> Response:
    """The body, or 304 to who has it."""
    # Weak: compressed on the way it is the same.
    tag = f'W/"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": f"max-age={keep_s}", "Access-Control-Allow-Origin": "*"}
    if seen is not None and tag in [each.strip() for each in seen.split(",")]:
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/geo+json", headers=headers)
