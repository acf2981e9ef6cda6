"""Zigbee2MQTT device states; property names as in zigbee-herdsman-converters."""

from __future__ import annotations

import json

from simulation.events import Event
from simulation.vendors.outgoing import Outgoing, iso_local

__all__ = ["encode"]


def encode(event: Event, number: int) -> Outgoing:
    """One state of one device."""
    state = _state(event) | {
        "battery": 80 + number % 20,
        "linkquality": 80 + number % 120,
        "last_seen": iso_local(event.time_ms),
    }
    return Outgoing("mqtt", "zigbee2mqtt", f"zigbee2mqtt/{event.device.name}", json.dumps(state).encode())


def _state(event: Event) -> dict[str, object]:
    if event.what == "motion":
        door = event.device.name.endswith("door")
        return {"contact": False} if door else {"occupancy": True}
    if event.what == "smoke":
        return {"smoke": bool(event.values["smoke"]), "battery_low": False}
    return dict(event.values)
