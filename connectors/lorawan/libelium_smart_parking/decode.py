"""Libelium Smart Parking v2: 11 bytes, of which the first says the state. Reverse engineered, see README."""

from __future__ import annotations

from typing import Final

from connectors.base import Decoded, Observation
from connectors.fields import Unreadable, reads
from connectors.lorawan.frame import Frame
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["MODEL", "PERSONAL", "decode_frame"]

MODEL: Final = "libelium.smart_parking"
PERSONAL: Final = ()

_LENGTH: Final = 11
_OCCUPIED: Final = 0x80
_TYPE: Final = 0x0F
_CHANGED, _KEPT_ALIVE = 0, 1
_TYPE_MAX: Final = 8


@reads
def decode_frame(frame: Frame) -> Decoded:
    """Whether the space is occupied, from the frames both known descriptions read alike."""
    if len(frame.data) != _LENGTH:
        raise Unreadable(Reason.MALFORMED, received_allowed("bytes", len(frame.data), (_LENGTH,)))
    kind = frame.data[0] & _TYPE
    if kind > _TYPE_MAX:
        raise Unreadable(Reason.UNSUPPORTED, received_allowed("frame type", kind, (f"0 to {_TYPE_MAX}",)))
    if kind not in {_CHANGED, _KEPT_ALIVE}:
        return Decoded()
    occupied = float(bool(frame.data[0] & _OCCUPIED))
    seen = Observation(
        frame.device, "parking.space", "occupied", occupied, frame.observed_at_ms, seq=frame.seq
    )
    return Decoded((seen,))
