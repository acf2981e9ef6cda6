"""What is known at a moment, before it takes a form of others: windows of places, states of spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.kinds import Domain

__all__ = ["PlaceRow", "SpotRow"]


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
