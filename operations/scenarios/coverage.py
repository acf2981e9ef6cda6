"""15-minute service circles of stations over the grid layer. Pure.

The walking model: whoever is within `Walking.radius_m` of a station in a straight line reaches it in time;
the detour factor stands for streets. Covered is a share of a grid's area: where people live is not known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import mapping

from operations.scenarios.metres import flattened
from operations.scenarios.model import Station, Walking
from schemas.places.layer import Grid

__all__ = ["Coverage", "GridCoverage", "circles", "coverage"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GridCoverage:
    """A grid, and the share of its area that is in reach of a station, 0 to 1."""

    code: str
    name: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """`share`: of the area of all grids. `covered`: grids whose area is in reach by half or more."""

    radius_m: float
    share: float
    covered: int
    grids: tuple[GridCoverage, ...]


def coverage(grids: Iterable[Grid], stations: Iterable[Station], walking: Walking) -> Coverage:
    """How much of the grids is within reach of any station; the least covered grids first."""
    layer, points = list(grids), [shapely.Point(station.point) for station in stations]
    if not layer:
        return Coverage(radius_m=walking.radius_m, share=0.0, covered=0, grids=())
    latitude = layer[0].polygon.centroid.y
    shapes = flattened([grid.polygon for grid in layer], latitude)
    reach = shapely.union_all(shapely.buffer(flattened(points, latitude), walking.radius_m))
    areas = shapely.area(shapes)
    inside = shapely.area(shapely.intersection(shapes, reach))
    shares = np.divide(inside, areas, out=np.zeros_like(areas), where=areas > 0)
    found = [
        GridCoverage(code=grid.code, name=grid.name, share=round(float(share), 4))
        for grid, share in zip(layer, shares, strict=True)
    ]
    return Coverage(
        radius_m=round(walking.radius_m, 1),
        share=round(float(inside.sum() / areas.sum()), 4),
        covered=int((shares >= 0.5).sum()),
        grids=tuple(sorted(found, key=lambda each: (each.share, each.code))),
    )


def circles(stations: Iterable[Station], walking: Walking) -> dict[str, Any]:
    """The circles as GeoJSON in degrees, to be drawn over the map."""
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"code": station.code, "name": station.name},
                "geometry": mapping(_circle(station, walking.radius_m)),
            }
            for station in stations
        ],
    }


def _circle(station: Station, radius_m: float) -> shapely.Geometry:
    longitude, latitude = station.point
    unit = shapely.Point(0, 0).buffer(radius_m, quad_segs=12)
    scale = flattened([shapely.Point(1, 1)], latitude)[0]
    return shapely.transform(unit, lambda xy: xy / [scale.x, scale.y] + [longitude, latitude])
