"""A layer of grids: polygons in WGS-84, and which one a point lies in.

Boundary rule: a point on a shared border belongs to the grid with the smallest code, so every
point of the covered area belongs to exactly one grid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import shapely

from schemas.errors import SettingsError
from schemas.places.model import GridKind

__all__ = ["OUTSIDE", "Grid", "GridHistory", "GridLayer"]

OUTSIDE = -1
"""Index of the grid of a point that lies in none."""


@dataclass(frozen=True, slots=True)
class Grid:
    """One grid; `polygon` is a Polygon or MultiPolygon, degrees, WGS-84."""

    code: str
    name: str
    kind: GridKind
    polygon: shapely.Geometry


@dataclass(frozen=True)
class GridLayer:
    """The grids in force from `valid_from` on; `synthetic` layers are labelled wherever they show."""

    grids: tuple[Grid, ...]
    valid_from: date
    synthetic: bool

    def __post_init__(self) -> None:
        codes = [grid.code for grid in self.grids]
        if codes != sorted(set(codes)):
            raise SettingsError("grid layer: the grids must come in the order of their codes, each code once")

    @cached_property
    def codes(self) -> list[str]:
        """Codes in ascending order; the index of a grid is its place here."""
        return [grid.code for grid in self.grids]

    @cached_property
    def _tree(self) -> shapely.STRtree:
        return shapely.STRtree([grid.polygon for grid in self.grids])

    def locate(
        self, longitude: npt.NDArray[np.float64], latitude: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.int64]:
        """Index of the grid of each point, OUTSIDE where there is none; shape `(n,)` all three."""
        points = shapely.points(longitude, latitude)
        which, grid = self._tree.query(points, predicate="intersects")
        found = np.full(points.shape, len(self.grids), np.int64)
        np.minimum.at(found, which, grid)
        found[found == len(self.grids)] = OUTSIDE
        return found


@dataclass(frozen=True)
class GridHistory:
    """Layers by the day they came into force: what a reading's grid was is what was in force then."""

    layers: tuple[GridLayer, ...]

    def at(self, day: date) -> GridLayer:
        """The layer in force on a day; SettingsError before the first."""
        in_force = [layer for layer in self.layers if layer.valid_from <= day]
        if not in_force:
            starts: Sequence[str] = sorted(str(layer.valid_from) for layer in self.layers)
            raise SettingsError(f"no grid layer is in force on {day}; layers begin on: {', '.join(starts)}")
        return max(in_force, key=lambda layer: layer.valid_from)
