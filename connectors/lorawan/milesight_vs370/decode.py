"""Milesight VS370 presence radar in a resident's room: someone there is activity, an empty room is none."""

from __future__ import annotations

from typing import Final

from connectors.base import Decoded, Observation, Rejected
from connectors.lorawan.frame import Frame, answers, tlv_blocks
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["MODEL", "PERSONAL", "decode_frame"]

MODEL: Final = "milesight.vs370"
PERSONAL: Final = ()

_OCCUPANCY: Final = b"\x03\x00"
_VACANT, _OCCUPIED = 0, 1
_ANSWERS: Final = {0x10: 1, 0x28: 1, 0x35: 8, 0x4A: 1, 0x84: 1, 0x8E: 3, 0x8F: 1, 0x96: 8, 0xBA: 10, 0xBD: 2}
_LENGTHS: Final = {
    **answers(_ANSWERS),
    _OCCUPANCY: 1,
    b"\x04\x00": 1,  # illuminance: dim, bright, off
    b"\x01\x75": 1,  # battery
    b"\xff\x01": 1,  # protocol version
    b"\xff\x09": 2,  # hardware
    b"\xff\x0a": 2,  # firmware
    b"\xff\x0b": 1,  # power on
    b"\xff\x0f": 1,  # device class
    b"\xff\x16": 8,  # serial number
    b"\xff\xfe": 1,  # reset
    b"\xff\xff": 2,  # description version
}


def decode_frame(frame: Frame) -> Decoded:
    """One sign of activity for a frame that says someone is there."""
    blocks, rejected = tlv_blocks(frame.data, _LENGTHS)
    states = [value[0] for pair, value in blocks if pair == _OCCUPANCY]
    rejected += tuple(
        Rejected(Reason.MALFORMED, received_allowed("occupancy", state, (_VACANT, _OCCUPIED)))
        for state in states
        if state not in {_VACANT, _OCCUPIED}
    )
    if _OCCUPIED not in states:
        return Decoded(rejected=rejected)
    seen = Observation(frame.device, "care.activity", "motion", 1.0, frame.observed_at_ms, seq=frame.seq)
    return Decoded((seen,), rejected=rejected)
