"""A place's page: where it lies, what it holds, its figures, alerts and devices. Pure; the time passed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from operations.outgoing.geography import Geography
from operations.outgoing.masking import BASES, K
from operations.pages.metrics import METRICS, Metric, text_of
from operations.pages.views.alerts import AlertList, alert_list, listed
from operations.pages.views.bands import band, limits
from operations.pages.views.cells import Cell, Cells
from operations.pages.views.figures import DomainFigures, domain_figures
from operations.pages.words import KINDS, LEVELS
from schemas.kinds import DOMAINS
from schemas.kinds import KINDS as DEVICE_KINDS
from schemas.places.model import LEVELS as ORDER
from schemas.places.model import Place

__all__ = [
    "COLUMNS",
    "Child",
    "Crumb",
    "DeviceRow",
    "Devices",
    "KindCount",
    "PlacePage",
    "Table",
    "children",
    "place_page",
    "trail",
]

COLUMNS: Final = tuple(
    METRICS[key]
    for key in (
        "parking.occupancy",
        "security.people_entered",
        "care.vitals_out_of_range",
        "governance.patrols",
    )
)
"""Figures of the places within, beside their alerts."""
_ALERTS_SHOWN: Final = 30


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """A device of the registry, as pages may know it."""

    device: str
    kind: str
    model: str
    grid: str
    simulated: bool


class Crumb(msgspec.Struct, frozen=True):
    """A place one may go to."""

    code: str
    name: str


class Child(msgspec.Struct, frozen=True):
    """A place within: its figures as texts in the order of the columns ("" none, "＊" masked)."""

    code: str
    name: str
    texts: list[str]
    band: int | None
    alerts: int


class Table(msgspec.Struct, frozen=True):
    """Places beside each other; `worse`: high values of the first column need a look."""

    columns: list[tuple[str, str]]
    worse: bool
    rows: list[Child]


class KindCount(msgspec.Struct, frozen=True):
    """How many devices of a kind; None where so few stand for people that it is not told."""

    kind: str
    chinese: str
    count: int | None


class Devices(msgspec.Struct, frozen=True):
    """Devices of a grid: counted by kind; told one by one only where none stands for a person or a home."""

    kinds: list[KindCount]
    rows: list[tuple[str, str, str]]
    simulated: bool


class PlacePage(msgspec.Struct, frozen=True):
    """Everything of a place but its past."""

    code: str
    name: str
    level: str
    english: str
    trail: list[Crumb]
    domains: list[DomainFigures]
    within: str
    places: Table
    alerts: AlertList | None
    devices: Devices | None


def trail(place: Place, geography: Geography) -> list[Crumb]:
    """From the district to the place itself."""
    codes: list[str] = []
    code: str | None = place.code
    while code is not None:
        codes.append(code)
        code = geography.parent(code)
    found = [geography.place(code) for code in reversed(codes)]
    return [Crumb(each.code, each.name) for each in found if each is not None]


def place_page(cells: Cells, place: Place, devices: Sequence[DeviceRow] | None, now_ms: int) -> PlacePage:
    """The page of a place; `devices` of a grid, None of a place above."""
    alerts = cells.situation.alerts
    here = None if alerts is None else listed(alerts, place.code)
    below = ORDER.index(place.level) + 1
    return PlacePage(
        code=place.code,
        name=place.name,
        level=LEVELS[place.level][0],
        english=LEVELS[place.level][1],
        trail=trail(place, cells.geography),
        domains=[domain_figures(cells, domain, place.code, now_ms) for domain in DOMAINS],
        within=LEVELS[ORDER[below]][0] if below < len(ORDER) else "",
        places=children(cells, place, COLUMNS),
        alerts=None if here is None else alert_list(here, cells.geography, _ALERTS_SHOWN),
        devices=None if devices is None else _devices(devices),
    )


def children(cells: Cells, place: Place, columns: Sequence[Metric]) -> Table:
    """The places one level below, by code; their colour is that of the map by the first column."""
    below = cells.places.children(place.code)
    first = [cells.cell(columns[0], child.code).value for child in below]
    lower = columns[0].limits or limits(value for value in first if value is not None)
    rows = [
        Child(
            child.code,
            child.name,
            [_text(metric, cells.cell(metric, child.code)) for metric in columns],
            band(value, lower),
            int(cells.alerts(child.code).value or 0),
        )
        for child, value in zip(below, first, strict=True)
    ]
    return Table([(metric.chinese, metric.english) for metric in columns], columns[0].worse, rows)


def _text(metric: Metric, cell: Cell) -> str:
    if cell.masked:
        return "＊"
    return "" if cell.value is None else text_of(metric, cell.value)


def _devices(rows: Sequence[DeviceRow]) -> Devices:
    counts = Counter(row.kind for row in rows)
    kinds = [
        KindCount(kind, KINDS[kind], None if _of_people(kind) and count < K else count)
        for kind, count in sorted(counts.items())
    ]
    told = [(row.device, KINDS[row.kind], row.model) for row in rows if not _of_people(row.kind)]
    return Devices(kinds, sorted(told, key=lambda each: each[1:]), any(row.simulated for row in rows))


def _of_people(kind: str) -> bool:
    return DEVICE_KINDS[kind].domain in BASES


assert set(KINDS) == set(DEVICE_KINDS)  # noqa: S101 - a table that misses a kind must not load
