"""Milesight WS101 button, worn or on the wall as an SOS call: any press calls for help."""

from __future__ import annotations

from typing import Final

from connectors.alarms import Incident
from connectors.base import Decoded, Rejected
from connectors.lorawan.frame import Frame, answers, tlv_blocks
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["MODEL", "PERSONAL", "decode_frame"]

MODEL: Final = "milesight.ws101"
PERSONAL: Final = ()

_PRESS: Final = b"\xff\x2e"
_PRESSES: Final = {1: "short", 2: "long", 3: "double"}
_ANSWERS: Final = {0x03: 2, 0x10: 1, 0x28: 1, 0x2F: 1, 0x3E: 1, 0x74: 1}
_LENGTHS: Final = {
    **answers(_ANSWERS),
    _PRESS: 1,
    b"\x01\x75": 1,  # battery
    b"\xff\x01": 1,  # protocol version
    b"\xff\x08": 6,  # serial number, older firmware
    b"\xff\x09": 2,  # hardware
    b"\xff\x0a": 2,  # firmware
    b"\xff\x0b": 1,  # power on
    b"\xff\x0f": 1,  # device class
    b"\xff\x16": 8,  # serial number
    b"\xff\xfe": 1,  # reset
    b"\xff\xff": 2,  # description version
}


def decode_frame(frame: Frame) -> Decoded:
    """One SOS a frame with a press; battery and version blocks say nothing we count."""
    blocks, rejected = tlv_blocks(frame.data, _LENGTHS)
    presses = [value[0] for pair, value in blocks if pair == _PRESS]
    rejected += tuple(
        Rejected(Reason.MALFORMED, received_allowed("press", press, _PRESSES))
        for press in presses
        if press not in _PRESSES
    )
    if not any(press in _PRESSES for press in presses):
        return Decoded(rejected=rejected)
    incident = Incident(frame.device, "care.emergency", "sos", frame.observed_at_ms, seq=frame.seq)
    return Decoded((incident.observation(),), (incident.signal(),), rejected)
