"""Extra load on request: so many readings a second of spaces that do not exist, in our own JSON.

Half of them singly over MQTT, half in lists of 50 over HTTP. They are registered like all others.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from simulation.city import Device
from simulation.vendors.outgoing import Outgoing

__all__ = ["load_devices", "load_messages"]

_LIST = 50


def load_devices(grids: Sequence[str], rate: float) -> list[Device]:
    """As many devices as there are readings a second, so each says one a second."""
    return [
        Device(f"sim-load-{n:06d}", "native", "parking.space", grids[n % len(grids)])
        for n in range(round(rate))
    ]


def load_messages(devices: Sequence[Device], number: int, now_ms: int) -> Iterator[Outgoing]:
    """One reading of each device; `number` alternates its state."""
    half = len(devices) // 2
    for at, device in enumerate(devices[:half]):
        body = json.dumps(_reading(device, number + at, now_ms)).encode()
        yield Outgoing("mqtt", "native", f"taishi/readings/{device.name}", body)
    for start in range(half, len(devices), _LIST):
        rows = [_reading(d, number + at, now_ms) for at, d in enumerate(devices[start : start + _LIST])]
        yield Outgoing("http", "native", "/readings", json.dumps(rows).encode())


def _reading(device: Device, number: int, now_ms: int) -> dict[str, object]:
    return {
        "device": device.name,
        "kind": device.kind,
        "metric": "occupied",
        "value": number % 2,
        "observed_at_ms": now_ms,
    }
