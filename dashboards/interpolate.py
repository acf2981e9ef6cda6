"""What Grafana puts into a query before it is sent: the range, the interval, the variables' values. Pure.

As Grafana's InfluxDB data source does it: `$timeFilter` in ms, `$__interval`, `$__from`, `$__to`, and
`$name`, `${name}`, `${name:form}` for variables (`dashboards.formats`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.formats import Value, by_default, formatted
from schemas.errors import SettingsError, received_allowed

__all__ = ["Range", "interpolate", "variables_in"]

_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(\w+)")
_OWN = frozenset(("timeFilter", "__interval", "__from", "__to", "__rate_interval", "__range", "interval"))


@dataclass(frozen=True, slots=True)
class Range:
    """What a board looks at, ms since 1970; `interval` between two points, as InfluxQL writes it (`10s`)."""

    from_ms: int
    to_ms: int
    interval: str = "1m"

    def __post_init__(self) -> None:
        if self.from_ms >= self.to_ms:
            raise SettingsError(f"range: received {self.from_ms} to {self.to_ms}, allowed: from before to")


def variables_in(text: str) -> set[str]:
    """The variables of boards that a text refers to, without those that Grafana has by itself."""
    return {found[0] or found[2] for found in _VARIABLE.findall(text)} - _OWN


def interpolate(text: str, over: Range, values: Mapping[str, Value]) -> str:
    """The query as it is sent; SettingsError for a variable that nobody has given a value."""
    own = {
        "timeFilter": f"time >= {over.from_ms}ms and time <= {over.to_ms}ms",
        "__interval": over.interval,
        "interval": over.interval,
        "__rate_interval": "1m",
        "__range": f"{(over.to_ms - over.from_ms) // 1000}s",
        "__from": str(over.from_ms),
        "__to": str(over.to_ms),
    }

    def value(found: re.Match[str]) -> str:
        wanted = found[1] or found[3]
        if wanted in own:
            return own[wanted]
        if wanted not in values:
            raise SettingsError(received_allowed("variable", wanted, sorted({*own, *values})))
        form = found[2]
        return formatted(values[wanted], form) if form else by_default(values[wanted], wanted, text)

    return _VARIABLE.sub(value, text)
