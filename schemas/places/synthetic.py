"""A synthetic grid layer: as many grids as the real district has, none of them real.

No public list or polygon of the 505 base and 68 dedicated grids of 370202 exists. This layer has
their number, their codes' form and their size (base grids of about 0.06 km²), inside an outline
drawn by hand that only resembles the district's. Names and the layer itself say that it is synthetic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from functools import cache
from typing import Final

import shapely

from schemas.errors import SettingsError
from schemas.places.layer import Grid, GridLayer
from schemas.places.model import GridKind, Place
from schemas.places.registry import known_places

__all__ = ["BASE_GRIDS", "DEDICATED_GRIDS", "OUTLINE", "synthetic_layer"]

BASE_GRIDS: Final = 505
DEDICATED_GRIDS: Final = 68

OUTLINE: Final = shapely.Polygon(
    [(120.285, 36.047), (120.315, 36.043), (120.350, 36.048), (120.390, 36.052), (120.418, 36.062),
     (120.421, 36.089), (120.395, 36.087), (120.365, 36.078), (120.330, 36.077), (120.300, 36.072),
     (120.283, 36.061)]
)  # fmt: skip
"""About 40 km²; drawn by hand, no survey."""

_CUT_ROUNDS: Final = 40


@cache
def synthetic_layer(district: str = "370202") -> GridLayer:
    """The layer of a district whose streets and communities are known; always the same."""
    communities = [place for place in known_places(district) if place.level == "community"]
    if not communities:
        raise SettingsError(
            f"district: received {district!r}; streets and communities are shipped for 370202 only: "
            "import a grid layer of your own with `taishi places import`"
        )
    grids = [
        grid
        for number, (community, area) in enumerate(_community_areas(communities))
        for grid in _grids_of(community, area, number, len(communities))
    ]
    return GridLayer(tuple(sorted(grids, key=lambda grid: grid.code)), date(2024, 1, 1), synthetic=True)


def _community_areas(communities: list[Place]) -> Iterator[tuple[Place, shapely.Polygon]]:
    """Each street a part of the outline in proportion to its communities; each community an equal part."""
    streets: dict[str, list[Place]] = defaultdict(list)
    for community in communities:
        streets[community.code[:9]].append(community)
    weights = [len(members) for members in streets.values()]
    for members, area in zip(streets.values(), _split(OUTLINE, weights), strict=True):
        yield from zip(members, _split(area, [1] * len(members)), strict=True)


def _grids_of(community: Place, area: shapely.Polygon, number: int, of: int) -> Iterator[Grid]:
    """The community's grids, numbered west to east and north to south; the last ones are dedicated."""
    base = _share(BASE_GRIDS, number, of)
    dedicated = _share(DEDICATED_GRIDS, number, of)
    parts = sorted(_split(area, [1] * (base + dedicated)), key=_north_then_west)
    for position, polygon in enumerate(parts, 1):
        kind: GridKind = "base" if position <= base else "dedicated"
        label = "基础网格" if kind == "base" else "专属网格"
        yield Grid(
            f"{community.code}{position:03d}", f"{community.name}{label}{position:02d}（模拟）", kind, polygon
        )


def _share(total: int, number: int, of: int) -> int:
    """How many of `total` the `number`th of `of` gets: all differ by at most one and add up."""
    return total // of + (number < total % of)


def _north_then_west(polygon: shapely.Polygon) -> tuple[float, float]:
    return round(-polygon.centroid.y, 3), polygon.centroid.x


def _split(area: shapely.Polygon, weights: list[int]) -> list[shapely.Polygon]:
    """Cut an area into parts in proportion to `weights` by straight cuts along the axes.

    Both sides of a cut have its exact coordinate, so parts share borders without gap or overlap.
    """
    if len(weights) == 1:
        return [area]
    half = len(weights) // 2
    first, second = _cut(area, sum(weights[:half]) / sum(weights))
    return _split(first, weights[:half]) + _split(second, weights[half:])


def _cut(area: shapely.Polygon, share: float) -> tuple[shapely.Polygon, shapely.Polygon]:
    west, south, east, north = area.bounds
    across = (east - west) * 0.81 >= north - south  # a degree of longitude is 0.81 of one of latitude here
    low, high = (west, east) if across else (south, north)

    def side(at: float, *, upper: bool) -> shapely.Polygon:
        if across:
            box = shapely.box(at, south, east, north) if upper else shapely.box(west, south, at, north)
        else:
            box = shapely.box(west, at, east, north) if upper else shapely.box(west, south, east, at)
        return area.intersection(box)

    for _ in range(_CUT_ROUNDS):
        middle = (low + high) / 2
        low, high = (middle, high) if side(middle, upper=False).area < share * area.area else (low, middle)
    return side(low, upper=False), side(low, upper=True)
