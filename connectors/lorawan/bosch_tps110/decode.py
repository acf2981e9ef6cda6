"""Bosch TPS110: port 1 a change, port 2 a daily heartbeat, port 3 a start; the last status byte's bit 0."""

from __future__ import annotations

from typing import Final

from connectors.base import Decoded, Observation
from connectors.fields import Unreadable, reads
from connectors.lorawan.frame import Frame
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["MODEL", "PERSONAL", "decode_frame"]

MODEL: Final = "bosch.tps110"
PERSONAL: Final = ()

_STATUS_AT: Final = {1: (1, 0), 2: (2, 0), 3: (17, 16)}
"""Port -> (bytes of the frame, where the status byte is)."""


@reads
def decode_frame(frame: Frame) -> Decoded:
    """Whether the space is occupied; temperature and debug codes say nothing we count."""
    if frame.port not in _STATUS_AT:
        raise Unreadable(Reason.UNSUPPORTED, received_allowed("fPort", frame.port, _STATUS_AT))
    length, status_at = _STATUS_AT[frame.port]
    if len(frame.data) != length:
        raise Unreadable(
            Reason.MALFORMED,
            received_allowed(f"bytes on fPort {frame.port}", len(frame.data), (length,)),
        )
    occupied = float(frame.data[status_at] & 1)
    seen = Observation(
        frame.device, "parking.space", "occupied", occupied, frame.observed_at_ms, seq=frame.seq
    )
    return Decoded((seen,))
