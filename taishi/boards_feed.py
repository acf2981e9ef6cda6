"""What boards need in InfluxDB beside windows: places, policies, special days (`dashboards.feed`).

Written first, then what is no more is deleted. Dying in between leaves names of places that are no more until
the next feed; every point is an upsert, so feeding again completes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from datetime import date, timedelta
from typing import Final

import httpx

from dashboards.feed import feed
from dashboards.influxql import name, tag
from dashboards.variables import every_place
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.calendar import published
from schemas.errors import Refused, SettingsError, received_allowed
from schemas.places.model import LEVELS, Place
from schemas.places.registry import PlaceRegistry
from schemas.store import HOUR_S, bucket, events_policy
from taishi.settings import Settings

__all__ = ["days_to_tell", "write_feed"]

_YEARS_AHEAD: Final = 3
"""Holidays are not published further ahead."""


def write_feed(settings: Settings, registry: PlaceRegistry, today: date) -> dict[str, int]:
    """Write everything; returns policy -> points. SettingsError where InfluxDB cannot take it."""
    places = [place for level in LEVELS for place in registry.at(level)]
    lines = feed(places, {*settings.window_s, HOUR_S}, days_to_tell(today))
    try:
        with closing(_store(settings, settings.influxdb_database)) as store:
            _check_policies(store, settings, lines)
            for policy, points in lines.items():
                _write(settings, policy, points)
            _forget_others(store, places)
    except httpx.HTTPError as error:
        raise SettingsError(
            f"InfluxDB at {settings.influxdb_url} does not answer: {error or type(error).__name__}"
        ) from error
    return {policy: len(points) for policy, points in lines.items()}


def days_to_tell(today: date) -> list[date]:
    """Every day that alerts are kept for, to the end of the last year whose holidays are published."""
    first = today - timedelta(seconds=events_policy().keep_s) + timedelta(days=1)
    years = range(today.year, today.year + _YEARS_AHEAD)
    last = date(max((year for year in years if published(date(year, 1, 1))), default=today.year), 12, 31)
    return [first + timedelta(n) for n in range((last - first).days + 1)]


def _store(settings: Settings, database: str) -> InfluxDb:
    return InfluxDb(InfluxSettings(settings.influxdb_url, database, settings.influxdb_token))


def _check_policies(store: InfluxDb, settings: Settings, wanted: Iterable[str]) -> None:
    rows = store.query(f"SHOW RETENTION POLICIES ON {name(settings.influxdb_database)}")
    there = [str(row["name"]) for row in rows]
    for policy in wanted:
        if policy not in there:
            raise SettingsError(
                received_allowed("retention policy", policy, there or ["none: the database is not there yet"])
            )


def _write(settings: Settings, policy: str, points: list[str]) -> None:
    with closing(_store(settings, bucket(settings.influxdb_database, policy))) as store:
        refused = store.write(points)
    if refused:
        raise Refused(f"InfluxDB refused {len(refused)} points of the boards: {refused[0].why}")


def _forget_others(store: InfluxDb, places: Sequence[Place]) -> None:
    """Delete the points of places that are no more, or are called otherwise now."""
    wanted = {f"{place.code} {place.name}" for place in places}
    held = {str(row["value"]) for row in store.query(str(every_place()))}
    for option in sorted(held - wanted):
        store.delete(f"DELETE FROM {name('places')} WHERE {tag('option', option)}")  # noqa: S608 - checked
