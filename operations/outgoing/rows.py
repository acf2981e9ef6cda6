"""What is known at a moment, before it takes a form of others: windows of places, states of spaces."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from operations.influxql import Series
from schemas.kinds import Domain

__all__ = ["PlaceRow", "SpotRow", "place_row", "values_of"]


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """The newest window of a place in one domain: its measures by name, without those not formed.

    `simulated`: simulated readings came for as long as one of them may still be held.
    """

    domain: Domain
    level: str
    place: str
    start_ms: int
    window_s: int
    values: Mapping[str, float]
    simulated: bool = False

    @property
    def end_ms(self) -> int:
        """Where the window ends: what it says is of then."""
        return self.start_ms + self.window_s * 1000


@dataclass(frozen=True, slots=True)
class SpotRow:
    """The last reading of one parking space's sensor; `point` is (longitude, latitude), WGS-84."""

    device: str
    grid: str
    occupied: bool
    observed_at_ms: int
    simulated: bool
    point: tuple[float, float] | None = None


def values_of(columns: Iterable[str], cells: Iterable[Any]) -> dict[str, float]:
    """The numbers of one row of InfluxDB by name, without its time."""
    pairs = zip(columns, cells, strict=True)
    return {name: float(value) for name, value in pairs if isinstance(value, int | float) and name != "time"}


def place_row(
    domain: Domain, series: Series, cells: list[Any], window_s: int, simulated: Collection[str]
) -> PlaceRow:
    """One row of a series with the tags `level` and `place`; `simulated`: places that hold such readings."""
    values, place = values_of(series["columns"], cells), series["tags"]["place"]
    return PlaceRow(
        domain=domain,
        level=series["tags"]["level"],
        place=place,
        start_ms=int(cells[0]),
        window_s=window_s,
        values=values,
        simulated=place in simulated or values.get("readings_simulated", 0) > 0,
    )
