"""What boards are built for, given by the caller: the district, its limits, and where its map is."""

from __future__ import annotations

from dataclasses import dataclass

from dashboards.limits import KpiLimit, Limit
from dashboards.model import Mapping
from dashboards.variables import PLACE, Variable, chosen, placed
from schemas.errors import SettingsError, received_allowed

__all__ = ["Context", "Duty"]


@dataclass(frozen=True, slots=True)
class Duty:
    """One route of the on-call file, in words: what it takes, when, and who is told in turn."""

    route: str
    takes: str
    when: str
    told: str


@dataclass(frozen=True, slots=True)
class Context:
    """`centre` is longitude and latitude, WGS-84; `pages_url` is how browsers reach the live pages."""

    district: str
    district_name: str
    centre: tuple[float, float]
    pages_url: str
    place_names: tuple[Mapping, ...] = ()
    limits: tuple[Limit, ...] = ()
    kpis: tuple[KpiLimit, ...] = ()
    duties: tuple[Duty, ...] = ()
    clock_s: float = 60.0
    watermark_s: float = 30.0

    @property
    def placed(self) -> tuple[Variable, ...]:
        """The variables of a board that looks at a place: the whole district at first."""
        return placed(self.district, self.district_name)

    @property
    def map_url(self) -> str:
        """The outlines of the grids (docs/boards.md)."""
        return f"{self.pages_url}/map/grid.geojson?datum=WGS-84"

    @property
    def live_url(self) -> str:
        """The live page of the chosen place."""
        return f"{self.pages_url}/place/{chosen(PLACE)}"

    def kpi(self, name: str) -> KpiLimit:
        """A limit of the alarm load by its name; SettingsError if the caller gave none of it."""
        known = {limit.name: limit for limit in self.kpis}
        if name not in known:
            raise SettingsError(received_allowed("alarm KPI", name, known))
        return known[name]
