"""FIWARE parking, device and alert entities in every NGSI form: alone, listed or in a notification."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any, Final
from urllib.parse import unquote

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
from connectors.measured import signal_beside
from connectors.registry import zone_of
from schemas.errors import received_allowed
from schemas.kinds import METRICS
from schemas.places.datum import Datum
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "FiwareCodec"]

PERSONAL: Final = ("alertSource", "description", "owner", "ownedBy", "address", "reporter", "refUser")
_LOTS: Final = ("OffStreetParking", "OnStreetParking")
_SPOT: Final = "ParkingSpot"
_SPOT_STATES: Final = {"free": 0.0, "occupied": 1.0}
_STAMPS: Final = ("occupancyModified", "dateObserved", "dateModified")
_DEVICE, _ALERT = "Device", "Alert"
_DEVICE_STAMPS: Final = ("dateLastValueReported", "dateObserved", "dateModified")
_ALERT_STAMPS: Final = ("dateIssued", "validFrom", "dateObserved")
_ALERTS: Final = {
    "buildingFire": "security.fire.smoke",
    "fallenPatient": "care.emergency.fall",
    "assault": "security.intrusion.intrusion",
    "robbery": "security.intrusion.intrusion",
    "suspiciousAction": "security.intrusion.loitering",
}


class FiwareCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`zone` is for times without offset where the registry names none (neither: refused).

    `crs` is that of `location` (none: not used).

    `device_values`: name in a Device's `value` -> metric, such as `t = "care.environment.temperature"`;
    `alerts`: an Alert's `subCategory` -> metric, laid over the table of the README.
    """

    zone: str = ""
    crs: Datum | None = None
    device_values: dict[str, str] = {}
    alerts: dict[str, str] = {}

    def __post_init__(self) -> None:
        zone_named(self.zone)
        for key in (*self.device_values.values(), *self.alerts.values()):
            if key not in METRICS:
                raise ValueError(received_allowed("metric", key, METRICS))

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:
        """Occupied and capacity of car parks, states of spaces; good entities count, bad ones are named."""
        parsed = parse_json(message.payload)
        if isinstance(parsed, dict) and isinstance(parsed.get("data"), list):
            parsed = parsed["data"]
        if not isinstance(parsed, list):
            return _decoded(self._entity(parsed, registry), [])
        if len(parsed) > ITEMS_MAX:
            raise Unreadable(Reason.OVERSIZE, f"received {len(parsed)} entities, allowed: {ITEMS_MAX}")
        observations: list[Observation] = []
        rejected: list[Rejected] = []
        for index, entity in enumerate(parsed):
            read = reads(self._entity)(entity, registry)
            if isinstance(read, Rejected):
                rejected.append(Rejected(read.reason, f"[{index}] {read.detail}"))
            else:
                observations += read
        return _decoded(observations, rejected)

    def _entity(self, given: Any, registry: Devices) -> list[Observation]:
        entity = as_object(given, "entity")
        name, kind = as_text(field(entity, "id"), "id"), as_text(field(entity, "type"), "type")
        location, zone = self._location(entity), zone_of(registry.get(name), self.zone)
        if kind == _SPOT:
            status = _value(field(entity, "status"))
            if not isinstance(status, str) or status not in _SPOT_STATES:
                raise Unreadable(
                    Reason.UNSUPPORTED, received_allowed("status", str(status)[:80], _SPOT_STATES)
                )
            at_ms = _observed_at_ms(entity, "status", zone)
            return [
                Observation(name, "parking.space", "occupied", _SPOT_STATES[status], at_ms, location=location)
            ]
        if kind == _DEVICE:
            return self._device(name, entity, location, zone)
        if kind == _ALERT:
            return [self._alert(name, entity, location, zone)]
        if kind not in _LOTS:
            allowed = (*_LOTS, _SPOT, _DEVICE, _ALERT)
            raise Unreadable(Reason.UNSUPPORTED, received_allowed("type", kind, allowed))
        counted = "occupiedSpotNumber" if _is_set(entity, "occupiedSpotNumber") else "availableSpotNumber"
        at_ms = _observed_at_ms(entity, counted, zone)
        return [
            Observation(name, "parking.lot", metric, value, at_ms, location=location)
            for metric, value in _lot(entity).items()
        ]

    def _device(
        self, name: str, entity: dict[str, Any], location: Location | None, zone: tzinfo | None
    ) -> list[Observation]:
        """The values whose names the options know: `l%3D0.22%3Bt%3D21.2` is l=0.22;t=21.2."""
        text = unquote(as_text(_value(field(entity, "value")), "value"))
        said = dict(part.partition("=")[::2] for part in text.split(";"))
        at_ms = _observed_at_ms(entity, "value", zone, _DEVICE_STAMPS)
        known = [(self.device_values[key], v) for key, v in said.items() if v and key in self.device_values]
        if not known:
            names = ", ".join(sorted(said))[:80]
            raise Unreadable(
                Reason.UNSUPPORTED, received_allowed("name in value", names, self.device_values or ["none"])
            )
        return [
            Observation(name, *_split(key), _number(value, "value"), at_ms, location=location)
            for key, value in known
        ]

    def _alert(
        self, name: str, entity: dict[str, Any], location: Location | None, zone: tzinfo | None
    ) -> Observation:
        table = _ALERTS | self.alerts
        what = as_text(_value(field(entity, "subCategory")), "subCategory")
        if what not in table:
            raise Unreadable(Reason.UNSUPPORTED, received_allowed("subCategory", what[:80], sorted(table)))
        at_ms = _observed_at_ms(entity, "subCategory", zone, _ALERT_STAMPS)
        return Observation(name, *_split(table[what]), 1.0, at_ms, location=location)

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


def _decoded(observations: list[Observation], rejected: list[Rejected]) -> Decoded:
    """The readings, and beside each alarm its signal."""
    signals = tuple(signal for seen in observations if (signal := signal_beside(seen)))
    return Decoded(tuple(observations), signals, tuple(rejected))


def _observed_at_ms(
    entity: dict[str, Any], attribute: str, zone: tzinfo | None, stamps: tuple[str, ...] = _STAMPS
) -> int:
    """The attribute's own time; else of the entity's stamps the one nearest to what was counted."""
    said = entity.get(attribute)
    if isinstance(said, dict):
        metadata = said.get("metadata")
        stamp = metadata.get("timestamp") if isinstance(metadata, dict) else None
        own = said.get("observedAt") or _value(stamp)
        if own:
            return moment_ms(own, f"{attribute} timestamp", zone)
    for name in stamps:
        stamp = _value(entity.get(name))
        if stamp:  # brokers send "" for what was never set
            return moment_ms(stamp, name, zone)
    raise Unreadable(Reason.BAD_TIME, received_allowed("time", "none", stamps))


def _split(key: str) -> tuple[str, str]:
    """`care.environment.temperature` -> kind and metric."""
    kind, _, metric = key.rpartition(".")
    return kind, metric


def _number(text: str, what: str) -> float:
    try:
        return as_number(float(text), what)
    except ValueError:
        raise Unreadable(Reason.WRONG_TYPE, f"{what}: received text, allowed: a number") from None


def _value(attribute: Any) -> Any:
    """An attribute's value, normalized or not; NGSI-LD wraps a time once more as `@value`."""
    if isinstance(attribute, dict):
        for name in ("value", "@value"):
            if name in attribute:
                return _value(attribute[name])
    return attribute


def _is_set(entity: dict[str, Any], name: str) -> bool:
    """Whether the attribute says something; brokers send "" for what was never set."""
    return name in entity and _value(entity[name]) != ""


def _lot(entity: dict[str, Any]) -> dict[str, float]:
    def number(name: str) -> float:
        return as_number(_value(field(entity, name)), name)

    if _is_set(entity, "occupiedSpotNumber"):
        values = {"occupied": number("occupiedSpotNumber")}
        return values | (
            {"capacity": number("totalSpotNumber")} if _is_set(entity, "totalSpotNumber") else {}
        )
    capacity = number("totalSpotNumber")
    return {"occupied": capacity - number("availableSpotNumber"), "capacity": capacity}
