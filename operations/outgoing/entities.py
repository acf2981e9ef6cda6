"""Windows and parking readings as NGSI-LD entities (ETSI GS CIM 009), in normalized form. Pure.

Parking takes the Smart Data Models' types `OffStreetParking` (a place's spaces together, street and lots
alike) and `ParkingSpot`; the other domains have none that fits, so theirs are our own. Attributes carry the
names of our measures but where the model has its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from operations.outgoing.geography import Geography
from operations.outgoing.masking import BASES, concealed_counts
from operations.outgoing.rows import PlaceRow, SpotRow
from schemas.kinds import Domain
from schemas.measures import MEASURES

__all__ = ["CONTEXT", "CORE_CONTEXT", "SPOT", "TYPES", "Entity", "entities", "spots", "timestamp"]

Entity = dict[str, Any]

SPOT: Final = "ParkingSpot"
TYPES: Final[dict[Domain, str]] = {
    "parking": "OffStreetParking",
    "security": "SecuritySituation",
    "care": "CareSituation",
    "governance": "GovernanceSituation",
}
"""Domain -> type of the entity of a place."""

CORE_CONTEXT: Final = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
_PARKING: Final = "https://smartdatamodels.org/dataModel.Parking/"
_MODELLED: Final = ("availableSpotNumber", "occupancy", "occupiedSpotNumber", "totalSpotNumber")
_OWN: Final = (
    *("complete", "level", "masked", "maskedAttributes", "placeCode", "simulated"),
    *("unknownSpotNumber", "windowSeconds", "within"),
)
CONTEXT: Final[dict[str, Any]] = {
    "@context": {
        **{name: f"{_PARKING}{name}" for name in (TYPES["parking"], SPOT, *_MODELLED)},
        "name": "https://smartdatamodels.org/name",
        "status": "https://uri.etsi.org/ngsi-ld/status",
        **{name: f"urn:taishi:{name}" for name in (*TYPES.values(), *_OWN) if name != TYPES["parking"]},
        **{m.name: f"urn:taishi:{m.name}" for domain in MEASURES.values() for m in domain},
    }
}
"""The JSON-LD context of what is given here, besides the core one."""


def entities(rows: Iterable[PlaceRow], geography: Geography) -> list[Entity]:
    """One entity a place and domain; a place without parking spaces has none of parking."""
    by_domain: dict[Domain, list[PlaceRow]] = {}
    for row in rows:
        by_domain.setdefault(row.domain, []).append(row)
    made = [_parking(row, geography) for row in by_domain.get("parking", ()) if row.values.get("spaces")]
    made += [_security(row, geography) for row in by_domain.get("security", ())]
    for domain in BASES:
        made += _of_people(by_domain.get(domain, ()), domain, geography)
    return sorted(made, key=lambda entity: str(entity["id"]))


def spots(rows: Iterable[SpotRow]) -> list[Entity]:
    """One `ParkingSpot` a sensor that was heard."""
    return sorted(map(_spot, rows), key=lambda entity: str(entity["id"]))


def timestamp(at_ms: int) -> str:
    """ISO 8601 in UTC with milliseconds and `Z`, as NGSI-LD wants its times."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"


def _identity(kind: str, what: str) -> str:
    return f"urn:ngsi-ld:{kind}:taishi:{quote(what, safe='-._~')}"


def _property(value: object, observed_at_ms: int | None = None) -> dict[str, Any]:
    made = {"type": "Property", "value": value}
    return made if observed_at_ms is None else made | {"observedAt": timestamp(observed_at_ms)}


def _place(row: PlaceRow, geography: Geography) -> Entity:
    """What every entity of a place has."""
    kind, place = TYPES[row.domain], geography.place(row.place)
    made: Entity = {
        "id": _identity(kind, row.place),
        "type": kind,
        "placeCode": _property(row.place),
        "level": _property(row.level),
        "windowSeconds": _property(row.window_s),
        "complete": _property(row.values.get("complete", 1) > 0, row.end_ms),
        "simulated": _property(row.simulated, row.end_ms),
    }
    if place is not None:
        made["name"] = _property(place.name)
    parent, outline = geography.parent(row.place), geography.geojson(row.place)
    if parent is not None:
        made["within"] = {"type": "Relationship", "object": _identity(kind, parent)}
    if outline is not None:
        made["location"] = {"type": "GeoProperty", "value": outline}
    return made


def _parking(row: PlaceRow, geography: Geography) -> Entity:
    values = row.values
    total, occupied, unknown = (round(values.get(name, 0)) for name in ("spaces", "occupied", "unknown"))
    figures: dict[str, float] = {
        "totalSpotNumber": total,
        "occupiedSpotNumber": occupied,
        "availableSpotNumber": max(0, total - occupied - unknown),
        "unknownSpotNumber": unknown,
        "turnover": round(values.get("turnover", 0)),
    }
    if "occupancy" in values:
        figures["occupancy"] = round(values["occupancy"], 4)
    return _place(row, geography) | _observed(figures, row)


def _security(row: PlaceRow, geography: Geography) -> Entity:
    names = [measure.name for measure in MEASURES["security"] if measure.name != "readings_simulated"]
    figures = {name: _number(row.values[name]) for name in names if name in row.values}
    return _place(row, geography) | _observed(figures, row)


def _of_people(rows: Sequence[PlaceRow], domain: Domain, geography: Geography) -> list[Entity]:
    """Counts of people, those of too few left out; all of one window, so that they add up.

    It is the newest that the highest place has: the grids have the next one some seconds before.
    """
    highest = min((len(row.place) for row in rows), default=0)
    whole_ms = max((row.start_ms for row in rows if len(row.place) == highest), default=0)
    now = [row for row in rows if row.start_ms == whole_ms]
    parents = {row.place: geography.parent(row.place) for row in now}
    counts = {name: {row.place: row.values.get(name, 0) for row in now} for name in BASES[domain]}
    concealed = concealed_counts(domain, counts, parents)
    made = []
    for row in now:
        given = {n: _number(row.values[n]) for n in BASES[domain] if row.place not in concealed[n]}
        left_out = [name for name in BASES[domain] if row.place in concealed[name]]
        entity = _place(row, geography) | _observed(given, row)
        entity["masked"] = _property(bool(left_out), row.end_ms)
        if left_out:
            entity["maskedAttributes"] = _property(left_out, row.end_ms)
        made.append(entity)
    return made


def _observed(figures: Mapping[str, float], row: PlaceRow) -> Entity:
    return {name: _property(value, row.end_ms) for name, value in figures.items()}


def _number(value: float) -> float:
    return round(value) if float(value).is_integer() else value


def _spot(row: SpotRow) -> Entity:
    made: Entity = {
        "id": _identity(SPOT, row.device),
        "type": SPOT,
        "name": _property(row.device),
        "status": _property("occupied" if row.occupied else "free", row.observed_at_ms),
        "placeCode": _property(row.grid),
        "level": _property("device"),
        "simulated": _property(row.simulated, row.observed_at_ms),
        "within": {"type": "Relationship", "object": _identity(TYPES["parking"], row.grid)},
    }
    if row.point is not None:
        made["location"] = {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [*row.point]}}
    return made
