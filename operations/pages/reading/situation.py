"""What is known at a moment of all places, before it is shown: windows, the past hour, alerts. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from operations.outgoing.rows import PlaceRow
from schemas.alerts import Alert
from schemas.kinds import Domain

__all__ = ["Hours", "Rows", "Situation"]

Rows = Mapping[str, PlaceRow]
"""Place -> its row."""
Hours = Mapping[int, Mapping[str, float]]
"""Start in ms -> the values of a window of an hour, of one place."""


@dataclass(frozen=True, slots=True)
class Situation:
    """`now`: the newest window that the district has, of each place; all of one window: they add up.

    `hour`: sums over the last 60 minutes, of people heard of the most in a minute. `usual`: hours of earlier
    weeks, by domain and place, of the places that are looked at. `alerts`: None until all are read.
    """

    now: Mapping[Domain, Rows] = field(default_factory=dict)
    hour: Mapping[Domain, Rows] = field(default_factory=dict)
    usual: Mapping[tuple[Domain, str], Hours] = field(default_factory=dict)
    alerts: tuple[Alert, ...] | None = None

    def end_ms(self, domain: Domain) -> int | None:
        """Where the newest window of a domain ends; None where there is none yet."""
        return max((row.end_ms for row in self.now.get(domain, {}).values()), default=None)
