"""Grid layers as GeoJSON: read with everything checked, written so that it can be read back.

The file says which datum it is in, by a member `crs` of the collection: "WGS-84", "GCJ-02" or
"BD-09". There is no default: the wrong one moves every grid by more than its own width.
Features carry `code`, `name` and `kind` (base or dedicated).
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import mapping, shape

from schemas.errors import SettingsError
from schemas.places.check import Feature, check_features
from schemas.places.datum import Datum, checked_datum, geometry_to_wgs84
from schemas.places.layer import Grid, GridLayer
from schemas.places.model import Place

__all__ = ["layer_from_features", "layer_to_geojson", "read_features"]


def read_features(data: bytes, crs: str | None = None) -> tuple[list[Feature], dict[str, Any]]:
    """The features in WGS-84 and the collection's other members; `crs` is for a file that says none.

    SettingsError if it is no feature collection, or if nobody says in which datum it is.
    """
    try:
        collection = json.loads(data)
    except ValueError as error:
        raise SettingsError(f"GeoJSON: not JSON in UTF-8: {error}") from error
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        kind = collection.get("type") if isinstance(collection, dict) else type(collection).__name__
        raise SettingsError(f"GeoJSON: received {kind!r}, allowed: a FeatureCollection")
    datum = _datum(collection.get("crs"), crs)
    features = collection.get("features")
    if not isinstance(features, list) or not features:
        raise SettingsError("GeoJSON: received no features, allowed: at least one grid")
    members = {name: value for name, value in collection.items() if name != "features"}
    return [_feature(number, item, datum) for number, item in enumerate(features, 1)], members


def _datum(declared: object, given: str | None) -> Datum:
    if declared is None and given is None:
        raise SettingsError(
            'GeoJSON: no datum is declared; add the member "crs": "WGS-84", "GCJ-02" or "BD-09" beside '
            '"type", or pass --crs. There is no default: the wrong one moves every grid by half a kilometre'
        )
    if declared is not None and given is not None and declared != given:
        raise SettingsError(f"crs: the file says {declared!r}, --crs says {given!r}; which is it?")
    return checked_datum(declared if declared is not None else given)


def _feature(number: int, item: object, datum: Datum) -> Feature:
    members = item if isinstance(item, dict) else {}
    properties = members.get("properties") or {}
    geometry = members.get("geometry")
    return Feature(
        number,
        properties.get("code"),
        properties.get("name"),
        properties.get("kind"),
        _shape(geometry, datum),
    )


def _shape(geometry: object, datum: Datum) -> shapely.Geometry | None:
    try:
        return geometry_to_wgs84(datum, shape(geometry))
    except (ShapelyError, ValueError, TypeError, AttributeError, KeyError, IndexError):
        return None  # the check names the feature that has no shape


def layer_from_features(
    features: list[Feature], places: tuple[Place, ...], district: str, valid_from: date, *, synthetic: bool
) -> GridLayer:
    """The layer; SettingsError lists every problem with its feature."""
    problems = check_features(features, places, district)
    if problems:
        told = "\n".join(f"  {problem.feature}: {problem.what}" for problem in problems)
        raise SettingsError(f"the grid layer has {len(problems)} problems:\n{told}")
    grids = [Grid(str(f.code), str(f.name), f.kind, f.shape) for f in features]  # type: ignore[arg-type] # checked above
    return GridLayer(tuple(sorted(grids, key=lambda grid: grid.code)), valid_from, synthetic)


def layer_to_geojson(layer: GridLayer) -> bytes:
    """The layer as GeoJSON in WGS-84, UTF-8."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": grid.code, "name": grid.name, "kind": grid.kind},
            "geometry": mapping(grid.polygon),
        }
        for grid in layer.grids
    ]
    head = {
        "type": "FeatureCollection",
        "crs": "WGS-84",
        "valid_from": layer.valid_from.isoformat(),
        "synthetic": layer.synthetic,
    }
    return json.dumps(head | {"features": features}, ensure_ascii=False).encode()
