"""InfluxQL as data: the one place where a query's text is put together.

Names that are words of the language (`window`, `level`) or begin with a digit must be quoted, so all are.
Grafana's variables pass through: they are put in when a query is sent (`dashboards.interpolate`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.errors import SettingsError

__all__ = [
    "TIME_RANGE",
    "Column",
    "Select",
    "TagValues",
    "matches",
    "name",
    "since_end",
    "tag",
    "whole_or_at_least",
]

TIME_RANGE = "$timeFilter"
"""The range of the board's clock, put in by Grafana."""

_NAME = re.compile(r"[A-Za-z0-9_]+|\$\{[a-z_]+\}")


def name(text: str) -> str:
    """A quoted identifier: letters, digits, underscores, or one variable; SettingsError for another."""
    if not _NAME.fullmatch(text):
        raise SettingsError(
            f"InfluxQL name: received {text!r}, allowed: letters, digits, _, or one ${{variable}}"
        )
    return f'"{text}"'


def _literal(text: str) -> str:
    if "'" in text or "\\" in text or "\n" in text:
        raise SettingsError(
            f"InfluxQL value: received {text!r}, allowed: no quotes, backslashes or line breaks"
        )
    return f"'{text}'"


def tag(key: str, value: str) -> str:
    """A tag has the value; a value may be a variable."""
    return f"{name(key)} = {_literal(value)}"


def matches(key: str, pattern: str) -> str:
    """A tag matches the regular expression."""
    if "/" in pattern:
        raise SettingsError(f"InfluxQL pattern: received {pattern!r}, allowed: no slash")
    return f"{name(key)} =~ /{pattern}/"


def whole_or_at_least(field: str, least: int) -> str:
    """A count is nobody, or as many as may be told: the mask of small cells."""
    return f"({name(field)} = 0 OR {name(field)} >= {least})"


def since_end(ago: str) -> str:
    """The time from `ago` (`1h`) before the end of the board's range up to that end."""
    return f"time > ${{__to}}ms - {ago} AND time <= ${{__to}}ms"


@dataclass(frozen=True, slots=True)
class Column:
    """An expression and what its column is called; "": as the expression itself."""

    expression: str
    called: str = ""

    def __str__(self) -> str:
        return f"{self.expression} AS {name(self.called)}" if self.called else self.expression


@dataclass(frozen=True, slots=True)
class Select:
    """One SELECT. `of`: a measurement (quoted), a pattern, or queries whose rows are taken together."""

    columns: tuple[Column, ...]
    of: str | Select | tuple[Select, ...]
    where: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    fill: str = ""
    newest_first: bool = False
    limit: int = 0

    def __str__(self) -> str:
        text = f"SELECT {', '.join(map(str, self.columns))} FROM {self._from()}"  # noqa: S608 - names are checked
        text += f" WHERE {' AND '.join(self.where)}" if self.where else ""
        text += f" GROUP BY {', '.join(self.group_by)}" if self.group_by else ""
        text += f" fill({self.fill})" if self.fill else ""
        text += " ORDER BY time DESC" if self.newest_first else ""
        return text + (f" LIMIT {self.limit}" if self.limit else "")

    def _from(self) -> str:
        if isinstance(self.of, str):
            return self.of
        inner: Iterable[Select] = self.of if isinstance(self.of, tuple) else (self.of,)
        return ", ".join(f"({select})" for select in inner)


@dataclass(frozen=True, slots=True)
class TagValues:
    """The values a tag has: what variables offer."""

    of: str
    key: str
    where: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"SHOW TAG VALUES FROM {self.of} WITH KEY = {name(self.key)}"
        return text + (f" WHERE {' AND '.join(self.where)}" if self.where else "")
