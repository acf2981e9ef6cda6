"""The wall, the district at a glance, and the page of one domain. Pure; the time passed in."""

from __future__ import annotations

from typing import Final

import msgspec

from operations.pages.metrics import FIGURES
from operations.pages.views.alerts import AlertList, alert_list, listed
from operations.pages.views.cells import Cells
from operations.pages.views.figures import DomainFigures, domain_figures
from operations.pages.views.places import COLUMNS, Table, children
from schemas.kinds import DOMAINS, Domain
from schemas.places.model import Place

__all__ = ["DomainPage", "Wall", "domain_page", "wall"]

_ALERTS_SHOWN: Final = 12


class Wall(msgspec.Struct, frozen=True):
    """Key figures by domain, all alerts of the district, its streets; `synthetic`: the grids are made up."""

    code: str
    name: str
    synthetic: bool
    simulated: bool
    domains: list[DomainFigures]
    alerts: AlertList | None
    places: Table


def wall(cells: Cells, district: Place, now_ms: int) -> Wall:
    """The frame of the wall."""
    domains = [domain_figures(cells, domain, district.code, now_ms) for domain in DOMAINS]
    alerts = cells.situation.alerts
    return Wall(
        code=district.code,
        name=district.name,
        synthetic=cells.places.synthetic,
        simulated=any(domain.simulated for domain in domains),
        domains=domains,
        alerts=None if alerts is None else alert_list(listed(alerts), cells.geography, _ALERTS_SHOWN),
        places=children(cells, district, COLUMNS),
    )


class DomainPage(msgspec.Struct, frozen=True):
    """One domain: its figures in the district, in the streets, and the alerts that concern it."""

    domains: list[DomainFigures]
    alerts: AlertList | None
    places: Table


def domain_page(cells: Cells, district: Place, domain: Domain, now_ms: int) -> DomainPage:
    """The frame of a domain's page."""
    alerts = cells.situation.alerts
    here = None if alerts is None else [alert for alert in listed(alerts) if alert.domain == domain]
    return DomainPage(
        domains=[domain_figures(cells, domain, district.code, now_ms)],
        alerts=None if here is None else alert_list(here, cells.geography, _ALERTS_SHOWN),
        places=children(cells, district, FIGURES[domain]),
    )
