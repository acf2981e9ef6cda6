"""The places of a district: who is whose parent, which grid holds a point."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from functools import cache, cached_property
from importlib import resources

import numpy as np

from schemas.places.layer import OUTSIDE, GridLayer
from schemas.places.model import DEFAULT_SCHEME, LEVELS, CodeScheme, Level, Place

__all__ = ["PlaceRegistry", "known_places"]


@cache
def known_places(district: str) -> tuple[Place, ...]:
    """District, streets and communities shipped for a district; empty for one we have no table of.

    370202: NBS 统计用区划代码 2023 (cut-off 2023-06-30), 11 streets and 50 communities.
    """
    table = resources.files("schemas.places").joinpath(f"district_{district}.csv")
    if not table.is_file():
        return ()
    levels: dict[str, Level] = {"district": "district", "street": "street", "community": "community"}
    rows = csv.DictReader(table.read_text("utf-8").splitlines())
    return tuple(Place(row["code"], row["name"], levels[row["level"]]) for row in rows)


class PlaceRegistry:
    """Places above the grids from a table, grids from a layer."""

    def __init__(
        self, places: Iterable[Place], layer: GridLayer, scheme: CodeScheme = DEFAULT_SCHEME
    ) -> None:
        grids = (Place(grid.code, grid.name, "grid", grid.kind) for grid in layer.grids)
        self.layer, self.scheme = layer, scheme
        self._places = {place.code: place for place in (*places, *grids)}

    @property
    def grid_codes(self) -> list[str]:
        """Codes of all grids, ascending."""
        return self.layer.codes

    @property
    def synthetic(self) -> bool:
        """Whether the grids are made up."""
        return self.layer.synthetic

    def place(self, code: str) -> Place | None:
        """The place of a code."""
        return self._places.get(code)

    def at(self, level: Level) -> list[Place]:
        """All places of a level, by code."""
        return self._by_level[level]

    @cached_property
    def _by_level(self) -> dict[Level, list[Place]]:
        levels: dict[Level, list[Place]] = {"district": [], "street": [], "community": [], "grid": []}
        for code in sorted(self._places):
            levels[self._places[code].level].append(self._places[code])
        return levels

    def path(self, code: str) -> list[Place]:
        """The places it lies in, from the district down, itself last; none where the code is unknown."""
        if code not in self._places:
            return []
        within = dict.fromkeys(self.scheme.ancestor(code, level) for level in LEVELS)
        return [self._places[each] for each in within if each in self._places]

    def children(self, code: str) -> list[Place]:
        """The places one level below."""
        return [place for place in self._places.values() if self.scheme.parent(place.code) == code]

    def has_grid(self, code: str) -> bool:
        """Whether a grid of that code exists."""
        place = self._places.get(code)
        return place is not None and place.level == "grid"

    def locate(self, lon: float, lat: float) -> str | None:
        """Code of the one grid that holds the WGS-84 point; None outside all."""
        index = int(self.layer.locate(np.array([lon]), np.array([lat]))[0])
        return None if index == OUTSIDE else self.layer.codes[index]
