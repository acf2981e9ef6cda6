"""From the installation's settings to its live pages: where they read, and what is known beside."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import structlog

from connectors.base import Device
from connectors.registry import DeviceRegistry
from deploy.embedded.state import is_running, read_state
from operations.influxql import InfluxQl
from operations.outgoing.geography import Geography
from operations.outgoing.tail import Tail
from operations.outgoing.windows import WindowStore, WindowStoreSettings
from operations.pages.app import Parts
from operations.pages.live.board import Board
from operations.pages.live.pulse import Pulse
from operations.pages.live.watch import Known, Watch
from operations.pages.reading.alerts import OpenAlerts
from operations.pages.reading.reader import Reader
from operations.pages.reading.store import PagesStore, StorePlan
from operations.pages.views.freshness import Pace
from operations.pages.views.outlines import Outlines
from operations.pages.views.places import DeviceRow
from schemas.errors import SettingsError
from schemas.kinds import DOMAINS, Domain
from schemas.places.datum import to_wgs84
from schemas.places.registry import PlaceRegistry
from schemas.store import MINUTE_S, database_of
from schemas.topics import ALERTS
from taishi.devices import devices_path
from taishi.doors import is_loopback
from taishi.kafka import kafka_of
from taishi.pages_health import Checkup
from taishi.settings import Settings
from taishi.status.labels import STATES

__all__ = ["DevicesOf", "check_host", "pages_parts", "pages_store", "unwell"]

_LOG = structlog.get_logger(__name__)
_STORE_LIMIT_S: Final = 3.0
_LOOK_S: Final = 30.0
_ASIDE: Final = frozenset({"pages", "simulate", "sources", "outgoing", "desk", "oncall"})
"""Parts without which the picture is as true as with them."""


def check_host(settings: Settings) -> None:
    """SettingsError for an address that others than this machine would reach: pages know no users yet."""
    if not is_loopback(settings.pages_host):
        raise SettingsError(
            f"pages_host: received {settings.pages_host}, allowed: 127.0.0.1; for other machines put a proxy "
            "that asks who it is before the pages (docs/pages.md)"
        )


def pages_parts(settings: Settings, places: PlaceRegistry, geography: Geography) -> Parts:
    """What the application is made of."""
    board = Board()
    window_s = min(settings.window_s)
    alerts = OpenAlerts(lambda: watch.wake())  # noqa: PLW0108 - it is made below
    tail = Tail(kafka_of(settings), ALERTS, alerts.take, None)
    reader = Reader(pages_store(settings), _simulated(settings), settings.delay_s)
    known = Known(
        places, geography, lambda: alerts.all() if tail.caught_up else None, DevicesOf(settings, places)
    )
    pace = Pace(window_s, settings.delay_s)
    watch = Watch(board, reader, known, pace)
    board.wanted = watch.wake
    pulse = Pulse(board, watch, lambda: unwell(settings), pace)
    checkup = Checkup(settings, board)
    return Parts(
        board, watch, Outlines(places, geography), places, (tail.run, watch.run, pulse.run, checkup.run)
    )


def unwell(settings: Settings) -> Mapping[str, str]:
    """Parts of the embedded stack that do not serve now, and their state in words; none where none runs."""
    state = read_state(settings.home) if is_running(settings.home) else None
    parts = () if state is None else state.parts
    return {p.name: STATES.get(p.phase, p.phase) for p in parts if not p.well and p.name not in _ASIDE}


class DevicesOf:
    """The registered devices of a grid; reads the registry again when its file has changed."""

    def __init__(self, settings: Settings, places: PlaceRegistry) -> None:
        self._path, self._places = devices_path(settings), places
        self._registry: DeviceRegistry | None = None
        self._by_grid: Mapping[str, list[DeviceRow]] = {}
        self._looked_s: float | None = None

    def __call__(self, grid: str) -> Sequence[DeviceRow]:
        """Those of a grid; as the file stood at most half a minute ago."""
        if self._looked_s is None or time.monotonic() - self._looked_s >= _LOOK_S:
            self._looked_s = time.monotonic()
            self._look()
        return self._by_grid.get(grid, ())

    def _look(self) -> None:
        if not self._path.is_file():
            return  # no devices yet
        try:
            if self._registry is None:
                self._registry = DeviceRegistry(self._path)
            elif not self._registry.refresh():
                return
        except SettingsError as error:
            _LOG.warning("device registry kept as it was", error=str(error))
            return
        by_grid: defaultdict[str, list[DeviceRow]] = defaultdict(list)
        for device in self._registry:
            grid = device.grid or self._located(device)
            by_grid[grid or ""].append(
                DeviceRow(device.device, device.kind, device.model, grid or "", device.simulated)
            )
        self._by_grid = by_grid

    def _located(self, device: Device) -> str | None:
        at = device.location
        return None if at is None else self._places.locate(*to_wgs84(at.crs, at.longitude, at.latitude))


def pages_store(settings: Settings) -> PagesStore:
    """Where pages and the desk's client read the situation."""
    databases = {domain: database_of(domain, settings) for domain in DOMAINS}
    influx = InfluxQl(settings.influxdb_url, settings.influxdb_token, _STORE_LIMIT_S)
    return PagesStore(influx, StorePlan(databases, settings.district, min(settings.window_s)))


def _simulated(settings: Settings) -> Callable[[Domain], frozenset[str]]:
    """Where a simulated reading may still be held, by minutes, as other platforms are told."""
    given = WindowStoreSettings(
        settings.influxdb_url,
        settings.influxdb_database,
        settings.influxdb_token,
        MINUTE_S,
        settings.influxdb_care_database,
    )
    return WindowStore(given).simulated
