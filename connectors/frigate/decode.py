"""Frigate's MQTT events and reviews: objects are counted, reviews of severity `alert` are intrusions."""

from __future__ import annotations

import zlib
from typing import Any, Final

import msgspec

from connectors.alarms import Incident
from connectors.base import Decoded, Devices, Message, Observation
from connectors.fields import LATEST_MS, Unreadable, as_number, as_object, as_text, field, parse_json, reads
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "FrigateCodec"]

PERSONAL: Final = ("sub_label", "sub_labels", "recognized_license_plate", "thumbnail", "thumb_path")
_COUNTED: Final = {
    "person": "persons",
    **dict.fromkeys(("car", "truck", "bus", "motorcycle", "motorbike"), "vehicles"),
}
_TYPES: Final = ("new", "update", "end")
_SILENT: Final = frozenset({"available", "stats", "tracked_object_update", "notifications"})


class FrigateCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A review is known by its severity, an event by its label; the device is the camera."""

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:  # noqa: ARG002 - a codec's signature
        """Counts of persons and vehicles; begin and end of intrusions; nothing of other topics of its own."""
        if message.address.rpartition("/")[2] in _SILENT:
            return Decoded()
        said = as_object(parse_json(message.payload), "message")
        kind = as_text(field(said, "type"), "type")
        if kind not in _TYPES:
            raise Unreadable(Reason.UNSUPPORTED, received_allowed("type", kind, _TYPES))
        after = as_object(field(said, "after"), "after")
        return _review(after, kind) if "severity" in after else _event(said, after, kind)


CODEC: Final = FrigateCodec


def _event(said: dict[str, Any], after: dict[str, Any], kind: str) -> Decoded:
    """An object counts once: when it is first held to be real, at the time it appeared."""
    metric = _COUNTED.get(as_text(field(after, "label"), "label"))
    if metric is None or after.get("false_positive"):
        return Decoded()
    doubted = kind == "update" and as_object(said.get("before") or {}, "before").get("false_positive")
    if kind != "new" and not doubted:
        return Decoded()
    camera, at_ms, name = _seen(after)
    # Two objects may appear in one frame: the id tells them apart.
    seq = zlib.crc32(name.encode())
    return Decoded((Observation(camera, "security.video_count", metric, 1.0, at_ms, seq=seq),))


def _review(after: dict[str, Any], kind: str) -> Decoded:
    """An `alert` is an intrusion from its start to its end; a `detection` is motion.

    Severity may rise from detection to alert in an update, so every message of an alert says that it is
    active, under the same name and time: whoever keeps occurrences takes the first.
    """
    severity = as_text(field(after, "severity"), "severity")
    camera, at_ms, name = _seen(after)
    if severity == "detection":
        seq = zlib.crc32(name.encode())
        motion = Observation(camera, "security.intrusion", "motion", 1.0, at_ms, seq=seq)
        return Decoded((motion,) if kind == "new" else ())
    if severity != "alert":
        raise Unreadable(Reason.UNSUPPORTED, received_allowed("severity", severity, ("alert", "detection")))
    if kind == "end":
        end_ms = _ms(field(after, "end_time"), "end_time")
        return Decoded(signals=(_incident(camera, end_ms, name).signal(active=False),))
    incident = _incident(camera, at_ms, name)
    return Decoded((incident.observation(),), (incident.signal(),))


def _incident(camera: str, at_ms: int, name: str) -> Incident:
    return Incident(camera, "security.intrusion", "intrusion", at_ms, name, zlib.crc32(name.encode()))


def _seen(after: dict[str, Any]) -> tuple[str, int, str]:
    """Camera, start and id."""
    return (
        as_text(field(after, "camera"), "camera"),
        _ms(field(after, "start_time"), "start_time"),
        as_text(field(after, "id"), "id"),
    )


def _ms(value: Any, what: str) -> int:
    """Seconds since 1970, with a fraction, to ms."""
    seconds = as_number(value, what)
    if not 0 <= seconds <= LATEST_MS / 1000:
        raise Unreadable(Reason.BAD_TIME, f"{what}: received {seconds!r}, allowed: seconds since 1970")
    return round(seconds * 1000)
