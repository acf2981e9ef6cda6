"""FHIR R4 Observation resources, alone or in a Bundle. A patient's reference never leaves the connector."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from connectors.base import ITEMS_MAX, Decoded, Devices, Message, Observation, Rejected
from connectors.fields import (
    Unreadable,
    as_list,
    as_number,
    as_object,
    as_text,
    field,
    moment_ms,
    parse_json,
    reads,
    zone_named,
)
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "FhirCodec"]

PERSONAL: Final = (
    "reference",
    "display",
    "identifier",
    "name",
    "family",
    "given",
    "telecom",
    "address",
    "birthDate",
    "text",
    "note",
)
_PER_MINUTE: Final = ("/min", "{beats}/min", "{breaths}/min")
_VITALS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "8867-4": ("heart_rate", _PER_MINUTE),
    "59408-5": ("spo2", ("%",)),
    "2708-6": ("spo2", ("%",)),
    "9279-1": ("respiratory_rate", _PER_MINUTE),
    "8310-5": ("body_temperature", ("Cel",)),
    "8480-6": ("systolic", ("mm[Hg]",)),
    "8462-4": ("diastolic", ("mm[Hg]",)),
    "29463-7": ("body_weight", ("kg",)),
}
"""LOINC code -> (metric of care.vitals, UCUM codes allowed)."""

_PANEL: Final = "85354-9"
_STATUSES: Final = ("final", "amended", "corrected", "preliminary")


class FhirCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`zone` is for a bare date or a time without offset (none: refused)."""

    zone: str = ""

    def __post_init__(self) -> None:
        zone_named(self.zone)

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:
        """Vital signs of every Observation; of a Bundle the good ones count, the bad ones are named."""
        resource = as_object(parse_json(message.payload), "resource")
        if resource.get("resourceType") != "Bundle":
            return Decoded(tuple(self._observation(resource, registry)))
        entries = as_list(field(resource, "entry"), "entry")
        if len(entries) > ITEMS_MAX:
            raise Unreadable(Reason.OVERSIZE, f"received {len(entries)} entries, allowed: {ITEMS_MAX}")
        observations: list[Observation] = []
        rejected: list[Rejected] = []
        for index, entry in enumerate(entries):
            read = reads(self._entry)(entry, registry)
            if isinstance(read, Rejected):
                rejected.append(Rejected(read.reason, f"entry[{index}] {read.detail}"))
            else:
                observations += read
        return Decoded(tuple(observations), rejected=tuple(rejected))

    def _entry(self, entry: Any, registry: Devices) -> list[Observation]:
        return self._observation(
            as_object(field(as_object(entry, "entry"), "resource"), "resource"), registry
        )

    def _observation(self, resource: dict[str, Any], registry: Devices) -> list[Observation]:
        kind = field(resource, "resourceType")
        if kind != "Observation":
            raise Unreadable(Reason.UNSUPPORTED, _of("resourceType", kind, ("Observation", "Bundle")))
        if field(resource, "status") not in _STATUSES:
            raise Unreadable(Reason.UNSUPPORTED, _of("status", resource["status"], _STATUSES))
        device, personal = _device(resource, registry)
        at_ms = self._observed_at_ms(resource)
        return [
            Observation(device, "care.vitals", metric, value, at_ms, personal=personal)
            for metric, value in _values(resource)
        ]

    def _observed_at_ms(self, resource: dict[str, Any]) -> int:
        name = "effectiveInstant" if "effectiveInstant" in resource else "effectiveDateTime"
        return moment_ms(field(resource, name), name, zone_named(self.zone))


CODEC: Final = FhirCodec


def _of(what: str, received: object, allowed: tuple[str, ...]) -> str:
    return received_allowed(what, str(received)[:80], allowed)


def _device(resource: dict[str, Any], registry: Devices) -> tuple[str, bool]:
    """The registry's key, and whether it is a person's: the device if it is registered, else the subject."""
    if resource.get("device") is not None:
        reference = as_text(field(resource, "device", "reference"), "device.reference")
        if registry.get(reference) is not None or resource.get("subject") is None:
            return reference, False
    return as_text(field(resource, "subject", "reference"), "subject.reference"), True


def _values(resource: dict[str, Any]) -> list[tuple[str, float]]:
    code = _loinc(resource, (*_VITALS, _PANEL))
    if code != _PANEL:
        return [_value(resource, code)]
    components = [as_object(c, "component") for c in as_list(field(resource, "component"), "component")]
    return [_value(component, _loinc(component, ("8480-6", "8462-4"))) for component in components]


def _value(holder: dict[str, Any], code: str) -> tuple[str, float]:
    metric, units = _VITALS[code]
    unit = field(holder, "valueQuantity", "code")
    if unit not in units:
        raise Unreadable(Reason.WRONG_TYPE, _of(f"unit of {code}", unit, units))
    return metric, as_number(field(holder, "valueQuantity", "value"), "valueQuantity.value")


def _loinc(holder: dict[str, Any], allowed: tuple[str, ...]) -> str:
    """The first LOINC code that is known; a concept often carries codes of other systems beside it."""
    codings = [as_object(c, "coding") for c in as_list(field(holder, "code", "coding"), "code.coding")]
    codes = [c.get("code") for c in codings if c.get("system") == "http://loinc.org"]
    for code in codes:
        if isinstance(code, str) and code in allowed:
            return code
    raise Unreadable(Reason.UNSUPPORTED, _of("LOINC code", codes[:3], allowed))
