"""Spaces of the newest window of parking and of an hour before, of grids alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from operations.influxql import UnavailableError
from operations.outgoing.rows import PlaceRow
from operations.pages.reading.store import Head, PagesStore
from operations.scenarios.parking import Spaces
from taishi.parking import ParkingReader

HOUR_MS = 3_600_000
NOW = 1_795_392_000_000
GRID, OTHER, COMMUNITY = "370202001001001", "370202001001002", "370202001001"


def row(place: str, start_ms: int, *, simulated: bool = False, **values: float) -> PlaceRow:
    level = "grid" if len(place) == 15 else "community"
    return PlaceRow("parking", level, place, start_ms, 60, values, simulated)


@dataclass
class Held:
    """Windows of parking by their start; the newest is the head."""

    windows: dict[int, dict[str, PlaceRow]] = field(default_factory=dict)

    def heads(self, now_ms: int) -> dict[str, Head]:
        starts = [start for start in self.windows if start <= now_ms]
        return {"parking": Head(max(starts), 1)} if starts else {}

    def window(self, domain: str, start_ms: int, _simulated: frozenset[str]) -> dict[str, PlaceRow]:
        assert domain == "parking"
        return self.windows.get(start_ms, {})


def reader(*rows: PlaceRow) -> ParkingReader:
    held = Held()
    for each in rows:
        held.windows.setdefault(each.start_ms, {})[each.place] = each
    return ParkingReader(cast("PagesStore", held), lambda: NOW)


def test_grids_of_the_newest_window_stand_beside_those_of_an_hour_before() -> None:
    newest = NOW - 60_000
    found = reader(
        row(GRID, newest, spaces=10.0, occupied=4.0, unknown=1.0),
        row(OTHER, newest, spaces=5.0),
        row(COMMUNITY, newest, spaces=15.0, occupied=4.0, unknown=1.0),
        row(GRID, newest - HOUR_MS, spaces=10.0, occupied=9.0, unknown=0.0),
        row(GRID, newest - 60_000, spaces=1.0, occupied=1.0, unknown=0.0),
    )()
    assert found.now == {GRID: Spaces(10.0, 4.0, 1.0), OTHER: Spaces(5.0, 0.0, 0.0)}
    assert found.before == {GRID: Spaces(10.0, 9.0, 0.0)}
    assert (found.at_ms, found.simulated) == (newest + 60_000, False)


def test_one_simulated_row_makes_the_whole_simulated_and_no_hour_before_is_empty() -> None:
    found = reader(row(GRID, NOW, spaces=1.0), row(OTHER, NOW, simulated=True, spaces=1.0))()
    assert found.simulated
    assert found.before == {}


def test_without_a_window_nobody_can_say() -> None:
    with pytest.raises(UnavailableError, match="no window of parking"):
        reader()()
