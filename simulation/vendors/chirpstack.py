"""ChirpStack v4 uplinks; the bytes inside are those of the device model.

Structure: ChirpStack's documentation (integration events). Bosch TPS110: the vendor's published
vectors. Milesight VS373 and WS101: the vendor's published TLV tables.
"""

from __future__ import annotations

import base64
import json

from simulation.events import Event
from simulation.vendors.outgoing import Outgoing, iso_local

__all__ = ["encode"]

_APPLICATION = "17c82e96-be03-4f38-aef3-f83d48582d97"
_NOT_SAID = (0,) * 5  # target, seconds the room was used
_IN_BED, _OUT_OF_BED, _FALLEN = 2, 3, 4


def encode(event: Event, number: int) -> Outgoing:
    """One uplink."""
    port, data = _FRAMES[event.device.model](event)
    eui = event.device.name
    uplink = {
        "deduplicationId": f"{number:08x}-5a5a-4000-8000-{eui[-12:]}",
        "time": iso_local(event.time_ms),
        "deviceInfo": {"applicationId": _APPLICATION, "applicationName": "sim", "devEui": eui},
        "fCnt": number % 65_536,
        "fPort": port,
        "data": base64.b64encode(data).decode(),
    }
    topic = f"application/{_APPLICATION}/device/{eui}/event/up"
    return Outgoing("mqtt", "chirpstack", topic, json.dumps(uplink).encode())


def _parking(event: Event) -> tuple[int, bytes]:
    occupied = int(event.values["occupied"])
    if event.what == "startup":
        return 3, bytes(12) + bytes((0, 29, 2, 3, occupied))
    if event.what == "heartbeat":
        return 2, bytes((occupied, int(event.values["temperature_c"]) & 0xFF))
    return 1, bytes((occupied,))


def _bed(event: Event) -> tuple[int, bytes]:
    if event.what == "fall":
        return 85, bytes((0x03, 0xF8, _FALLEN, *_NOT_SAID, 0x06, 0xFB, 1, 0, 0, 1, 0xFF))
    return 85, bytes((0x03, 0xF8, _IN_BED if event.values["in_bed"] else _OUT_OF_BED, *_NOT_SAID))


def _button(_event: Event) -> tuple[int, bytes]:
    return 85, bytes((0xFF, 0x2E, 1))


_FRAMES = {"bosch.tps110": _parking, "milesight.vs373": _bed, "milesight.ws101": _button}
