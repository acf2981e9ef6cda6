"""Degrees to metres around a place: flat, which over a district is wrong by 1 m in a km at most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import shapely

from operations.scenarios.model import Point

__all__ = ["distances_m", "flat", "flattened"]

_M_PER_DEGREE: Final = 111_320.0
"""Of latitude, and of longitude at the equator."""


def flat(degrees: npt.NDArray[np.float64], latitude: float) -> npt.NDArray[np.float64]:
    """Points (n, 2), longitude first, as metres east and north, near that latitude."""
    metres: npt.NDArray[np.float64]
    metres = degrees * np.array([_M_PER_DEGREE * np.cos(np.radians(latitude)), _M_PER_DEGREE])
    return metres


def distances_m(origin: Point, points: Sequence[Point]) -> npt.NDArray[np.float64]:
    """Straight lines from the origin to each point, (n,)."""
    if not points:
        return np.zeros(0)
    away = flat(np.asarray(points) - np.asarray(origin), origin[1])
    return np.hypot(away[:, 0], away[:, 1])


def flattened(shapes: Sequence[shapely.Geometry], latitude: float) -> npt.NDArray[np.object_]:
    """Geometries in degrees as geometries in metres."""
    made: npt.NDArray[np.object_] = shapely.transform(
        np.asarray(shapes, object), lambda xy: flat(xy, latitude)
    )
    return made
