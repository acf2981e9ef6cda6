"""Milesight VS373 fall radar: channel-type-value blocks, little endian."""

from __future__ import annotations

from typing import Final

from connectors.alarms import Incident
from connectors.base import Decoded, Observation, SignalEvent
from connectors.lorawan.frame import Frame, tlv_blocks

__all__ = ["MODEL", "decode_frame"]

MODEL: Final = "milesight.vs373"

_ROOM_STATE: Final = b"\x03\xf8"
_ALARM: Final = b"\x06\xfb"
_LENGTHS: Final = {
    _ROOM_STATE: 1,
    _ALARM: 5,
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
_IN_BED, _OUT_OF_BED, _FALLEN = 2, 3, 4
_FALL: Final = 0
_TRIGGERED, _DEACTIVATED, _IGNORED = 1, 2, 3


def decode_frame(frame: Frame) -> Decoded:
    """Bed state as readings, falls as a reading and a signal, their end as a signal."""
    blocks, rejected = tlv_blocks(frame.data, _LENGTHS)
    observations: list[Observation] = []
    signals: list[SignalEvent] = []
    for pair, value in blocks:
        if pair == _ALARM and value[2] == _FALL:
            _fall(frame, int.from_bytes(value[:2], "little"), value[3], observations, signals)
        elif pair == _ROOM_STATE and value[0] in {_IN_BED, _OUT_OF_BED}:
            in_bed = float(value[0] == _IN_BED)
            observations.append(
                Observation(frame.device, "care.bed", "in_bed", in_bed, frame.observed_at_ms, seq=frame.seq)
            )
    # The state "fallen" repeats as long as it lasts, so it raises the signal but counts no new fall.
    if not signals and (_ROOM_STATE, bytes([_FALLEN])) in blocks:
        signals.append(Incident(frame.device, "care.emergency", "fall", frame.observed_at_ms).signal())
    return Decoded(tuple(observations), tuple(signals), rejected)


def _fall(
    frame: Frame, alarm_id: int, status: int, observations: list[Observation], signals: list[SignalEvent]
) -> None:
    incident = Incident(
        frame.device, "care.emergency", "fall", frame.observed_at_ms, str(alarm_id), frame.seq
    )
    if status == _TRIGGERED:
        observations.append(incident.observation())
        signals.append(incident.signal())
    elif status in {_DEACTIVATED, _IGNORED}:
        signals.append(incident.signal(active=False))
