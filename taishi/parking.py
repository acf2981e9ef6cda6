"""Spaces by grid, of the situation's newest window and of an hour before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from operations.influxql import UnavailableError
from operations.outgoing.rows import PlaceRow
from operations.pages.reading.situation import Rows
from operations.pages.reading.store import PagesStore
from operations.scenarios.parking import ParkingNow, Spaces

__all__ = ["ParkingReader"]

_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class ParkingReader:
    """Asks each time. What holds simulated readings says so by itself."""

    store: PagesStore
    clock: Callable[[], int]

    def __call__(self) -> ParkingNow:
        """UnavailableError while nobody can say."""
        head = self.store.heads(self.clock()).get("parking")
        if head is None:
            raise UnavailableError("no window of parking in the last 15 minutes")
        now = self.store.window("parking", head.start_ms, frozenset())
        before = self.store.window("parking", head.start_ms - _HOUR_MS, frozenset())
        at_ms = max((row.end_ms for row in now.values()), default=head.start_ms)
        simulated = any(row.simulated for row in now.values())
        return ParkingNow(at_ms=at_ms, simulated=simulated, now=_grids(now), before=_grids(before))


def _grids(rows: Rows) -> dict[str, Spaces]:
    return {place: _spaces(row) for place, row in rows.items() if row.level == "grid"}


def _spaces(row: PlaceRow) -> Spaces:
    values = row.values
    return Spaces(*(values.get(name) or 0.0 for name in ("spaces", "occupied", "unknown")))
