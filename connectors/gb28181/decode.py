"""GB/T 28181 alarms to readings and signals. The free text of an alarm is never read."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from connectors.base import Decoded, Devices, Location, Message
from connectors.fields import Unreadable, as_object, as_text, field, location_of, moment_ms, reads, zone_named
from connectors.incidents import check_metrics, decoded, incident_of, overlaid
from connectors.registry import zone_of
from connectors.xml_fields import local_name, plain, xml_root
from schemas.errors import received_allowed
from schemas.places.datum import Datum
from schemas.quarantine import Reason

__all__ = ["ALARMS", "CODEC", "METHODS", "PERSONAL", "Gb28181Codec"]

PERSONAL: Final = ("AlarmDescription",)
"""Free text: of telephone and SMS alarms it holds what somebody said."""

METHODS: Final = {
    "1": "telephone",
    "2": "device",
    "3": "SMS",
    "4": "GPS",
    "5": "video",
    "6": "device fault",
    "7": "other",
}
"""AlarmMethod -> what it means."""

ALARMS: Final = {
    "2/1": "security.device.video_loss",
    "2/2": "security.intrusion.tamper",
    **dict.fromkeys(("2/3", "2/4", "2/5"), "security.device.fault"),
    "5/2": "security.intrusion.motion",
    "5/3": "security.intrusion.object_left",
    "5/4": "security.intrusion.object_removed",
    "5/5": "security.intrusion.line_crossing",
    "5/6": "security.intrusion.intrusion",
    "5/7": "security.intrusion.wrong_way",
    "5/8": "security.intrusion.loitering",
    "5/10": "security.intrusion.crowding",
    "5/11": "security.device.fault",
    "5/12": "security.intrusion.fast_motion",
    "5/13": "security.intrusion.tamper",
    "6/*": "security.device.fault",
}
"""AlarmMethod/AlarmType (`*`: any other type, or none said) -> metric."""

_ROOTS: Final = ("Notify", "Query", "Control", "Response")
_LEAVES: Final = "2"
_ID_DIGITS: Final = 20


class Gb28181Codec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`alarms` is laid over the table above (`""`: known, nothing to count); `zone` is AlarmTime's.

    `channel`: the vendor's element that names the channel where DeviceID names the recorder.
    `leave_clears`: EventType 2 of an intrusion is its end. `crs`: datum of the position (none: not used).
    """

    alarms: dict[str, str] = msgspec.field(default_factory=dict)
    zone: str = "Asia/Shanghai"
    channel: str = ""
    leave_clears: bool = False
    crs: Datum | None = None

    def __post_init__(self) -> None:
        zone_named(self.zone)
        check_metrics(self.alarms.values())

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:
        """What the alarm says; every other command (keep-alive, catalogue, ...) says nothing we count."""
        root = xml_root(message.payload, unlabelled="gb18030")
        if local_name(root) not in _ROOTS:
            raise Unreadable(
                Reason.UNSUPPORTED, received_allowed("root element", local_name(root)[:80], _ROOTS)
            )
        said = as_object(plain(root), "message")
        command = as_text(field(said, "CmdType"), "CmdType").lower()
        if local_name(root) != "Notify" or command != "alarm":
            return Decoded()
        return self._alarm(said, registry)

    def _alarm(self, said: dict[str, Any], registry: Devices) -> Decoded:
        info = said.get("Info")
        info = info if isinstance(info, dict) else {}
        key = self._metric(said, info)
        if not key:
            return Decoded()
        device = self._device(said, info)
        at_ms = moment_ms(field(said, "AlarmTime"), "AlarmTime", zone_of(registry.get(device), self.zone))
        leaves = self.leave_clears and _event_type(info) == _LEAVES and key.endswith(".intrusion")
        result = decoded(incident_of(key, device, at_ms, seq=_serial(said)), active=not leaves)
        return _placed(result, self._location(said))

    def _metric(self, said: dict[str, Any], info: dict[str, Any]) -> str:
        method = as_text(field(said, "AlarmMethod"), "AlarmMethod")
        kind = as_text(info.get("AlarmType") or said.get("AlarmType") or "*", "AlarmType")
        table = overlaid(ALARMS, self.alarms)
        for key in (f"{method}/{kind}", f"{method}/*"):
            if key in table:
                return table[key]
        name = METHODS.get(method, "unknown")
        received = received_allowed("AlarmMethod/AlarmType", f"{method}/{kind}"[:80], table)
        raise Unreadable(Reason.UNSUPPORTED, f"{received} (method: {name})")

    def _device(self, said: dict[str, Any], info: dict[str, Any]) -> str:
        device = as_text(field(said, "DeviceID"), "DeviceID", _ID_DIGITS)
        if not (device.isascii() and device.isdigit()):
            raise Unreadable(
                Reason.WRONG_TYPE,
                f"DeviceID: received {len(device)} characters, allowed: at most {_ID_DIGITS} digits",
            )
        if not self.channel:
            return device
        channel = said.get(self.channel) or info.get(self.channel)
        return f"{device}/{as_text(channel, self.channel, 40)}" if channel else device

    def _location(self, said: dict[str, Any]) -> Location | None:
        """Where the alarm says it is; devices without a position send zeros."""
        try:
            east, north = float(said.get("Longitude") or 0), float(said.get("Latitude") or 0)
        except (TypeError, ValueError):
            return None
        if self.crs is None or not (east or north):
            return None
        return location_of(east, north, self.crs)


CODEC: Final = Gb28181Codec


def _event_type(info: dict[str, Any]) -> str:
    param = info.get("AlarmTypeParam")
    return str(param.get("EventType", "")) if isinstance(param, dict) else ""


def _serial(said: dict[str, Any]) -> int:
    """SN keeps two alarms of one second apart; 0 where it is no number."""
    serial = said.get("SN")
    plausible = isinstance(serial, str) and serial.isascii() and serial.isdigit() and len(serial) <= 15
    return int(str(serial)) if plausible else 0


def _placed(result: Decoded, location: Location | None) -> Decoded:
    if location is None:
        return result
    return Decoded(
        tuple(replace(each, location=location) for each in result.observations),
        tuple(replace(each, location=location) for each in result.signals),
    )
