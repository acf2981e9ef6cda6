"""The places in force, from the settings: an imported layer, else the synthetic one."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

from schemas.errors import SettingsError
from schemas.places.geojson import layer_from_features, read_features
from schemas.places.layer import GridHistory, GridLayer
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer
from taishi.settings import Settings

__all__ = ["layers_folder", "load_history", "load_layer", "load_registry"]


def layers_folder(settings: Settings) -> Path:
    """Where imported layers are kept, one file a day they come into force."""
    return settings.home / "places"


def load_registry(settings: Settings, day: date | None = None) -> PlaceRegistry:
    """The places in force on a day (today by default)."""
    layer = load_history(settings).at(day or date.today())  # noqa: DTZ011 - the district's own calendar day
    return PlaceRegistry(known_places(settings.district), layer)


def load_history(settings: Settings) -> GridHistory:
    """Every layer there is: the file the settings name, else the imported ones, else the synthetic one."""
    if settings.places_file is not None:
        return GridHistory((load_layer(settings.places_file, settings.district),))
    files = sorted(layers_folder(settings).glob(f"{settings.district}-*.geojson"))
    if files:
        return GridHistory(tuple(load_layer(path, settings.district) for path in files))
    return GridHistory((synthetic_layer(settings.district),))


def load_layer(
    path: Path, district: str, *, crs: str | None = None, valid_from: date | None = None
) -> GridLayer:
    """A checked layer from a file; SettingsError says what is wrong with which feature."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"grid layer {str(path)!r}: {error.strerror}") from error
    features, members = read_features(data, crs)
    day = valid_from or _day(members)
    return layer_from_features(
        features, known_places(district), district, day, synthetic=bool(members.get("synthetic", False))
    )


def _day(members: dict[str, Any]) -> date:
    text = members.get("valid_from")
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise SettingsError(
            f'valid_from: received {text!r}; add "valid_from": "YYYY-MM-DD" to the file or pass --valid-from'
        )
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(f"valid_from: received {text!r}, allowed: a day as YYYY-MM-DD") from error
