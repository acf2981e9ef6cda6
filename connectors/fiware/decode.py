"""FIWARE parking entities: keyValues, NGSI-v2 normalized or NGSI-LD, alone, listed or in a notification."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from connectors.base import ITEMS_MAX, Decoded, Devices, Location, Message, Observation, Rejected
from connectors.fields import (
    Unreadable,
    as_list,
    as_number,
    as_object,
    as_text,
    field,
    location_of,
    moment_ms,
    parse_json,
    reads,
    zone_named,
)
from schemas.errors import received_allowed
from schemas.places.datum import Datum
from schemas.quarantine import Reason

__all__ = ["CODEC", "FiwareCodec"]

_LOTS: Final = ("OffStreetParking", "OnStreetParking")
_SPOT: Final = "ParkingSpot"
_SPOT_STATES: Final = {"free": 0.0, "occupied": 1.0}
_STAMPS: Final = ("occupancyModified", "dateObserved", "dateModified")


class FiwareCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`zone` is for times without offset (none: refused); `crs` that of `location` (none: not used)."""

    zone: str = ""
    crs: Datum | None = None

    def __post_init__(self) -> None:
        zone_named(self.zone)

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:  # noqa: ARG002 - a codec's signature
        """Occupied and capacity of car parks, states of spaces; good entities count, bad ones are named."""
        parsed = parse_json(message.payload)
        if isinstance(parsed, dict) and isinstance(parsed.get("data"), list):
            parsed = parsed["data"]
        if not isinstance(parsed, list):
            return Decoded(tuple(self._entity(parsed)))
        if len(parsed) > ITEMS_MAX:
            raise Unreadable(Reason.OVERSIZE, f"received {len(parsed)} entities, allowed: {ITEMS_MAX}")
        observations: list[Observation] = []
        rejected: list[Rejected] = []
        for index, entity in enumerate(parsed):
            read = reads(self._entity)(entity)
            if isinstance(read, Rejected):
                rejected.append(Rejected(read.reason, f"[{index}] {read.detail}"))
            else:
                observations += read
        return Decoded(tuple(observations), rejected=tuple(rejected))

    def _entity(self, given: Any) -> list[Observation]:
        entity = as_object(given, "entity")
        name, kind = as_text(field(entity, "id"), "id"), as_text(field(entity, "type"), "type")
        location = self._location(entity)
        if kind == _SPOT:
            status = _value(field(entity, "status"))
            if not isinstance(status, str) or status not in _SPOT_STATES:
                raise Unreadable(
                    Reason.UNSUPPORTED, received_allowed("status", str(status)[:80], _SPOT_STATES)
                )
            at_ms = self._observed_at_ms(entity, "status")
            return [
                Observation(name, "parking.space", "occupied", _SPOT_STATES[status], at_ms, location=location)
            ]
        if kind not in _LOTS:
            raise Unreadable(Reason.UNSUPPORTED, received_allowed("type", kind, (*_LOTS, _SPOT)))
        counted = "occupiedSpotNumber" if "occupiedSpotNumber" in entity else "availableSpotNumber"
        at_ms = self._observed_at_ms(entity, counted)
        return [
            Observation(name, "parking.lot", metric, value, at_ms, location=location)
            for metric, value in _lot(entity).items()
        ]

    def _observed_at_ms(self, entity: dict[str, Any], attribute: str) -> int:
        """The attribute's own time; else of the entity's stamps the one nearest to what was counted."""
        said = entity.get(attribute)
        if isinstance(said, dict):
            metadata = said.get("metadata")
            stamp = metadata.get("timestamp") if isinstance(metadata, dict) else None
            own = said.get("observedAt") or _value(stamp)
            if own:
                return moment_ms(own, f"{attribute} timestamp", zone_named(self.zone))
        for name in _STAMPS:
            if entity.get(name):
                return moment_ms(_value(entity[name]), name, zone_named(self.zone))
        raise Unreadable(Reason.BAD_TIME, received_allowed("time", "none", _STAMPS))

    def _location(self, entity: dict[str, Any]) -> Location | None:
        point = _value(entity.get("location"))
        if self.crs is None or not isinstance(point, dict) or point.get("type") != "Point":
            return None
        coordinates = as_list(field(point, "coordinates"), "location.coordinates")
        if len(coordinates) < 2:
            raise Unreadable(
                Reason.WRONG_TYPE, "location.coordinates: received fewer than 2, allowed: 2 or 3"
            )
        return location_of(coordinates[0], coordinates[1], self.crs)


CODEC: Final = FiwareCodec


def _value(attribute: Any) -> Any:
    """An attribute's value, normalized or not; NGSI-LD wraps a time once more as `@value`."""
    if isinstance(attribute, dict):
        for name in ("value", "@value"):
            if name in attribute:
                return _value(attribute[name])
    return attribute


def _lot(entity: dict[str, Any]) -> dict[str, float]:
    def number(name: str) -> float:
        return as_number(_value(field(entity, name)), name)

    if "occupiedSpotNumber" in entity:
        values = {"occupied": number("occupiedSpotNumber")}
        return values | ({"capacity": number("totalSpotNumber")} if "totalSpotNumber" in entity else {})
    capacity = number("totalSpotNumber")
    return {"occupied": capacity - number("availableSpotNumber"), "capacity": capacity}
