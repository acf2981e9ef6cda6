"""A board as data: sections of panels, each with its queries.

What Grafana is given is built from it (`dashboards.build`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import Literal

from dashboards.palette import Colour
from dashboards.sources import Source
from dashboards.variables import Variable
from dashboards.words import NO_DATA, Words

__all__ = [
    "Bars",
    "Board",
    "Choropleth",
    "FieldStyle",
    "Lines",
    "Link",
    "Mapping",
    "Note",
    "Panel",
    "Query",
    "Section",
    "Show",
    "Stack",
    "Stat",
    "Step",
    "Table",
    "Timeline",
]


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel.

    `form`: how Grafana takes the answer. `alias`: what its series are called (InfluxQL: `$tag_place`; PromQL:
    `{{source}}`). `empty`: why it may rightly have no rows; "": it must have some when there is data.
    """

    text: str
    source: Source
    ref: str = "A"
    form: Literal["time_series", "table"] = "time_series"
    alias: str = ""
    empty: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """From `start` on the colour; None: below all others."""

    start: float | None
    colour: Colour


@dataclass(frozen=True, slots=True)
class Mapping:
    """What a value is shown as; of a `pattern`, a regular expression, `text` may take up groups as `$1`."""

    value: str
    text: str
    colour: Colour | None = None
    pattern: bool = False


@dataclass(frozen=True, slots=True)
class Link:
    """Where a click on a value leads; `url` may hold Grafana's variables."""

    title: Words
    url: str


@dataclass(frozen=True, slots=True)
class FieldStyle:
    """How one field (column, series) is shown, where it is not as the panel says."""

    name: str
    words: Words | None = None
    unit: str = ""
    decimals: int | None = None
    steps: tuple[Step, ...] = ()
    mappings: tuple[Mapping, ...] = ()
    links: tuple[Link, ...] = ()
    colour: Colour | None = None
    width: int = 0


@dataclass(frozen=True, slots=True)
class Stat:
    """Large figures: the last value of each series, or the sum. `fields`: which, by pattern; "": numbers.

    `named`: each with its name, also when it is the only one that there is.
    """

    fields: str = ""
    summed: bool = False
    named: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """Series over time. `stacked` bars where parts make a whole; `shift`: so long before the board's time.

    `step`: the least time between two points of what is grouped by `$__interval`.
    """

    bars: bool = False
    stacked: bool = False
    least: float | None = None
    most: float | None = None
    shift: str = ""
    step: str = ""


@dataclass(frozen=True, slots=True)
class Bars:
    """One horizontal bar a series; with `columns` (key of the rows, their name, the value) one a row."""

    columns: tuple[str, ...] = ()
    least: float | None = 0
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """Rows. `columns`: those shown, in their order; `joined`: the column two queries are put together by."""

    columns: tuple[str, ...]
    joined: str = ""
    sort: str = ""
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Timeline:
    """States over time, one row a series."""


@dataclass(frozen=True, slots=True)
class Choropleth:
    """Areas coloured by their row's value. `areas`: URL of the GeoJSON; its features' ids are in `key`."""

    areas: str
    key: str
    value: str
    centre: tuple[float, float]
    zoom: int


@dataclass(frozen=True, slots=True)
class Note:
    """Words, in Markdown."""

    text: str


Show = Stat | Lines | Bars | Table | Timeline | Choropleth | Note


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel; `name` is its own within the board and fixes its id for ever. Sizes are grid cells of 24.

    `nothing` is what it says when there is no value at all.
    """

    name: str
    title: Words
    about: Words
    show: Show
    unit: str
    queries: tuple[Query, ...] = ()
    width: int = 12
    height: int = 8
    decimals: int | None = None
    steps: tuple[Step, ...] = ()
    mappings: tuple[Mapping, ...] = ()
    fields: tuple[FieldStyle, ...] = ()
    links: tuple[Link, ...] = ()
    nothing: str = NO_DATA

    @property
    def number(self) -> int:
        """The panel's id in Grafana, by which links and alerts know it; fixed by the name."""
        return 1 + zlib.crc32(self.name.encode()) % 99_999

    def sized(self, width: int, height: int) -> Panel:
        """The same panel in another size."""
        return replace(self, width=width, height=height)


@dataclass(frozen=True, slots=True)
class Stack:
    """Panels beside a tall one: laid out like a section within a width of their own."""

    width: int
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """Panels under one heading, laid out from left to right."""

    title: Words
    panels: tuple[Panel | Stack, ...]


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard. `since`: how far it looks back when opened; `annotated`: alerts, holidays are marked.

    `live`: address of the live page of the same place, with its devices (docs/pages.md); "" if it has none.
    """

    uid: str
    title: Words
    about: Words
    sections: tuple[Section, ...]
    variables: tuple[Variable, ...] = ()
    since: str = "now-6h"
    refresh: str = "10s"
    annotated: bool = True
    live: str = ""

    @property
    def panels(self) -> tuple[Panel, ...]:
        """All panels, in the order they are read."""
        items = (item for section in self.sections for item in section.panels)
        return tuple(
            panel for item in items for panel in (item.panels if isinstance(item, Stack) else (item,))
        )
