"""Which boundaries were in force when: the grid layer of a window is that of its local day."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import cached_property
from typing import Final

import numpy as np

from schemas.calendar import ZONE
from schemas.places.layer import GridHistory, GridLayer
from schemas.places.registry import PlaceRegistry, known_places
from taishi.analysis.blocks import Int64s

__all__ = ["NONE", "Boundaries"]

NONE: Final = -1
"""Number of the layer of a day before the first."""


class Boundaries:
    """The district's grid layers, numbered by the day they came into force."""

    def __init__(self, history: GridHistory, district: str) -> None:
        self.layers: tuple[GridLayer, ...] = tuple(sorted(history.layers, key=lambda layer: layer.valid_from))
        self._district = district

    @cached_property
    def places(self) -> tuple[PlaceRegistry, ...]:
        """The places of each layer."""
        above = known_places(self._district)
        return tuple(PlaceRegistry(above, layer) for layer in self.layers)

    def on(self, day: date) -> PlaceRegistry:
        """The places in force on a day; before the first layer, those of the first."""
        found = [number for number, layer in enumerate(self.layers) if layer.valid_from <= day]
        return self.places[max(found, default=0)]

    def in_force(self, starts_ms: Int64s) -> Int64s:
        """Number of the layer of each window; NONE before the first."""
        begins_ms = [_begins_ms(layer) for layer in self.layers]
        return np.searchsorted(np.array(begins_ms, np.int64), starts_ms, side="right") - 1

    def name(self, number: int, place: str) -> str | None:
        """What a place was called then; None if it was none."""
        found = None if number == NONE else self.places[number].place(place)
        return found.name if found else None


def _begins_ms(layer: GridLayer) -> int:
    return round(datetime.combine(layer.valid_from, time.min, ZONE).timestamp() * 1000)
