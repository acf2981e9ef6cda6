"""HL7 FHIR R4 Observations of wearables: LOINC codes, UCUM units."""

from __future__ import annotations

import json
from typing import Final

from simulation.events import Event
from simulation.vendors.outgoing import Outgoing, iso_local

__all__ = ["encode"]

_CODES: Final = {
    "heart_rate": ("8867-4", "Heart rate", "/min"),
    "spo2": ("59408-5", "Oxygen saturation in Arterial blood by Pulse oximetry", "%"),
    "body_temperature": ("8310-5", "Body temperature", "Cel"),
}


def encode(event: Event, number: int) -> Outgoing:
    """One vital sign."""
    code, display, unit = _CODES[event.what]
    quantity = {"value": event.values["value"], "system": "http://unitsofmeasure.org", "code": unit}
    observation = {
        "resourceType": "Observation",
        "id": f"sim-{number}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}]},
        "device": {"reference": event.device.name},
        "effectiveDateTime": iso_local(event.time_ms),
        "valueQuantity": quantity,
    }
    return Outgoing("http", "fhir", "/fhir", json.dumps(observation).encode(), "application/fhir+json")
