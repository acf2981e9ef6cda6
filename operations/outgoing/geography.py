"""Where a place is: its name, what it lies in, its outline. WGS-84. Pure, over the places in force."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import shapely
from shapely.geometry import mapping

from schemas.places.model import Place
from schemas.places.registry import PlaceRegistry

__all__ = ["Geography"]

_DECIMALS: Final = 6
"""Of a degree: 0.1 m."""


class Geography:
    """Outlines above the grids are the union of their grids, made once."""

    def __init__(self, places: PlaceRegistry) -> None:
        self._places = places
        self._outlines: dict[str, shapely.Geometry | None] = {}

    @property
    def synthetic(self) -> bool:
        """Whether the grids are made up."""
        return self._places.synthetic

    def place(self, code: str) -> Place | None:
        """The place of a code."""
        return self._places.place(code)

    def parent(self, code: str) -> str | None:
        """The code one level up; None for the district, and for what is no place."""
        return self._places.scheme.parent(code) if self.place(code) else None

    @cached_property
    def _grids(self) -> dict[str, shapely.Geometry]:
        return {grid.code: grid.polygon for grid in self._places.layer.grids}

    def outline(self, code: str) -> shapely.Geometry | None:
        """A Polygon or MultiPolygon; None where no grid of the place is known."""
        if code not in self._outlines and self.place(code) is not None:
            within = [polygon for grid, polygon in self._grids.items() if grid.startswith(code)]
            self._outlines[code] = shapely.union_all(within) if within else None
        return self._outlines.get(code)

    def geojson(self, code: str) -> dict[str, Any] | None:
        """The outline as a GeoJSON geometry, longitude first."""
        outline = self.outline(code)
        return None if outline is None else geometry(outline)


def geometry(shape: shapely.Geometry) -> dict[str, Any]:
    """A GeoJSON geometry, rounded."""
    found = mapping(shape)
    return {"type": found["type"], "coordinates": _rounded(found["coordinates"])}


def _rounded(values: Any) -> Any:
    if isinstance(values, float | int):
        return round(values, _DECIMALS)
    return [_rounded(value) for value in values]
