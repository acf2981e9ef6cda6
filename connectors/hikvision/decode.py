"""Hikvision events to readings and signals. Names, card and employee numbers, plates are never read."""

from __future__ import annotations

import hashlib
from datetime import tzinfo
from typing import Any, Final

import msgspec

from connectors.alarms import SIGNAL_OF, Incident
from connectors.base import Decoded, Device, Devices, Message, Observation, Rejected
from connectors.fields import Unreadable, as_object, as_text, field, moment_ms, reads, zone_named
from connectors.hikvision.envelope import event_of
from connectors.hikvision.multipart import event_parts
from connectors.hikvision.tables import ACCESS, EVENTS, PERSONAL
from connectors.incidents import check_metrics, decoded, incident_of, overlaid
from connectors.registry import zone_of
from connectors.xml_fields import whole_in
from schemas.errors import received_allowed
from schemas.kinds import metric_key
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "HikvisionCodec"]

_PEOPLE: Final = "peoplecounting"
_ACCESS: Final = "accesscontrollerevent"
_HEARTBEAT: Final = "videoloss"
_UNITS: Final = ("macAddress", "serialNumber", "Extensions.serialNumber", "ipAddress")


class HikvisionCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`events` is laid over the table of event types, `access` replaces that of access control.

    `zone` is for times without offset (none: refused). `ip_channels_after`: a recorder's channels above that
    number are its IP channels 1, 2, ... (0: channel numbers are taken as they come).
    """

    events: dict[str, str] = msgspec.field(default_factory=dict)
    access: dict[str, dict[str, str]] = msgspec.field(default_factory=lambda: ACCESS)
    zone: str = ""
    ip_channels_after: int = 0

    def __post_init__(self) -> None:
        zone_named(self.zone)
        check_metrics(self.events.values())
        metrics = {metric for table in self.access.values() for metric in table.values() if metric}
        check_metrics(metric_key("security.access", metric) for metric in metrics)

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:
        """What the event says; a repeated post of a lasting one signals again and counts nothing."""
        parts = event_parts(message.payload, message.header("content-type"))
        if len(parts) == 1:
            return self._event(parts[0], registry)
        each = [reads(self._event)(part, registry) for part in parts]
        good = [result for result in each if isinstance(result, Decoded)]
        return Decoded(
            tuple(seen for result in good for seen in result.observations),
            tuple(seen for result in good for seen in result.signals),
            tuple(result for result in each if isinstance(result, Rejected)),
        )

    def _event(self, part: bytes, registry: Devices) -> Decoded:
        event = event_of(part)
        name = _event_type(event)
        table = overlaid(EVENTS, self.events)
        if name == _HEARTBEAT and not _is_active(event):
            return Decoded()  # posted every few seconds as a sign of life
        if name in table and not table[name]:
            return Decoded()
        if name not in table and name not in {_PEOPLE, _ACCESS}:
            allowed = (*table, _PEOPLE, _ACCESS)
            raise Unreadable(Reason.UNSUPPORTED, received_allowed("eventType", name, allowed))
        device = self._device_id(event)
        known = registry.get(device)
        zone = zone_of(known, self.zone)
        at_ms = moment_ms(field(event, "dateTime"), "dateTime", zone)
        if name == _PEOPLE:
            return _people(event, device, at_ms, zone)
        if name == _ACCESS:
            return self._access(event, device, known, at_ms)
        return _watched(event, device, table[name], at_ms)

    def _access(self, event: dict[str, Any], device: str, known: Device | None, at_ms: int) -> Decoded:
        said = as_object(field(event, "AccessControllerEvent"), "AccessControllerEvent")
        code = f"{whole_in(said, 'majorEventType')}/{whole_in(said, 'subEventType')}"
        table = self.access.get(known.model if known else "*", self.access.get("*", {}))
        if code not in table:
            raise Unreadable(
                Reason.UNSUPPORTED, received_allowed("majorEventType/subEventType", code, sorted(table))
            )
        if not table[code]:
            return Decoded()
        door = f"door {whole_in(said, 'doorNo')}" if "doorNo" in said else ""
        seq = whole_in(said, "serialNo") if "serialNo" in said else 0
        incident = Incident(device, "security.access", table[code], at_ms, door, seq)
        alarms = metric_key("security.access", table[code]) in SIGNAL_OF
        return Decoded((incident.observation(),), (incident.signal(),) if alarms else ())

    def _device_id(self, event: dict[str, Any]) -> str:
        """`<unit>/<channel>`; a recorder may not say its MAC address but a serial number."""
        found = (event.get(name) if "." not in name else _nested(event, name) for name in _UNITS)
        unit = next((value for value in found if value), None)
        if unit is None:
            raise Unreadable(Reason.MISSING_FIELD, " or ".join(_UNITS))
        said = str(event.get("channelID") or event.get("dynChannelID") or 1)
        channel = as_text(said, "channelID", 20)
        after = self.ip_channels_after
        if after and channel.isascii() and channel.isdigit() and int(channel) > after:
            channel = str(int(channel) - after)
        return f"{as_text(unit, 'macAddress').lower()}/{channel}"


CODEC: Final = HikvisionCodec


def _event_type(event: dict[str, Any]) -> str:
    name = as_text(field(event, "eventType"), "eventType").lower()
    if name != "duration":
        return name
    # An event that lasts hides what it is.
    duration = field(event, "DurationList", "Duration")
    first = duration[0] if isinstance(duration, list) and duration else duration
    return as_text(field(as_object(first, "Duration"), "relationEvent"), "relationEvent").lower()


def _nested(event: dict[str, Any], path: str) -> Any:
    outer, _, inner = path.partition(".")
    value = event.get(outer)
    return value.get(inner) if isinstance(value, dict) else None


def _watched(event: dict[str, Any], device: str, metric: str, at_ms: int) -> Decoded:
    region = _region(event)
    alarm = "" if region is None else f"region {region}"
    seq = _of_uuid(event) if metric.startswith("security.video_count.") else region or 0
    # A lasting event is posted again and again; only its first post is a new one.
    repeated = "activePostCount" in event and whole_in(event, "activePostCount") > 1
    incident = incident_of(metric, device, at_ms, alarm, seq)
    return decoded(incident, active=_is_active(event), counts=not repeated)


def _is_active(event: dict[str, Any]) -> bool:
    return str(event.get("eventState", "active")).lower() != "inactive"


def _of_uuid(event: dict[str, Any]) -> int:
    """Two vehicles of one second differ in UUID; a replay after an outage has the first one's."""
    said = event.get("UUID")
    if not isinstance(said, str) or not said:
        return 0
    digest = hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=6).digest()
    return int.from_bytes(digest, "big")


def _region(event: dict[str, Any]) -> int | None:
    """Number of the first region; devices that watch the whole picture name none."""
    regions = event.get("DetectionRegionList")
    entry = regions.get("DetectionRegionEntry") if isinstance(regions, dict) else regions
    first = entry[0] if isinstance(entry, list) and entry else entry
    if isinstance(first, dict) and isinstance(first.get("DetectionRegionEntry"), dict):
        first = first["DetectionRegionEntry"]
    return whole_in(first, "regionID") if isinstance(first, dict) and "regionID" in first else None


def _people(event: dict[str, Any], device: str, at_ms: int, zone: tzinfo | None) -> Decoded:
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
        at_ms = moment_ms(interval["endTime"], "TimeRange.endTime", zone)
    return Decoded(
        tuple(
            Observation(device, "security.video_count", metric, float(whole_in(counted, name)), at_ms)
            for metric, name in (("entered", "enter"), ("left", "exit"))
        )
    )
