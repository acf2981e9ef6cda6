"""Component states of GB/T 26875.3 to readings and signals. A component's description is never read."""

from __future__ import annotations

import struct
from typing import Final

import msgspec

from connectors.base import Decoded, Devices, Message, Observation, Rejected, SignalEvent
from connectors.fields import Unreadable, reads, zone_named
from connectors.gb26875.frame import SEND_DATA, Frame, moment, parse
from connectors.incidents import check_metrics, decoded, incident_of
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["BITS", "CODEC", "COMPONENTS", "PERSONAL", "Gb26875Codec"]

PERSONAL: Final = ()
"""No names of fields: the frame is binary. Its description (31 bytes) may name a place and is not read."""

COMPONENTS: Final = {
    **dict.fromkeys(("10", "11", "12", "13", "74"), "gas"),
    **dict.fromkeys(("18", *map(str, range(30, 38))), "heat"),
    **dict.fromkeys(("23", "24"), "manual"),
}
"""Component type -> metric of security.fire that its fire bit means; any other type: smoke."""

BITS: Final = {"fire": 1, "fault": 2}
"""Which bit of the status word says what, counted from 0."""

_COMPONENT_STATES: Final = 2
_ANSWERS: Final = {3, 6}
_OTHER: Final = "smoke"
_OBJECT: Final = struct.Struct("<BBBIH31s6s")
_BIT_MAX: Final = 15


class Gb26875Codec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`components` is laid over the table above; `bits` replaces the bit numbers; `zone` is the clock's.

    `per_component`: each component is a registered device of its own; else the transmission device is, and
    a component names the alarm. `uncounted`: type flags that are known and say nothing we count.
    """

    components: dict[str, str] = msgspec.field(default_factory=dict)
    bits: dict[str, int] = msgspec.field(default_factory=lambda: BITS)
    zone: str = "Asia/Shanghai"
    per_component: bool = True
    uncounted: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if zone_named(self.zone) is None:
            raise ValueError(received_allowed("zone", self.zone, ("an IANA name such as Asia/Shanghai",)))
        check_metrics(f"security.fire.{name}" for name in self.components.values())
        if set(self.bits) != set(BITS) or not all(0 <= bit <= _BIT_MAX for bit in self.bits.values()):
            raise ValueError(received_allowed("bits", self.bits, (f"{', '.join(BITS)} = 0 to {_BIT_MAX}",)))

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:  # noqa: ARG002 - a codec's signature
        """The states of one frame's components; answers of a device to us say nothing we count."""
        frame = parse(message.payload)
        if isinstance(frame, str):
            raise Unreadable(Reason.MALFORMED, frame)
        if frame.command in _ANSWERS:
            return Decoded()
        if frame.command != SEND_DATA:
            raise Unreadable(
                Reason.UNSUPPORTED, received_allowed("command", frame.command, (SEND_DATA, *_ANSWERS))
            )
        if len(frame.adu) < 2:
            raise Unreadable(Reason.MALFORMED, f"ADU: received {len(frame.adu)} bytes, allowed: at least 2")
        kind, count = frame.adu[0], frame.adu[1]
        if kind in self.uncounted:
            return Decoded()
        if kind != _COMPONENT_STATES:
            allowed = (f"{_COMPONENT_STATES} (component states)",)
            raise Unreadable(Reason.UNSUPPORTED, received_allowed("type flag", f"0x{kind:02x}", allowed))
        if len(frame.adu) != 2 + count * _OBJECT.size:
            received = f"received {len(frame.adu) - 2} bytes of {count} objects"
            raise Unreadable(Reason.MALFORMED, f"ADU: {received}, allowed: {_OBJECT.size} each")
        return self._states(frame)

    def _states(self, frame: Frame) -> Decoded:
        observations: list[Observation] = []
        signals: list[SignalEvent] = []
        rejected: list[Rejected] = []
        for index, said in enumerate(_OBJECT.iter_unpack(frame.adu[2:])):
            state = reads(self._state)(frame, said)
            if isinstance(state, Rejected):
                rejected.append(Rejected(state.reason, f"[{index}] {state.detail}"))
            else:
                observations += state.observations
                signals += state.signals
        return Decoded(tuple(observations), tuple(signals), tuple(rejected))

    def _state(self, frame: Frame, said: tuple[int, int, int, int, int, bytes, bytes]) -> Decoded:
        system, number, kind, address, status, _description, at = said
        component = f"{system}-{number}-{address}"
        source = frame.source.hex()
        device = f"{source}/{component}" if self.per_component else source
        at_ms = self._at_ms(at, frame.at)
        metric = self.components.get(str(kind)) or COMPONENTS.get(str(kind), _OTHER)
        seq = 0 if self.per_component else address
        fire = incident_of(f"security.fire.{metric}", device, at_ms, f"component {component}", seq)
        fault = incident_of("security.fire.fault", device, at_ms, f"component {component}", seq)
        burning = decoded(fire, active=self._is_set(status, "fire"))
        faulty = decoded(fault, active=self._is_set(status, "fault"))
        return Decoded(burning.observations + faulty.observations, burning.signals + faulty.signals)

    def _is_set(self, status: int, name: str) -> bool:
        return bool(status >> self.bits[name] & 1)

    def _at_ms(self, own: bytes, sent: bytes) -> int:
        """The component's time, the frame's where the component has no clock."""
        zone = zone_named(self.zone)
        at = moment(own, zone) or moment(sent, zone)
        if at is None:
            raise Unreadable(Reason.BAD_TIME, received_allowed("time", own.hex(" "), ("ss mm hh DD MM YY",)))
        return round(at.timestamp() * 1000)


CODEC: Final = Gb26875Codec
