"""An event of grid work or party building, as a governance platform's gateway sends it (our own JSON)."""

from __future__ import annotations

import json
from typing import Final

from simulation.events import Event
from simulation.vendors.outgoing import Outgoing, iso_local

__all__ = ["encode"]

_CATEGORIES: Final = ("环境卫生", "消防隐患", "占道经营", "设施损坏")


def encode(event: Event, number: int) -> Outgoing:
    """What one person did; a report has a category and a text, which nobody reads."""
    said = {"event": event.what, "who": event.device.name, "at": iso_local(event.time_ms), "seq": number}
    if event.what == "reported":
        said |= {"category": _CATEGORIES[number % len(_CATEGORIES)], "text": "模拟上报"}
    payload = json.dumps(said, ensure_ascii=False).encode()
    return Outgoing("mqtt", "governance", "taishi/governance/sim-gateway", payload)
