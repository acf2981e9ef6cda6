"""Queries on alerts: how many are active, how many came, how thick they came, which came most.

An alert is a point of measurement `alerts` at its onset, `active` 1 while it goes on. What people did with it
(acknowledged, shelved) is the desk's and not here, so every alert counts, also one that was hidden.
"""

from __future__ import annotations

from typing import Final

from dashboards.influxql import TIME_RANGE, Column, Select, matches, name, since_end, tag
from dashboards.model import Query
from dashboards.sources import DISTRICT
from dashboards.variables import PLACE, chosen
from dashboards.words import Words
from schemas.alerts import Severity
from schemas.store import EVENTS

__all__ = [
    "ACTIVE_SINCE",
    "active",
    "came",
    "newest",
    "onsets_by_severity",
    "per",
    "ranked",
    "stale",
    "thick_share",
    "thickest",
]

ACTIVE_SINCE: Final = "30d"
"""How far back an alert that still goes on may have begun to be shown."""

_NONE: Final = "可能没有告警 there may be no alerts"
_OF: Final = f"{name(EVENTS)}.{name('alerts')}"
_COUNT: Final = Column(f"count({name('active')})", "alerts")


def _here() -> tuple[str, ...]:
    return (matches("place", f"^{chosen(PLACE)}"),)


def _query(select: Select, ref: str = "A", words: Words | None = None, form: str = "time_series") -> Query:
    shape: Final = "table" if form == "table" else "time_series"
    return Query(str(select), DISTRICT, ref, shape, alias=str(words) if words else "", empty=_NONE)


def active(severity: Severity, words: Words, ref: str) -> Query:
    """How many of a severity go on: 0 if all are over, no row if there was none for so long."""
    column = Column(f"sum({name('active')})", "alerts")
    where = (tag("severity", severity), *_here(), since_end(ACTIVE_SINCE))
    return _query(Select((column,), _OF, where), ref, words)


def newest(limit: int, *, only_active: bool) -> Query:
    """The newest alerts: those that go on, whenever they began; or all of the board's time."""
    columns = ("severity", "title", "place", "rule", "count", "children", "active", "explanation")
    since = (f"{name('active')} = 1", since_end(ACTIVE_SINCE)) if only_active else (TIME_RANGE,)
    select = Select(
        columns=tuple(Column(name(each)) for each in columns),
        of=_OF,
        where=(*_here(), *since),
        newest_first=True,
        limit=limit,
    )
    return _query(select, form="table")


def came(words: Words) -> Query:
    """How many came in the board's time."""
    return _query(Select((_COUNT,), _OF, (*_here(), TIME_RANGE)), words=words)


def per(period_ms: int, words: Words) -> Query:
    """How many came per so much time, on average over the board's."""
    column = Column(f"count({name('active')}) * {period_ms} / (${{__to}} - ${{__from}})", "alerts")
    return _query(Select((column,), _OF, (*_here(), TIME_RANGE)), words=words)


def _counted(bucket: str) -> Select:
    return Select((_COUNT,), _OF, (*_here(), TIME_RANGE), (f"time({bucket})",), fill="0")


def thickest(bucket: str, words: Words) -> Query:
    """The most that came in one period."""
    return _query(Select((Column(f"max({name('alerts')})", "alerts"),), _counted(bucket)), words=words)


def thick_share(bucket: str, more_than: int, words: Words) -> Query:
    """The share of periods in which more than so many came, 0 to 1.

    InfluxQL has no condition in a mean: (|d| + d) / 2|d| is 1 above and 0 below, d never being 0.
    """
    off = f"({name('alerts')} - {more_than}.5)"
    step = Column(f"(abs{off} + {off}) / (2 * abs{off})", "over")
    inner = Select((step,), _counted(bucket))
    return _query(Select((Column(f"mean({name('over')})", "share"),), inner), words=words)


def onsets_by_severity(severity: Severity, words: Words, ref: str) -> Query:
    """How many of a severity came over time."""
    where = (tag("severity", severity), *_here(), TIME_RANGE)
    select = Select((_COUNT,), _OF, where, ("time($__interval)",), fill="0")
    return _query(select, ref, words)


def stale(words: Words) -> Query:
    """How many go on for longer than a day at the end of the board's time."""
    column = Column(f"sum({name('active')})", "alerts")
    where = (*_here(), f"time > ${{__to}}ms - {ACTIVE_SINCE} AND time <= ${{__to}}ms - 24h")
    return _query(Select((column,), _OF, where), words=words)


def ranked(by: tuple[str, ...], limit: int) -> Query:
    """What came most, by some tags."""
    tags = tuple(name(each) for each in by)
    inner = Select((_COUNT,), _OF, (*_here(), TIME_RANGE), tags)
    column = Column(f"top({name('alerts')}, {', '.join(tags)}, {limit})", "alerts")
    return _query(Select((column,), inner), form="table")
