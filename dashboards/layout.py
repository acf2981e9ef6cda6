"""Where panels lie: sections from top to bottom, in each from left to right, a new line where none fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from dashboards.model import Panel, Section, Stack
from dashboards.words import Words
from schemas.errors import SettingsError

__all__ = ["COLUMNS", "Placed", "placed"]

COLUMNS: Final = 24
"""Grafana's grid is so wide."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A panel or the heading of a section, in cells of the grid."""

    shown: Panel | Words
    x: int
    y: int
    width: int
    height: int


def placed(sections: Iterable[Section]) -> Iterator[Placed]:
    """Headings and panels at their places; SettingsError for a panel that fits nowhere."""
    top = 0
    for section in sections:
        yield Placed(section.title, 0, top, COLUMNS, 1)
        panels = list(_flow(section.panels, 0, top + 1, COLUMNS))
        yield from panels
        top = max((each.y + each.height for each in panels), default=top + 1)


def _flow(items: Iterable[Panel | Stack], left: int, top: int, width: int) -> Iterator[Placed]:
    """Items from left to right within a width, line by line."""
    at = tallest = 0
    for item in items:
        if not 0 < item.width <= width:
            named = item.name if isinstance(item, Panel) else "a stack"
            raise SettingsError(f"{named}: received a width of {item.width}, allowed: 1 to {width}")
        if at + item.width > width:
            top, at, tallest = top + tallest, 0, 0
        if isinstance(item, Panel):
            new = [Placed(item, left + at, top, item.width, item.height)]
        else:
            new = list(_flow(item.panels, left + at, top, item.width))
        yield from new
        at += item.width
        tallest = max(tallest, *(each.y + each.height - top for each in new))
