"""From the installation's settings to the doors of other platforms: who may ask, what there is to tell."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from connectors.http.guard import Guard, RateLimit
from connectors.http.trust import Denied, Trust
from connectors.registry import DeviceRegistry
from operations.oncall.clock import now_ms
from operations.outgoing.app import Admit, Refusal
from operations.outgoing.geography import Geography
from operations.outgoing.shelf import LiveShelf
from operations.outgoing.tail import AlertBook, SpotBook, Tail
from operations.outgoing.windows import WindowStore, WindowStoreSettings
from schemas.errors import SettingsError
from schemas.places.datum import to_wgs84
from schemas.store import MINUTE_S
from schemas.topics import ALERTS, readings_topic
from taishi.devices import devices_path
from taishi.doors import is_loopback
from taishi.kafka import kafka_of
from taishi.senders import follow, trust_of
from taishi.settings import Settings

__all__ = ["Points", "admission", "shelf"]

_LOG = structlog.get_logger(__name__)
_STATUS: Final = {"unauthorised": 401, "stale": 401, "forbidden": 403, "rate": 429}
_SPOTS_BACK_MS: Final = 3_600_000
_LOOK_S: Final = 30.0


def admission(settings: Settings) -> Admit:
    """Who may ask: senders of the senders file that may `/ngsi-ld` or `/cap`; without a file, this machine.

    SettingsError for an open door that others than this machine would reach.
    """
    if settings.senders_file is None:
        if not is_loopback(settings.outgoing_host):
            raise SettingsError(
                f"outgoing_host: received {settings.outgoing_host} without senders_file, allowed: 127.0.0.1, "
                "or set senders_file (TAISHI_SENDERS_FILE) and make it with: taishi senders add"
            )
        return lambda _headers, _scope, _address: None
    guard = Guard(Trust([]), RateLimit(settings.http_rate_per_s, settings.http_burst))
    follow(settings.senders_file, lambda entries: guard.replace(trust_of(entries)))
    if settings.outgoing_tls_certificate is None and not is_loopback(settings.outgoing_host):
        _LOG.warning("tokens come in clear: set outgoing_tls_certificate, or put TLS in front of this door")
    return _admit_by(guard)


def _admit_by(guard: Guard) -> Admit:
    def admit(headers: Mapping[str, str], scope: str, address: str) -> Refusal | None:
        admitted = guard.admit(headers, scope, address, time.time(), time.monotonic())
        if isinstance(admitted, Denied):
            told = dict(_CHALLENGE) if _STATUS[admitted.reason] == 401 else {}
            if admitted.retry_after_s is not None:
                told["Retry-After"] = f"{admitted.retry_after_s:.0f}"
            return Refusal(_STATUS[admitted.reason], admitted.detail, told)
        if admitted.signed is not None:
            return Refusal(
                401, "credential: received a signature, allowed: Authorization: Bearer", _CHALLENGE
            )
        return None

    return admit


_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="taishi"'}


class Points:
    """Where the registered devices stand, WGS-84; reads the registry again when its file has changed."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._clock = devices_path(settings), clock
        self._devices: DeviceRegistry | None = None
        self._looked_s: float | None = None

    def of(self, device: str) -> tuple[float, float] | None:
        """Longitude and latitude; None of a device that is registered in a grid, or not at all."""
        if self._looked_s is None or self._clock() - self._looked_s >= _LOOK_S:
            self._looked_s = self._clock()
            self._look()
        found = self._devices.get(device) if self._devices is not None else None
        if found is None or found.location is None:
            return None
        at = found.location
        longitude, latitude = to_wgs84(at.crs, at.longitude, at.latitude)
        return round(longitude, 6), round(latitude, 6)

    def _look(self) -> None:
        if not self._path.is_file():
            return  # no devices yet: nothing is known of where they stand
        try:
            if self._devices is None:
                self._devices = DeviceRegistry(self._path)
            else:
                self._devices.refresh()
        except SettingsError as error:
            _LOG.warning("device registry kept as it was", error=str(error))


def shelf(settings: Settings, geography: Geography) -> tuple[LiveShelf, tuple[Tail, ...]]:
    """What there is to tell, and the tails that are to be run for it."""
    window_s = max((size for size in settings.window_s if size <= MINUTE_S), default=settings.window_s[0])
    store = WindowStore(
        WindowStoreSettings(
            url=settings.influxdb_url,
            database=settings.influxdb_database,
            token=settings.influxdb_token,
            window_s=window_s,
            care_database=settings.influxdb_care_database,
        )
    )
    alerts, spots = AlertBook(), SpotBook(Points(settings).of)
    since_ms = now_ms() - _SPOTS_BACK_MS
    alert_tail = Tail(kafka_of(settings), ALERTS, alerts.take, None)
    spot_tail = Tail(kafka_of(settings), readings_topic("parking"), spots.take, since_ms)
    made = LiveShelf(store, geography, (spot_tail, spots), (alert_tail, alerts))
    return made, (alert_tail, spot_tail)
