"""Datums: a location as its source gives it, in WGS-84. Degrees throughout.

GCJ-02 to WGS-84 is iterated against the forward transform: one step alone leaves half a metre.
"""

from __future__ import annotations

from typing import Final

import coordTransform

from connectors.base import Location

__all__ = ["wgs84"]

_ROUNDS: Final = 4


def wgs84(location: Location) -> tuple[float, float]:
    """Longitude and latitude in WGS-84; within 0.1 m of the transform's exact inverse."""
    longitude, latitude = location.longitude, location.latitude
    if location.crs == "WGS-84":
        return longitude, latitude
    if location.crs == "BD-09":
        longitude, latitude = coordTransform.bd09_to_gcj02(longitude, latitude)
    return _from_gcj02(longitude, latitude)


def _from_gcj02(longitude: float, latitude: float) -> tuple[float, float]:
    east, north = longitude, latitude
    for _ in range(_ROUNDS):
        shifted_east, shifted_north = coordTransform.wgs84_to_gcj02(east, north)
        east += longitude - shifted_east
        north += latitude - shifted_north
    return east, north
