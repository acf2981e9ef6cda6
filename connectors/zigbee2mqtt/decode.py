"""Zigbee2MQTT states: flat JSON; what a property means depends on the registered kind of the device."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec

from connectors.alarms import Incident
from connectors.base import Decoded, Devices, Message, Observation, SignalEvent
from connectors.fields import Unreadable, as_number, as_object, moment_ms, parse_json, reads, whole
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "ZigbeeCodec"]

PERSONAL: Final = ()
_Seen = Iterator[Observation | SignalEvent]
_Reader = Callable[[str, dict[str, Any], int], _Seen]
_AIR: Final = ("temperature", "humidity", "co2")
_FIRE: Final = ("smoke", "gas")


class ZigbeeCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Decodes by the registered kind of the friendly name, the last part of the topic."""

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:
        """What the state says for the device's kind."""
        name = message.address.partition("/")[2]
        state = as_object(parse_json(message.payload), "state")
        device = registry.get(name)
        if device is None:
            raise Unreadable(
                Reason.UNKNOWN_DEVICE, f"received friendly name {name!r}, allowed: a registered one"
            )
        if device.kind not in _READERS:
            raise Unreadable(Reason.UNSUPPORTED, received_allowed("registered kind", device.kind, _READERS))
        seen = list(_READERS[device.kind](name, state, _observed_at_ms(state, message)))
        return Decoded(
            tuple(x for x in seen if isinstance(x, Observation)),
            tuple(x for x in seen if isinstance(x, SignalEvent)),
        )


CODEC: Final = ZigbeeCodec


def _observed_at_ms(state: dict[str, Any], message: Message) -> int:
    last_seen = state.get("last_seen")
    if isinstance(last_seen, str):
        return moment_ms(last_seen, "last_seen")
    if last_seen is not None:
        return whole(last_seen, "last_seen")
    if message.retained:
        raise Unreadable(Reason.BAD_TIME, "received a retained state without last_seen, allowed: with it")
    return message.received_at_ms


def _flag(state: dict[str, Any], name: str) -> bool | None:
    value = state.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise Unreadable(Reason.WRONG_TYPE, f"{name}: received {type(value).__name__}, allowed: true or false")


def _presence(state: dict[str, Any]) -> bool | None:
    occupancy = _flag(state, "occupancy")
    return _flag(state, "presence") if occupancy is None else occupancy


def _movement(kind: str) -> _Reader:
    def read(name: str, state: dict[str, Any], at_ms: int) -> _Seen:
        contact = _flag(state, "contact")
        moved = _presence(state) if contact is None else not contact  # contact true means closed
        if moved is not None:
            yield Observation(name, kind, "motion", float(moved), at_ms)

    return read


def _bed(name: str, state: dict[str, Any], at_ms: int) -> _Seen:
    in_bed = _presence(state)
    if in_bed is not None:
        yield Observation(name, "care.bed", "in_bed", float(in_bed), at_ms)


def _air(name: str, state: dict[str, Any], at_ms: int) -> _Seen:
    for metric in _AIR:
        if state.get(metric) is not None:
            yield Observation(name, "care.environment", metric, as_number(state[metric], metric), at_ms)


def _emergency(name: str, state: dict[str, Any], at_ms: int) -> _Seen:
    if state.get("action") == "emergency":
        yield from _raised(Incident(name, "care.emergency", "sos", at_ms))
    if state.get("fall_down_status") == "fall":
        yield from _raised(Incident(name, "care.emergency", "fall", at_ms))
    elif state.get("fall_down_status") == "none":
        yield Incident(name, "care.emergency", "fall", at_ms).signal(active=False)


def _fire(name: str, state: dict[str, Any], at_ms: int) -> _Seen:
    for metric in _FIRE:
        alarm = _flag(state, metric)
        if alarm is None:
            continue
        yield Observation(name, "security.fire", metric, float(alarm), at_ms)
        yield Incident(name, "security.fire", metric, at_ms).signal(active=alarm)


def _tamper(name: str, state: dict[str, Any], at_ms: int) -> _Seen:
    """Someone opened or moved the device: of any security device, whatever it watches for."""
    opened = _flag(state, "tamper")
    if opened is None:
        return
    incident = Incident(name, "security.intrusion", "tamper", at_ms)
    if opened:
        yield from _raised(incident)
    else:
        yield incident.signal(active=False)


def _guarded(read: _Reader) -> _Reader:
    def both(name: str, state: dict[str, Any], at_ms: int) -> _Seen:
        yield from read(name, state, at_ms)
        yield from _tamper(name, state, at_ms)

    return both


def _raised(incident: Incident) -> _Seen:
    yield incident.observation()
    yield incident.signal()


_READERS: Final[dict[str, _Reader]] = {
    "care.activity": _movement("care.activity"),
    "security.intrusion": _guarded(_movement("security.intrusion")),
    "care.bed": _bed,
    "care.environment": _air,
    "care.emergency": _emergency,
    "security.fire": _guarded(_fire),
}
"""Registered kind -> what its properties mean."""
