"""A message on its way, and how times are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from simulation.rhythm import CHINA

__all__ = ["Outgoing", "iso_local"]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """`address` is the MQTT topic or the HTTP path; `content_type` counts for HTTP only."""

    transport: Literal["mqtt", "http"]
    vendor: str
    address: str
    payload: bytes
    content_type: str = "application/json"


def iso_local(time_ms: int) -> str:
    """ISO 8601 with ms and the district's offset."""
    return datetime.fromtimestamp(time_ms / 1000, CHINA).isoformat(timespec="milliseconds")
