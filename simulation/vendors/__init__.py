"""Encoders: an event as the bytes its vendor's device or platform would send. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from simulation.events import Event
from simulation.vendors import chirpstack, fhir, fiware, governance, hikvision, zigbee2mqtt
from simulation.vendors.outgoing import Outgoing

__all__ = ["encode"]

_ENCODERS: Final[dict[str, Callable[[Event, int], Outgoing]]] = {
    "bosch.tps110": chirpstack.encode,
    "milesight.vs373": chirpstack.encode,
    "milesight.ws101": chirpstack.encode,
    "zigbee2mqtt": zigbee2mqtt.encode,
    "hikvision": hikvision.encode,
    "fhir": fhir.encode,
    "fiware": fiware.encode,
    "governance": governance.encode,
}


def encode(event: Event, number: int) -> Outgoing:
    """The event in its device's format; `number` counts messages (frame counters, serial numbers)."""
    return _ENCODERS[event.device.model](event, number)
