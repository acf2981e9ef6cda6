"""Datums: GCJ-02 and BD-09 to WGS-84 and back. In Shinan GCJ-02 lies 463 m from WGS-84, wider than a grid.

Degrees throughout. The transforms are those of the library coordTransform; GCJ-02 to WGS-84 is
iterated against the forward transform, because one step alone leaves half a metre.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, get_args

import coordTransform
import numpy as np
import numpy.typing as npt
import shapely

from schemas.errors import SettingsError, received_allowed

__all__ = [
    "DATUMS",
    "Datum",
    "checked_datum",
    "from_wgs84",
    "geometry_from_wgs84",
    "geometry_to_wgs84",
    "to_wgs84",
]

Datum = Literal["WGS-84", "GCJ-02", "BD-09"]
DATUMS: Final[tuple[Datum, ...]] = get_args(Datum)

_ROUNDS: Final = 4


def checked_datum(text: object) -> Datum:
    """The datum of that name; SettingsError for any other: there is no default, a guess is 463 m off."""
    for datum in DATUMS:
        if text == datum:
            return datum
    raise SettingsError(received_allowed("crs", text, DATUMS))


def to_wgs84(datum: Datum, longitude: float, latitude: float) -> tuple[float, float]:
    """A point in WGS-84; within 0.1 m of the transform's exact inverse."""
    if datum == "WGS-84":
        return longitude, latitude
    if datum == "BD-09":
        longitude, latitude = coordTransform.bd09_to_gcj02(longitude, latitude)
    return _from_gcj02(longitude, latitude)


def _from_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    east, north = longitude, latitude
    for _ in range(_ROUNDS):
        shifted_east, shifted_north = coordTransform.wgs84_to_gcj02(east, north)
        east += longitude - shifted_east
        north += latitude - shifted_north
    return east, north


def from_wgs84(datum: Datum, longitude: float, latitude: float) -> tuple[float, float]:
    """A point of WGS-84 in another datum, by the library's own forward transform."""
    if datum == "WGS-84":
        return longitude, latitude
    east, north = coordTransform.wgs84_to_gcj02(longitude, latitude)
    if datum == "BD-09":
        east, north = coordTransform.gcj02_to_bd09(east, north)
    return east, north


def geometry_to_wgs84(datum: Datum, geometry: shapely.Geometry) -> shapely.Geometry:
    """A geometry in WGS-84, vertex by vertex; equal vertices stay equal, so borders stay shared."""
    return _converted(geometry, datum, to_wgs84)


def geometry_from_wgs84(datum: Datum, geometry: shapely.Geometry) -> shapely.Geometry:
    """A geometry of WGS-84 in another datum, vertex by vertex."""
    return _converted(geometry, datum, from_wgs84)


def _converted(
    geometry: shapely.Geometry, datum: Datum, point: Callable[[Datum, float, float], tuple[float, float]]
) -> shapely.Geometry:
    if datum == "WGS-84":
        return geometry

    def convert(points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.array([point(datum, x, y) for x, y in points.tolist()])

    return shapely.transform(geometry, convert)
