"""Milesight VS373 fall radar: channel-type-value blocks, little endian."""

from __future__ import annotations

from typing import Final

from connectors.alarms import Incident
from connectors.base import Decoded, Observation, SignalEvent
from connectors.lorawan.frame import Frame, answers, tlv_blocks

__all__ = ["MODEL", "PERSONAL", "decode_frame"]

MODEL: Final = "milesight.vs373"
PERSONAL: Final = ()

_ROOM_STATE: Final = b"\x03\xf8"
_ALARM: Final = b"\x06\xfb"
_HISTORY: Final = b"\x20\xce"
_ANSWERS: Final = {
    **dict.fromkeys((0x04, 0x10, 0x28, 0x2F, 0x3E, 0x40, 0x42, 0x64, 0x69, 0x84), 1),
    0x11: 4, 0x35: 8, 0x6A: 3, 0x8E: 3, 0x96: 8,
}  # fmt: skip
_SETTINGS: Final = {
    0x48: 1, 0x49: 9, 0x4A: 5, 0x4B: 9, 0x4C: 5, 0x4D: 1, 0x4E: 1,
    0x4F: 12, 0x50: 2, 0x51: 6, 0x52: 3, 0x53: 3, 0x56: 2,
}  # fmt: skip
_LENGTHS: Final = {
    **answers(_ANSWERS),
    **{bytes((0xF9, kind)): length for kind, length in _SETTINGS.items()},
    **{bytes((0xF8, kind)): length + 1 for kind, length in _SETTINGS.items()},  # and whether it was taken
    _ROOM_STATE: 6,  # state, target, seconds used now, seconds used today
    b"\x04\xf9": 4,  # regions occupied
    b"\x05\xfa": 8,  # seconds out of bed of each region
    _ALARM: 5,
    _HISTORY: 9,
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
_IN_BED_IS: Final = {2: 1.0, 3: 0.0}
_FALLEN: Final = 4
_FALL: Final = 0
_COUNTER_BITS: Final = 32
_TRIGGERED, _DEACTIVATED, _IGNORED = 1, 2, 3


def decode_frame(frame: Frame) -> Decoded:
    """Bed state as readings, falls as a reading and a signal, their end as a signal; history as signals."""
    blocks, rejected = tlv_blocks(frame.data, _LENGTHS)
    states, alarms, history = (
        [value for pair, value in blocks if pair == wanted] for wanted in (_ROOM_STATE, _ALARM, _HISTORY)
    )
    observations = [
        Observation(frame.device, "care.bed", "in_bed", in_bed, frame.observed_at_ms, seq=frame.seq)
        for in_bed in (_IN_BED_IS[value[0]] for value in states if value[0] in _IN_BED_IS)
    ]
    signals: list[SignalEvent] = []
    falls = 0
    for alarm in alarms:
        # A frame may bring several falls, and each counts: told apart above the bits of the frame counter.
        incident = _incident(frame, alarm, frame.observed_at_ms, falls << _COUNTER_BITS)
        signals += _transition(incident, alarm)
        if _began(alarm):
            observations.append(incident.observation())
            falls += 1
    # The state "fallen" repeats as long as it lasts, so it raises the signal but counts no new fall.
    if not signals and any(value[0] == _FALLEN for value in states):
        signals.append(Incident(frame.device, "care.emergency", "fall", frame.observed_at_ms).signal())
    # Sent again after an outage: alarms someone must hear of, but no new falls to count.
    past: list[SignalEvent] = []
    for value in history:
        happened_at_ms = int.from_bytes(value[:4], "little") * 1000
        past += _transition(_incident(frame, value[4:], happened_at_ms), value[4:])
    return Decoded(tuple(observations), (*past, *signals), rejected)


def _incident(frame: Frame, alarm: bytes, at_ms: int, number: int = 0) -> Incident:
    name = str(int.from_bytes(alarm[:2], "little"))
    return Incident(frame.device, "care.emergency", "fall", at_ms, name, frame.seq + number)


def _began(alarm: bytes) -> bool:
    return alarm[2] == _FALL and alarm[3] == _TRIGGERED


def _transition(incident: Incident, alarm: bytes) -> list[SignalEvent]:
    """A fall that began or ended; other alarms, and reports of one that goes on, are none."""
    if _began(alarm):
        return [incident.signal()]
    if alarm[2] == _FALL and alarm[3] in {_DEACTIVATED, _IGNORED}:
        return [incident.signal(active=False)]
    return []
