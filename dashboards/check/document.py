"""A board's JSON as the checks read it: its panels, its texts, its variables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

__all__ = ["Finding", "Panels", "texts"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: the board's file, the panel's title ("": the board itself), what."""

    board: str
    panel: str
    what: str

    def __str__(self) -> str:
        return f"{self.board}: {f'{self.panel}: ' if self.panel else ''}{self.what}"


@dataclass(frozen=True)
class Panels:
    """The JSON of one board."""

    name: str
    document: dict[str, Any]

    @cached_property
    def all(self) -> list[dict[str, Any]]:
        """Every panel and row, also those inside collapsed rows."""
        outer: list[dict[str, Any]] = self.document["panels"]
        return [panel for each in outer for panel in (each, *each.get("panels", []))]

    @property
    def shown(self) -> Iterator[dict[str, Any]]:
        """The panels that show something: no rows."""
        return (panel for panel in self.all if panel.get("type") != "row")

    @property
    def variables(self) -> list[dict[str, Any]]:
        """The board's variables."""
        found: list[dict[str, Any]] = self.document.get("templating", {}).get("list", [])
        return found

    @property
    def marks(self) -> list[dict[str, Any]]:
        """The annotation queries."""
        found: list[dict[str, Any]] = self.document.get("annotations", {}).get("list", [])
        return found

    def finding(self, panel: dict[str, Any] | None, what: str) -> Finding:
        """Something wrong with a panel, or with the board."""
        named = (panel.get(key) for key in ("title", "name", "id")) if panel else ("",)
        return Finding(self.name, str(next(filter(None, named), "")), what)


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text in a piece of JSON, with where it stands: `targets.0.query`."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from texts(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from texts(inner, f"{path}.{at}".lstrip("."))
