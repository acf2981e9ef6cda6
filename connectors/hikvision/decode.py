"""Hikvision events to readings and signals. Names, card and employee numbers, plates are never read."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from connectors.alarms import SIGNAL_OF, Incident
from connectors.base import Decoded, Device, Devices, Message, Observation
from connectors.fields import Unreadable, as_object, as_text, field, moment_ms, reads, whole, zone_named
from connectors.hikvision.envelope import event_of
from schemas.errors import received_allowed
from schemas.kinds import KINDS, METRICS, metric_key
from schemas.quarantine import Reason

__all__ = ["ACCESS", "CODEC", "EVENTS", "HikvisionCodec"]

EVENTS: Final = {
    "fielddetection": "intrusion",
    "regionentrance": "intrusion",
    "linedetection": "line_crossing",
    "loitering": "loitering",
    "vmd": "motion",
    "shelteralarm": "tamper",
    "tamperdetection": "tamper",
}
"""Event type, lower case -> metric of security.intrusion."""

ACCESS: Final = {
    "*": {
        **dict.fromkeys(("5/1", "5/38", "5/75"), "granted"),
        **dict.fromkeys(("5/6", "5/7", "5/8", "5/9", "5/39", "5/76"), "denied"),
        **dict.fromkeys(("5/27", "5/82"), "forced"),
        **dict.fromkeys(("5/28", "5/81"), "held_open"),
        **dict.fromkeys(("5/21", "5/22", "5/23", "5/24"), ""),
    }
}
"""Model (`*`: any other) -> major/sub event type -> metric of security.access, "" for nothing to count."""

_HEARTBEAT: Final = "videoloss"
_DIGITS_MAX: Final = 15


class HikvisionCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`events` and `access` replace the tables above; `zone` is for times without offset (none: refused)."""

    events: dict[str, str] = msgspec.field(default_factory=lambda: EVENTS)
    access: dict[str, dict[str, str]] = msgspec.field(default_factory=lambda: ACCESS)
    zone: str = ""

    def __post_init__(self) -> None:
        zone_named(self.zone)
        _check_metrics("security.intrusion", list(self.events.values()))
        _check_metrics("security.access", [m for table in self.access.values() for m in table.values() if m])

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:
        """What the event says; a repeated post of a lasting one signals again and counts nothing."""
        event = event_of(message.payload)
        name = _event_type(event)
        if name == _HEARTBEAT and not _is_active(event):
            return Decoded()
        device = _device_id(event)
        at_ms = moment_ms(field(event, "dateTime"), "dateTime", zone_named(self.zone))
        if name == "peoplecounting":
            return _people(event, device, at_ms, self.zone)
        if name == "accesscontrollerevent":
            return self._access(event, device, registry.get(device), at_ms)
        if name not in self.events:
            allowed = (*self.events, "peoplecounting", "accesscontrollerevent")
            raise Unreadable(Reason.UNSUPPORTED, received_allowed("eventType", name, allowed))
        return _watched(event, device, self.events[name], at_ms)

    def _access(self, event: dict[str, Any], device: str, known: Device | None, at_ms: int) -> Decoded:
        said = as_object(field(event, "AccessControllerEvent"), "AccessControllerEvent")
        code = f"{_whole(said, 'majorEventType')}/{_whole(said, 'subEventType')}"
        table = self.access.get(known.model if known else "*", self.access.get("*", {}))
        if code not in table:
            raise Unreadable(
                Reason.UNSUPPORTED, received_allowed("majorEventType/subEventType", code, sorted(table))
            )
        if not table[code]:
            return Decoded()
        door = f"door {_whole(said, 'doorNo')}" if "doorNo" in said else ""
        seq = _whole(said, "serialNo") if "serialNo" in said else 0
        incident = Incident(device, "security.access", table[code], at_ms, door, seq)
        alarms = metric_key("security.access", table[code]) in SIGNAL_OF
        return Decoded((incident.observation(),), (incident.signal(),) if alarms else ())


CODEC: Final = HikvisionCodec


def _check_metrics(kind: str, metrics: list[str]) -> None:
    for metric in metrics:
        if metric_key(kind, metric) not in METRICS:
            raise ValueError(
                received_allowed(f"metric of {kind}", metric, (m.name for m in KINDS[kind].metrics))
            )


def _event_type(event: dict[str, Any]) -> str:
    name = as_text(field(event, "eventType"), "eventType").lower()
    if name != "duration":
        return name
    # An event that lasts hides what it is.
    duration = field(event, "DurationList", "Duration")
    first = duration[0] if isinstance(duration, list) and duration else duration
    return as_text(field(as_object(first, "Duration"), "relationEvent"), "relationEvent").lower()


def _device_id(event: dict[str, Any]) -> str:
    """`<mac>/<channel>`; a recorder may not say its address but a serial number."""
    unit = event.get("macAddress") or event.get("serialNumber")
    if not unit and isinstance(event.get("Extensions"), dict):
        unit = event["Extensions"].get("serialNumber")
    if not unit:
        raise Unreadable(Reason.MISSING_FIELD, "macAddress or serialNumber")
    channel = event.get("channelID") or event.get("dynChannelID") or 1
    return f"{as_text(unit, 'macAddress').lower()}/{as_text(str(channel), 'channelID', 20)}"


def _watched(event: dict[str, Any], device: str, metric: str, at_ms: int) -> Decoded:
    region = _region(event)
    incident = Incident(
        device, "security.intrusion", metric, at_ms, "" if region is None else f"region {region}", region or 0
    )
    active = _is_active(event)
    alarms = metric_key(incident.kind, metric) in SIGNAL_OF
    signals = (incident.signal(active=active),) if alarms else ()
    # A lasting event is posted again and again; only its first post is a new one.
    repeated = "activePostCount" in event and _whole(event, "activePostCount") > 1
    return Decoded((incident.observation(),) if active and not repeated else (), signals)


def _is_active(event: dict[str, Any]) -> bool:
    return str(event.get("eventState", "active")).lower() != "inactive"


def _region(event: dict[str, Any]) -> int | None:
    """Number of the first region; devices that watch the whole picture name none."""
    regions = event.get("DetectionRegionList")
    entry = regions.get("DetectionRegionEntry") if isinstance(regions, dict) else regions
    first = entry[0] if isinstance(entry, list) and entry else entry
    if isinstance(first, dict) and isinstance(first.get("DetectionRegionEntry"), dict):
        first = first["DetectionRegionEntry"]
    return _whole(first, "regionID") if isinstance(first, dict) and "regionID" in first else None


def _people(event: dict[str, Any], device: str, at_ms: int, zone: str) -> Decoded:
    """Counts of an interval. Running totals (`realTime`) hold the same people again: not counted."""
    counted = as_object(field(event, "peopleCounting"), "peopleCounting")
    method = as_text(field(counted, "statisticalMethods"), "statisticalMethods")
    if method == "realTime":
        return Decoded()
    if method != "timeRange":
        raise Unreadable(
            Reason.UNSUPPORTED, received_allowed("statisticalMethods", method, ("timeRange", "realTime"))
        )
    interval = counted.get("TimeRange")
    if isinstance(interval, dict) and interval.get("endTime"):
        at_ms = moment_ms(interval["endTime"], "TimeRange.endTime", zone_named(zone))
    return Decoded(
        tuple(
            Observation(device, "security.video_count", metric, float(_whole(counted, name)), at_ms)
            for metric, name in (("entered", "enter"), ("left", "exit"))
        )
    )


def _whole(values: dict[str, Any], name: str) -> int:
    """A whole number; XML holds it as text, JSON as a number."""
    value = field(values, name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _DIGITS_MAX:
        return int(value)
    return whole(value, name)
