"""The device registry: which device stands where, and what it is. A CSV file, kept in memory.

Columns: `device,model,kind,grid,longitude,latitude,crs,subject,capacity,simulated`. `device` is the
id as the vendor's message names it. `grid`, or `longitude`, `latitude` and `crs` (WGS-84, GCJ-02 or
BD-09) place it; a grid wins where both are given. `subject` is a pseudonym, never an identity.

Optional columns: `interval_s` (expected seconds between two messages), `zone` (IANA name of the clock of a
device whose format has no offset) and `vendor`. Columns may stand in any order.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from connectors.base import Device, Location
from connectors.fields import zone_named
from schemas.errors import SettingsError, received_allowed
from schemas.kinds import KINDS
from schemas.places.datum import DATUMS

__all__ = ["COLUMNS", "OPTIONAL", "DeviceRegistry", "check_header", "device_of", "parse_rows", "zone_of"]

COLUMNS: Final = (
    *("device", "model", "kind", "grid", "longitude", "latitude"),
    *("crs", "subject", "capacity", "simulated"),
)
OPTIONAL: Final = ("interval_s", "zone", "vendor")
"""Columns a file may have besides."""

_FLAGS: Final = {"true": True, "false": False, "": False}


class DeviceRegistry:
    """All devices of a file, by id, in O(1); `refresh` reads the file again when it has changed.

    `problems` names every refused row of the last reading with its line number; the devices of such
    rows are unknown. SettingsError when the file cannot be read or its header is wrong.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._devices: dict[str, Device] = {}
        self._stamp: tuple[int, int, int] | None = None
        self.problems: tuple[str, ...] = ()
        self.refresh()

    def __len__(self) -> int:
        return len(self._devices)

    def __iter__(self) -> Iterator[Device]:
        return iter(self._devices.values())

    def get(self, device: str) -> Device | None:
        """The registered device of that id, or None."""
        return self._devices.get(device)

    def refresh(self) -> bool:
        """Read the file if it is another than last time; True if so.

        Raising leaves what was read before in place, and the next call tries again.
        """
        try:
            stat = self._path.stat()
            stamp = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if stamp == self._stamp:
                return False
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                devices, problems = parse_rows(file)
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise SettingsError(f"device registry {self._path}: {error}") from error
        # One assignment each: readers in other threads see the old or the new one, never a mixture.
        self._devices, self.problems, self._stamp = devices, problems, stamp
        return True


def parse_rows(lines: Iterable[str]) -> tuple[dict[str, Device], tuple[str, ...]]:
    """Devices by id and, for each row refused, `line 7: what came and what is allowed`."""
    rows = csv.DictReader(lines)
    check_header(list(rows.fieldnames or ()))
    devices: dict[str, Device] = {}
    problems: list[str] = []
    for row in rows:
        try:
            device = _row(row)
            if device.device in devices:
                raise ValueError(f"device {device.device!r} stands there already")  # noqa: TRY301 - one exit
            devices[device.device] = device
        except ValueError as error:
            problems.append(f"line {rows.line_num}: {error}")
    return devices, tuple(problems)


def zone_of(device: Device | None, option_zone: str) -> ZoneInfo | None:
    """The zone of times without offset: the device's own, else the codec's option; None if neither says."""
    return zone_named((device.zone if device else "") or option_zone)


def check_header(names: list[str]) -> None:
    """SettingsError unless they are the columns, each once, in any order, with any of the optional ones."""
    if len(set(names)) < len(names) or not set(COLUMNS) <= set(names) <= {*COLUMNS, *OPTIONAL}:
        allowed = (*COLUMNS, *(f"{name} (optional)" for name in OPTIONAL))
        raise SettingsError(received_allowed("device registry header", names, allowed))


def _row(row: Mapping[str, str | None]) -> Device:
    if None in row or None in row.values():  # what DictReader makes of too many and too few cells
        raise ValueError(f"received another number of cells, allowed: {len(set(row) - {None})}")
    return device_of({name: text or "" for name, text in row.items()})


def device_of(cells: Mapping[str, str]) -> Device:
    """The device of a row's cells by column, absent ones empty; ValueError: what came, what is allowed."""
    cell = {name: cells.get(name, "").strip() for name in (*COLUMNS, *OPTIONAL)}
    if not cell["device"] or not cell["device"].isprintable():
        raise ValueError(f"device: received {cell['device']!r}, allowed: printable text")
    if cell["kind"] not in KINDS:
        raise ValueError(received_allowed("kind", cell["kind"], KINDS))
    location = _location(cell)
    if location is None and not cell["grid"]:
        raise ValueError("received neither a grid nor a location, allowed: one of them (grid wins over both)")
    if cell["simulated"] not in _FLAGS:
        raise ValueError(received_allowed("simulated", cell["simulated"], ("true", "false")))
    return Device(
        device=cell["device"],
        model=cell["model"],
        kind=cell["kind"],
        grid=cell["grid"],
        location=location,
        subject=cell["subject"],
        capacity=_whole("capacity", cell["capacity"], 0),
        simulated=_FLAGS[cell["simulated"]],
        interval_s=_whole("interval_s", cell["interval_s"], 1),
        zone=_zone(cell["zone"]),
        vendor=cell["vendor"],
    )


def _location(cell: Mapping[str, str]) -> Location | None:
    given = [name for name in ("longitude", "latitude", "crs") if cell[name]]
    if not given:
        return None
    if len(given) < 3:
        raise ValueError(f"received only {', '.join(given)}, allowed: longitude, latitude and crs together")
    longitude, latitude = (_degrees(name, cell[name]) for name in ("longitude", "latitude"))
    for crs in DATUMS:
        if crs == cell["crs"]:
            return Location(longitude, latitude, crs)
    raise ValueError(received_allowed("crs", cell["crs"], DATUMS))


def _degrees(name: str, text: str) -> float:
    try:
        degrees = float(text.replace("_", "?"))  # Python reads 1_2 as 12; a spreadsheet means something else
    except ValueError:
        degrees = math.nan
    if not math.isfinite(degrees):
        raise ValueError(f"{name}: received {text!r}, allowed: degrees such as 120.3829")
    return degrees


def _whole(name: str, text: str, least: int) -> int | None:
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise ValueError(f"{name}: received {text!r}, allowed: a whole number from {least} or nothing")
    return int(text)


def _zone(name: str) -> str:
    zone_named(name)
    return name
