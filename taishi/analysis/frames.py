"""Arrow tables and registries as pandas frames: categories, counts that may be missing, local times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import pandas as pd
import pyarrow as pa

from connectors.base import Device
from operations.outgoing.geography import Geography
from operations.outgoing.masking import BASES
from schemas.alerts import SEVERITIES
from schemas.calendar import ZONE
from schemas.kinds import KINDS
from schemas.places.datum import to_wgs84
from schemas.places.model import DEFAULT_SCHEME, LEVELS
from schemas.places.registry import PlaceRegistry
from schemas.store import window_name
from taishi.analysis.question import Question

__all__ = ["alerts", "devices", "places", "sources", "windows"]


def windows(question: Question, tables: Sequence[pa.Table]) -> pd.DataFrame:
    """The rows of tables (`taishi.analysis.table`) by window and place; what is common to all in `attrs`."""
    rows = pa.concat_tables(tables).drop_columns(["window", "level"])
    frame: pd.DataFrame = rows.to_pandas(
        types_mapper={pa.int64(): pd.Int64Dtype()}.get, categories=["place", "name"], date_as_object=False
    ).set_index("start")
    frame.attrs = {
        "units": {figure.name: figure.unit for figure in question.figures},
        "descriptions": {figure.name: figure.description for figure in question.figures},
        "domain": question.domain,
        "level": question.level,
        "window": window_name(question.window_s),
        "time_zone": str(ZONE),
        "masked": question.masked,
    }
    return frame


def alerts(
    found: pa.Table, acknowledged_ms: Mapping[str, int], places: PlaceRegistry, *, personal: bool
) -> pd.DataFrame:
    """Alerts by onset. Without `personal`, those of people stand for a community and name no device."""
    frame: pd.DataFrame = found.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    of_people = frame["domain"].isin(list(BASES))
    if not personal:
        community = frame["place"].str[: DEFAULT_SCHEME.length("community")]
        frame["place"] = frame["place"].where(~of_people, community)
        single = of_people & frame["level"].isin(["device", "grid"])
        frame["level"] = frame["level"].where(~single, "community")
        frame.loc[of_people, ["device", "explanation"]] = None
    names = {code: place.name for code in frame["place"].unique() if (place := places.place(code))}
    frame["name"] = frame["place"].map(names)
    frame["cleared"] = _moments(frame.pop("cleared_ms").replace(0, pd.NA))
    frame["acknowledged"] = _moments(frame["id"].map(acknowledged_ms).astype("Int64"))
    frame["severity"] = pd.Categorical(frame["severity"], SEVERITIES, ordered=True)
    frame = frame.astype({"active": bool, "simulated": bool})
    onset = _moments(frame.pop("time")).rename("onset")
    ordered = [
        *("id", "rule", "severity", "domain", "level", "place", "name", "device", "title", "explanation"),
        *("active", "cleared", "acknowledged", "count", "children", "simulated"),
    ]
    return _categories(frame[ordered], ("rule", "domain", "level", "place", "name")).set_index(onset)


def sources(found: pa.Table) -> pd.DataFrame:
    """The scorecard by time; fields that are not there are NaN."""
    frame = found.to_pandas()
    at = _moments(frame.pop("time")).rename("at")
    numbers = frame.columns.difference(["source", "vendor"])
    frame = frame.astype(dict.fromkeys(numbers, "float64"))  # by chance all of a field may look whole
    return _categories(frame, ("source", "vendor")).set_index(at)


def places(registry: PlaceRegistry) -> pd.DataFrame:
    """Every place by code, from the district down."""
    geography = Geography(registry)
    rows = [
        {
            "place": place.code,
            "name": place.name,
            "level": level,
            "kind": place.kind,
            "parent": registry.scheme.parent(place.code),
            **_centre(geography, place.code),
        }
        for level in LEVELS
        for place in registry.at(level)
    ]
    frame = pd.DataFrame(rows).set_index("place")
    frame["level"] = pd.Categorical(frame["level"], LEVELS, ordered=True)
    frame.attrs = {
        "units": {"longitude": "deg", "latitude": "deg"},
        "datum": "WGS-84",
        "boundary_valid_from": registry.layer.valid_from.isoformat(),
        "synthetic": registry.synthetic,
    }
    return _categories(frame, ("kind", "parent"))


def devices(registry: Iterable[Device], places: PlaceRegistry) -> pd.DataFrame:
    """Every device by id."""
    frame = pd.DataFrame([_device(device, places) for device in registry], columns=list(_DEVICE))
    frame = frame.astype(_DEVICE).sort_values("device").set_index("device")
    frame.attrs = {"units": {"longitude": "deg", "latitude": "deg", "interval_s": "s"}, "datum": "WGS-84"}
    return frame


_DEVICE: Final = {
    "device": "str",
    **dict.fromkeys(("kind", "domain", "vendor", "model", "grid", "community", "street"), "category"),
    **dict.fromkeys(("longitude", "latitude"), "float64"),
    **dict.fromkeys(("capacity", "interval_s"), "Int64"),
    "simulated": "bool",
}


def _device(device: Device, places: PlaceRegistry) -> dict[str, Any]:
    domain = KINDS[device.kind].domain
    point = device.location and to_wgs84(
        device.location.crs, device.location.longitude, device.location.latitude
    )
    grid = device.grid or (places.locate(*point) if point else None) or ""
    longitude, latitude = point if point and domain not in BASES else (None, None)
    return {
        "device": device.device,
        "kind": device.kind,
        "domain": domain,
        "vendor": device.vendor,
        "model": device.model,
        "grid": grid,
        "community": DEFAULT_SCHEME.ancestor(grid, "community"),
        "street": DEFAULT_SCHEME.ancestor(grid, "street"),
        "longitude": longitude,
        "latitude": latitude,
        "capacity": device.capacity,
        "interval_s": device.interval_s,
        "simulated": device.simulated,
    }


def _centre(geography: Geography, code: str) -> dict[str, float | None]:
    outline = geography.outline(code)
    centre = outline.representative_point() if outline is not None else None
    return {"longitude": centre and centre.x, "latitude": centre and centre.y}


def _moments(at_ms: pd.Series) -> pd.Series:
    return pd.to_datetime(at_ms, unit="ms", utc=True).dt.tz_convert(ZONE)


def _categories(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return frame.astype(dict.fromkeys(names, "category"))
