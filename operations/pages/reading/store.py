"""The questions that pages ask of InfluxDB: few, for all places at once, whoever looks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from operations.influxql import InfluxQl, Series
from operations.outgoing.rows import PlaceRow, place_row, values_of
from operations.pages.metrics import FIGURES
from operations.pages.reading.situation import Hours, Rows
from operations.pages.views.trends import HOURS, Past
from operations.pages.views.usual import DAYS_BACK
from schemas.kinds import DOMAINS, Domain
from schemas.store import HOUR_S, MINUTE_S, measurement

__all__ = ["Head", "PagesStore", "StorePlan"]

_LOOK_BACK_S: Final = 900
_MINUTES: Final = 60
_PEOPLE: Final = "residents_seen"
"""Of an hour the highest of a minute is taken: a sum would count the same person again."""


@dataclass(frozen=True, slots=True)
class StorePlan:
    """Where what lies. `window_s`: the smallest windows, those of the map and the gauges."""

    databases: Mapping[Domain, str]
    district: str
    window_s: int


@dataclass(frozen=True, slots=True)
class Head:
    """The district's newest window of a domain: another start or revision means another picture."""

    start_ms: int
    revision: int


class PagesStore:
    """Asks; keeps nothing. UnavailableError from every question while InfluxDB does not answer."""

    def __init__(self, influx: InfluxQl, plan: StorePlan) -> None:
        self._influx, self._plan = influx, plan

    def heads(self, now_ms: int) -> dict[Domain, Head]:
        """The newest window of each domain, of those no older than 15 minutes."""
        since_ms = now_ms - _LOOK_BACK_S * 1000
        found: dict[Domain, Head] = {}
        for domain in DOMAINS:
            for series in self._one(
                domain,
                f"SELECT revision FROM {measurement(domain, self._plan.window_s)} WHERE level = 'district' "  # noqa: S608 - of the settings' making
                f"AND place = '{self._plan.district}' AND time >= {since_ms}ms ORDER BY time DESC LIMIT 1",
            ):
                start_ms, revision = series["values"][0]
                found[domain] = Head(int(start_ms), int(revision))
        return found

    def window(self, domain: Domain, start_ms: int, simulated: frozenset[str]) -> Rows:
        """The window that begins then, of every place that has it."""
        window_s = self._plan.window_s
        statement = (
            f"SELECT * FROM {measurement(domain, window_s)} WHERE time = {start_ms}ms GROUP BY level, place"  # noqa: S608
        )
        return self._rows(domain, statement, window_s, simulated)

    def hour(self, domain: Domain, end_ms: int, simulated: frozenset[str]) -> Rows:
        """Sums over the 60 minutes before a moment, of every place that had a window in them."""
        sums = {part for metric in FIGURES[domain] if metric.span == "hour" for part in metric.parts}
        chosen = [f"sum({name}) AS {name}" for name in sorted(sums)]
        if domain == "care":
            chosen.append(f"max({_PEOPLE}) AS {_PEOPLE}")
        start_ms = end_ms - _MINUTES * MINUTE_S * 1000
        statement = (
            f"SELECT {', '.join(chosen)} FROM {measurement(domain, MINUTE_S)} "  # noqa: S608
            f"WHERE time >= {start_ms}ms AND time < {end_ms}ms GROUP BY level, place"
        )
        return self._rows(domain, statement, HOUR_S, simulated)

    def usual(self, domain: Domain, place: str, now_ms: int) -> Hours:
        """The hours of the last five weeks of one place."""
        since_ms = now_ms - (DAYS_BACK * 24 + 2) * HOUR_S * 1000
        return self._past(domain, place, HOUR_S, since_ms)

    def past(self, domain: Domain, place: str, now_ms: int) -> Past:
        """The minutes of the last hours of one place."""
        return self._past(domain, place, MINUTE_S, now_ms - (HOURS + 1) * HOUR_S * 1000)

    def _rows(
        self, domain: Domain, statement: str, window_s: int, simulated: frozenset[str]
    ) -> dict[str, PlaceRow]:
        """By place, from series that have one row each."""
        found = self._one(domain, statement)
        rows = (place_row(domain, each, each["values"][0], window_s, simulated) for each in found)
        return {row.place: row for row in rows}

    def _past(self, domain: Domain, place: str, window_s: int, since_ms: int) -> Hours:
        statement = (
            f"SELECT * FROM {measurement(domain, window_s)} WHERE place = '{place}' AND time >= {since_ms}ms"  # noqa: S608
        )
        return {
            int(cells[0]): values_of(series["columns"], cells)
            for series in self._one(domain, statement)
            for cells in series["values"]
        }

    def _one(self, domain: Domain, statement: str) -> list[Series]:
        (series,) = self._influx.ask(self._plan.databases[domain], statement)
        return series
