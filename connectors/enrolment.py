"""Device rows from CSV and GeoJSON, checked against kinds and grids, and back to CSV. Pure.

A row is where it stands in its file (`line 7`, `feature 2`) and its cells by column.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import msgspec

from connectors.base import Device
from connectors.registry import COLUMNS, OPTIONAL, check_header, device_of
from connectors.resolve import Places
from schemas.errors import SettingsError, received_allowed
from schemas.places.datum import to_wgs84

__all__ = ["Row", "cells_of", "checked", "csv_rows", "geojson_rows", "misplaced", "to_csv"]

Row = tuple[str, Mapping[str, str] | ValueError]
"""Where a row stands, and its cells or why it has none."""

_PROPERTIES: Final = tuple(name for name in (*COLUMNS, *OPTIONAL) if name not in {"longitude", "latitude"})


def csv_rows(text: str, crs: str | None = None) -> Iterator[Row]:
    """The rows of a registry's CSV; `crs` is for locations that name none. SettingsError: it is none."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        names = list(reader.fieldnames or ())
        check_header(names)
        for row in reader:
            where = f"line {reader.line_num}"
            if None in row or None in row.values():
                yield where, ValueError(f"received another number of cells, allowed: {len(names)}")
            else:
                yield where, _with_crs({name: cell.strip() for name, cell in row.items()}, crs)
    except csv.Error as error:
        raise SettingsError(f"CSV: line {reader.line_num}: {error}") from error


def geojson_rows(data: bytes, crs: str | None = None) -> Iterator[Row]:
    """The Point features of a FeatureCollection, properties being columns; SettingsError when it is none."""
    try:
        collection = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SettingsError(f"GeoJSON: {error}") from error
    features = collection.get("features") if isinstance(collection, dict) else None
    if not isinstance(features, list) or collection.get("type") != "FeatureCollection":
        raise SettingsError(
            "GeoJSON: received something else, allowed: a FeatureCollection of Point features"
        )
    for number, feature in enumerate(features, start=1):
        try:
            yield f"feature {number}", _with_crs(_feature_cells(feature), crs)
        except ValueError as error:
            yield f"feature {number}", error


def checked(rows: Iterable[Row], places: Places) -> tuple[dict[str, Device], tuple[str, ...]]:
    """Devices by id and, for each row refused, where it stands, what came and what is allowed."""
    devices: dict[str, Device] = {}
    problems: list[str] = []
    for where, cells in rows:
        refused = str(cells) if isinstance(cells, ValueError) else _enrol(cells, places, devices)
        if refused:
            problems.append(f"{where}: {refused}")
    return devices, tuple(problems)


def misplaced(device: Device, places: Places) -> str:
    """Why the device stands in no grid; "" if it stands in one."""
    if device.grid:
        known = places.has_grid(device.grid)
        return "" if known else f"grid: received {device.grid!r}, allowed: a grid of the layer in force"
    at = device.location
    if at is None:
        return "received neither a grid nor a location, allowed: one of them"
    if not (abs(at.longitude) <= 180 and abs(at.latitude) <= 90):
        return f"location: received {at.longitude}, {at.latitude}, allowed: -180 to 180, -90 to 90"
    if places.locate(*to_wgs84(at.crs, at.longitude, at.latitude)) is None:
        return f"location: received {at.longitude}, {at.latitude} ({at.crs}), allowed: a point inside a grid"
    return ""


def cells_of(device: Device) -> dict[str, str]:
    """The device as a row of the registry, every column there."""
    at = device.location
    return {
        "device": device.device,
        "model": device.model,
        "kind": device.kind,
        "grid": device.grid,
        "longitude": repr(at.longitude) if at else "",
        "latitude": repr(at.latitude) if at else "",
        "crs": at.crs if at else "",
        "subject": device.subject,
        "capacity": "" if device.capacity is None else str(device.capacity),
        "simulated": "true" if device.simulated else "false",
        "interval_s": "" if device.interval_s is None else str(device.interval_s),
        "zone": device.zone,
        "vendor": device.vendor,
    }


def to_csv(devices: Iterable[Device]) -> str:
    """The registry's file; reading it gives the same devices."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, (*COLUMNS, *OPTIONAL), lineterminator="\n")
    writer.writeheader()
    writer.writerows(map(cells_of, devices))
    return text.getvalue()


def _enrol(cells: Mapping[str, str], places: Places, devices: dict[str, Device]) -> str:
    try:
        device = device_of(cells)
    except ValueError as error:
        return str(error)
    if device.device in devices:
        return f"device: received {device.device!r} again, allowed: each device once"
    refused = misplaced(device, places)
    if not refused:
        devices[device.device] = device
    return refused


def _with_crs(cells: dict[str, str], crs: str | None) -> dict[str, str]:
    if crs and not cells.get("crs") and (cells.get("longitude") or cells.get("latitude")):
        cells["crs"] = crs
    return cells


def _feature_cells(feature: Any) -> dict[str, str]:
    geometry = feature.get("geometry") if isinstance(feature, dict) else None
    is_point = isinstance(geometry, dict) and geometry.get("type") == "Point"
    point = geometry.get("coordinates") if geometry and is_point else None
    if not isinstance(point, list) or len(point) not in {2, 3}:
        raise ValueError("geometry: received something else, allowed: a Point")
    properties = feature.get("properties") or {}
    unknown = sorted(set(properties) - set(_PROPERTIES)) if isinstance(properties, dict) else ["no object"]
    if unknown:
        raise ValueError(received_allowed("properties", unknown, _PROPERTIES))
    cells = {name: _text(name, value) for name, value in properties.items()}
    return cells | {"longitude": _text("longitude", point[0]), "latitude": _text("latitude", point[1])}


def _text(name: str, value: Any) -> str:
    """A property as a cell of the CSV would say it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(value).strip()
    raise ValueError(f"{name}: received a {type(value).__name__}, allowed: text, a number, true or false")
