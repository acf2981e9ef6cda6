"""Outlines of places for a map: simplified together so that borders stay shared, in a datum, rounded. Pure.

Made once a level and datum: the geometry changes with the grid layer only.
"""

from __future__ import annotations

from functools import cache, cached_property
from typing import Any, Final

import msgspec
import shapely
from shapely.geometry import mapping

from operations.outgoing.geography import Geography
from operations.pages.views.map import Colours
from schemas.places.datum import Datum, geometry_from_wgs84
from schemas.places.model import Level, Place
from schemas.places.registry import PlaceRegistry

__all__ = ["Outlines"]

_TOLERANCE_DEG: Final = 0.00003
"""About 3 m: less than a pixel of a wall screen that shows a district."""
_DECIMALS: Final = 5
"""Of a degree: 1.1 m."""


class Outlines:
    """The outlines of a district's places, and feature collections of them."""

    def __init__(self, places: PlaceRegistry, geography: Geography) -> None:
        self._places, self._geography = places, geography
        self.features = cache(self._features)

    def collection(self, level: Level, datum: Datum, colours: Colours | None) -> bytes:
        """A FeatureCollection; with `colours`, each feature has `value`, `unit` and `band`."""
        parts, masked = [], set(colours.masked) if colours else set()
        for index, (place, geometry) in enumerate(self.features(level, datum)):
            properties: dict[str, Any] = {"code": place.code, "name": place.name}
            if place.kind is not None:
                properties["kind"] = place.kind
            if colours is not None:
                properties |= {
                    "value": colours.values[index],
                    "unit": colours.unit,
                    "band": colours.bands[index],
                    "masked": index in masked,
                }
            parts.append(
                b'{"type":"Feature","id":"%b","properties":%b,"geometry":%b}'
                % (place.code.encode(), msgspec.json.encode(properties), geometry)
            )
        head = msgspec.json.encode(self._head(level, datum, colours))
        return head[:-1] + b',"features":[' + b",".join(parts) + b"]}"

    def _head(self, level: Level, datum: Datum, colours: Colours | None) -> dict[str, Any]:
        """Everything but the features; `crs` as in the layers that `taishi places` reads and writes."""
        head: dict[str, Any] = {
            "type": "FeatureCollection",
            "crs": datum,
            "level": level,
            "synthetic": self._places.synthetic,
        }
        if colours is not None:
            head |= {"metric": colours.metric, "unit": colours.unit, "limits": colours.limits}
        return head

    def _features(self, level: Level, datum: Datum) -> list[tuple[Place, bytes]]:
        """(place, its geometry as JSON) in the order of the codes; `null` for a place without grids."""
        shapes = self._simplified[level]
        return [
            (
                place,
                _json(geometry_from_wgs84(datum, shapes[place.code])) if place.code in shapes else b"null",
            )
            for place in self._places.at(level)
        ]

    @cached_property
    def _simplified(self) -> dict[Level, dict[str, shapely.Geometry]]:
        levels: tuple[Level, ...] = ("grid", "community", "street")
        return {level: self._of(level) for level in levels}

    def _of(self, level: Level) -> dict[str, shapely.Geometry]:
        found = {place.code: self._geography.outline(place.code) for place in self._places.at(level)}
        shapes = {code: outline for code, outline in found.items() if outline is not None}
        simple = shapely.coverage_simplify(list(shapes.values()), _TOLERANCE_DEG)
        return dict(zip(shapes, simple, strict=True))


def _json(shape: shapely.Geometry) -> bytes:
    found = mapping(shape)
    return msgspec.json.encode({"type": found["type"], "coordinates": _rounded(found["coordinates"])})


def _rounded(values: Any) -> Any:
    if isinstance(values, float | int):
        return round(values, _DECIMALS)
    return [_rounded(value) for value in values]
