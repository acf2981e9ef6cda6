"""The registry's file: where it is, reading it, and changing it while connectors read it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from connectors.base import Device
from connectors.enrolment import Row, csv_rows, geojson_rows, to_csv
from connectors.registry import DeviceRegistry
from schemas.durable import put_in_place
from schemas.errors import SettingsError
from taishi.settings import Settings

__all__ = ["devices_path", "editing", "read_rows", "write"]


def devices_path(settings: Settings) -> Path:
    """The device registry in use."""
    return settings.devices_file or settings.home / "devices.csv"


def read_rows(path: Path, crs: str | None = None) -> Iterator[Row]:
    """The rows of a CSV or GeoJSON file, by its suffix; SettingsError when it cannot be read."""
    suffix = path.suffix.lower()
    if suffix not in {".csv", ".geojson", ".json"}:
        raise SettingsError(f"devices {path}: received suffix {suffix!r}, allowed: .csv, .geojson, .json")
    try:
        data = path.read_bytes()
        if suffix != ".csv":
            return geojson_rows(data, crs)
        return csv_rows(data.decode("utf-8-sig"), crs)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"devices {path}: {error}") from error


def reporting_intervals_s(path: Path) -> tuple[tuple[str, int], ...]:
    """(device, seconds between two messages) of those whose row says so; none while there is no registry."""
    if not path.exists():
        return ()
    return tuple((each.device, each.interval_s) for each in DeviceRegistry(path) if each.interval_s)


@contextmanager
def editing(path: Path) -> Iterator[None]:
    """One change at a time: two imports at once come one after the other. SettingsError: no place for it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.with_name(f".{path.name}.lock").open("a")
    except OSError as error:
        raise SettingsError(f"devices {path}: {error}") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def write(path: Path, devices: Iterable[Device]) -> None:
    """Replace the file: a reader, or a kill at any moment, finds the old one or the new one, whole.

    SettingsError when it cannot be written; the old one stands.
    """
    unfinished = path.with_name(f".{path.name}.part")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            file.write(to_csv(devices))
            file.flush()
            os.fsync(file.fileno())
        put_in_place(unfinished, path)
    except OSError as error:
        raise SettingsError(f"devices {path}: {error}") from error
