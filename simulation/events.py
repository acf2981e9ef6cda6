"""What happens in the city: one event is one thing one device has to say, before any vendor's format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulation.city import Device

__all__ = ["Event"]


@dataclass(frozen=True, slots=True)
class Event:
    """`device` says `what` at `time_ms` (ms UTC); `values` are the numbers that go with it."""

    device: Device
    what: str
    time_ms: int
    values: Mapping[str, float] = field(default_factory=dict)
