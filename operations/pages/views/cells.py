"""One figure of one place, with what would tell of few people left out. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from operations.outgoing.geography import Geography
from operations.outgoing.masking import BASES, concealed_counts
from operations.pages.metrics import Metric
from operations.pages.reading.situation import Rows, Situation
from operations.pages.views.alerts import by_place
from schemas.kinds import Domain
from schemas.places.registry import PlaceRegistry

__all__ = ["Cell", "Cells"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A value, or none: because there is none, or because it is `masked`."""

    value: float | None = None
    masked: bool = False


@dataclass
class Cells:
    """The values of a situation; what is concealed is found once a domain and span."""

    situation: Situation
    geography: Geography
    places: PlaceRegistry
    _concealed: dict[tuple[Domain, str], dict[str, set[str]]] = field(default_factory=dict)
    _alerts: Mapping[str, int] | None = None

    def cell(self, metric: Metric, place: str) -> Cell:
        """The figure of a place."""
        row = self._rows(metric).get(place)
        value = None if row is None else metric.value(row.values)
        if value is None or metric.domain not in BASES:
            return Cell(value)
        concealed = self._of_people(metric)
        masked = any(place in concealed[part] for part in metric.parts)
        return Cell(None if masked else value, masked)

    def alerts(self, place: str) -> Cell:
        """How many alerts are listed in a place and all that it holds."""
        if self.situation.alerts is None:
            return Cell()
        if self._alerts is None:
            self._alerts = by_place(self.situation.alerts, self.places.scheme)
        return Cell(float(self._alerts.get(place, 0)))

    def _rows(self, metric: Metric) -> Rows:
        rows = self.situation.now if metric.span == "now" else self.situation.hour
        return rows.get(metric.domain, {})

    def _of_people(self, metric: Metric) -> dict[str, set[str]]:
        key = metric.domain, metric.span
        if key not in self._concealed:
            rows = self._rows(metric)
            parents = {place: self.geography.parent(place) for place in rows}
            counts = {
                name: {place: row.values.get(name, 0.0) for place, row in rows.items()}
                for name in BASES[metric.domain]
            }
            self._concealed[key] = concealed_counts(metric.domain, counts, parents)
        return self._concealed[key]
