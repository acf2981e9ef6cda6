"""How Grafana writes a variable's value into a query.

By what a query asks for (`${name:csv}`), as Grafana documents its variable syntax; where it asks for
nothing, as the InfluxDB data source does: several values become one group of a regular expression, each
escaped; one value is escaped only within a regular expression, and never if it begins like a number, as every
place's code does. And how long an interval is: the range over the points that fit, rounded to a usual length.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

__all__ = ["FORMATS", "Value", "by_default", "formatted", "interval_for"]

Value = str | Sequence[str]
"""The chosen value, or the values of a variable of which several may be chosen."""

_SPECIAL: Final = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_PATTERN: Final = re.compile(r"/(?:[^/\\\n]|\\.)+/")
_NUMBER: Final = re.compile(r"\s*[+-]?(?:\d|\.\d)")
_STEPS_MS: Final = (
    *((10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500), (1_500, 1_000)),
    *((3_500, 2_000), (7_500, 5_000), (12_500, 10_000), (17_500, 15_000), (25_000, 20_000)),
    *((45_000, 30_000), (90_000, 60_000), (210_000, 120_000), (450_000, 300_000), (750_000, 600_000)),
    *((1_050_000, 900_000), (1_500_000, 1_200_000), (2_700_000, 1_800_000), (5_400_000, 3_600_000)),
    *((9_000_000, 7_200_000), (16_200_000, 10_800_000), (32_400_000, 21_600_000)),
    *((86_400_000, 43_200_000), (604_800_000, 86_400_000), (1_814_400_000, 604_800_000)),
    (3_628_800_000, 2_592_000_000),
)
"""Below so much the interval is that long; both ms."""
_YEAR_MS: Final = 31_536_000_000
_UNITS_MS: Final = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"))


def _listed(value: Value) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _escaped(value: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", value)


def _regex(value: Value) -> str:
    if isinstance(value, str):
        return _escaped(value)
    escaped = [_escaped(each) for each in value]
    return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"


def _glob(value: Value) -> str:
    listed = _listed(value)
    return listed[0] if len(listed) == 1 else f"{{{','.join(listed)}}}"


def _quoted(mark: str, escape: str) -> Callable[[Value], str]:
    return lambda value: ",".join(f"{mark}{each.replace(mark, escape)}{mark}" for each in _listed(value))


FORMATS: Final[Mapping[str, Callable[[Value], str]]] = {
    "csv": lambda value: ",".join(_listed(value)),
    "doublequote": _quoted('"', '\\"'),
    "glob": _glob,
    "json": lambda value: json.dumps(value if isinstance(value, str) else list(value), ensure_ascii=False),
    "percentencode": lambda value: quote(",".join(_listed(value)), safe="!*'"),
    "pipe": lambda value: "|".join(_listed(value)),
    "raw": lambda value: ",".join(_listed(value)),
    "regex": _regex,
    "singlequote": _quoted("'", "\\'"),
    "sqlstring": _quoted("'", "''"),
}
"""By the name after the colon."""


def formatted(value: Value, form: str) -> str:
    """The value in a form; a form that does not exist is taken as `glob`, as Grafana does."""
    return FORMATS.get(form, _glob)(value)


def by_default(value: Value, name: str, query: str) -> str:
    """The value of a variable where the query asks for no form of it."""
    if not isinstance(value, str):
        return f"({'|'.join(_escaped(each) for each in value)})"
    named = re.compile(rf"\$(?:{name}\b|\{{{name}\}})")
    in_pattern = any(named.search(found) for found in _PATTERN.findall(query))
    return _escaped(value) if in_pattern and not _NUMBER.match(value) else value


def interval_for(range_ms: int, points: int, least_ms: int = 1_000) -> str:
    """What `$__interval` is over a range in a panel that has room for so many points: `10s`, `2h`."""
    wanted_ms = max(range_ms / points, least_ms)
    interval_ms = next((step for below, step in _STEPS_MS if wanted_ms < below), _YEAR_MS)
    for unit_ms, unit in _UNITS_MS:
        if interval_ms % unit_ms == 0:
            return f"{interval_ms // unit_ms}{unit}"
    return f"{interval_ms}ms"
