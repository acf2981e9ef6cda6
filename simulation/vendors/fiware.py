"""FIWARE OffStreetParking in keyValues form (smart data models)."""

from __future__ import annotations

import json

from simulation.events import Event
from simulation.vendors.outgoing import Outgoing, iso_local

__all__ = ["encode"]


def encode(event: Event, number: int) -> Outgoing:  # noqa: ARG001 - entities have no counter
    """One car park's totals."""
    capacity, occupied = int(event.values["capacity"]), int(event.values["occupied"])
    entity = {
        "id": event.device.name,
        "type": "OffStreetParking",
        "name": "模拟停车场",
        "totalSpotNumber": capacity,
        "availableSpotNumber": capacity - occupied,
        "occupiedSpotNumber": occupied,
        "occupancyModified": iso_local(event.time_ms),
    }
    return Outgoing("http", "fiware", "/fiware", json.dumps(entity, ensure_ascii=False).encode())
