"""What boards need in InfluxDB beside windows: places, policies, special days (`dashboards.feed`).

Written first, then what is no more is deleted. Dying in between leaves names of places that are no more until
the next feed; every point is an upsert, so feeding again completes it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from typing import Final

import httpx
import structlog

from dashboards.feed import feed
from dashboards.influxql import name, tag
from dashboards.variables import every_place
from pipelines.io.influxdb import InfluxDb
from schemas.calendar import published
from schemas.errors import Refused, SettingsError
from schemas.places.model import LEVELS, Place
from schemas.places.registry import PlaceRegistry
from schemas.store import HOUR_S, KEEP_DAYS, bucket, events_policy
from taishi.places import layers_folder, load_registry
from taishi.settings import Settings
from taishi.store import influx_settings

__all__ = ["Feeder", "days_to_tell", "write_feed"]

_LOG = structlog.get_logger(__name__)
_LOOK_S: Final = 60.0
_YEARS_AHEAD: Final = 3
"""Holidays are not published further ahead."""


def write_feed(settings: Settings, registry: PlaceRegistry, today: date) -> dict[str, int]:
    """Write everything; returns policy -> points. SettingsError where InfluxDB does not answer."""
    places = [place for level in LEVELS for place in registry.at(level)]
    keep_days = settings.influxdb_keep_days
    lines = feed(places, {*settings.window_s, HOUR_S}, days_to_tell(today, keep_days), keep_days)
    with closing(InfluxDb(influx_settings(settings))) as store:
        try:
            store.create_database()
            for policy, points in lines.items():
                _write(store, bucket(settings.influxdb_database, policy), points)
            _forget_others(store, places)
        except httpx.HTTPError as error:
            raise SettingsError(
                f"InfluxDB at {settings.influxdb_url} does not answer: {error or type(error).__name__}"
            ) from error
    return {policy: len(points) for policy, points in lines.items()}


def days_to_tell(today: date, keep_days: Mapping[str, float] = KEEP_DAYS) -> list[date]:
    """Every day that alerts are kept for, to the end of the last year whose holidays are published."""
    first = today - timedelta(seconds=events_policy(keep_days).keep_s) + timedelta(days=1)
    years = range(today.year, today.year + _YEARS_AHEAD)
    last = date(max((year for year in years if published(date(year, 1, 1))), default=today.year), 12, 31)
    return [first + timedelta(n) for n in range((last - first).days + 1)]


class Feeder:
    """Feeds when it starts, with each new day, and when another layer of places was imported.

    `today`: the district's day. What could not be fed is told once, and tried again at the next look.
    """

    def __init__(self, settings: Settings, today: Callable[[], date]) -> None:
        self._settings, self._today = settings, today
        self._fed_of: tuple[object, ...] | None = None
        self._told = ""

    def run(self, stopping: threading.Event) -> None:
        """Look once a minute until told to stop."""
        while not stopping.is_set():
            self.look()
            stopping.wait(_LOOK_S)

    def look(self) -> bool:
        """Feed if what is fed is another now; whether it did."""
        today = self._today()
        made_of = (today, *self._layers())
        if made_of == self._fed_of:
            return False
        try:
            points = write_feed(self._settings, load_registry(self._settings, today), today)
        except (SettingsError, Refused) as error:
            if self._told != str(error):
                _LOG.warning("boards are not fed", why=str(error))
            self._told = str(error)
            return False
        _LOG.info("boards are fed", **points)
        self._fed_of, self._told = made_of, ""
        return True

    def _layers(self) -> list[tuple[str, int]]:
        files = sorted(layers_folder(self._settings).glob("*.geojson"))
        named = [self._settings.places_file] if self._settings.places_file else []
        return [(str(path), path.stat().st_mtime_ns) for path in (*files, *named) if path.is_file()]


def _write(store: InfluxDb, where: str, points: list[str]) -> None:
    refused = store.write(points, where)
    if refused:
        raise Refused(f"InfluxDB refused {len(refused)} points of the boards: {refused[0].why}")


def _forget_others(store: InfluxDb, places: Sequence[Place]) -> None:
    """Delete the points of places that are no more, or are called otherwise now."""
    wanted = {f"{place.code} {place.name}" for place in places}
    held = {str(row["value"]) for row in store.query(str(every_place()))}
    for option in sorted(held - wanted):
        store.delete(f"DELETE FROM {name('places')} WHERE {tag('option', option)}")  # noqa: S608 - checked
