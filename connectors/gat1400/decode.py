"""GA/T 1400 captures to counts. Plates, faces, names, numbers of persons and pictures are never read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from connectors.base import ITEMS_MAX, Answer, Decoded, Devices, Message, Observation, Outcome, Rejected
from connectors.fields import Unreadable, as_object, as_text, parse_json, reads, zone_named
from connectors.gat1400.answer import status_list
from connectors.incidents import check_metrics, incident_of, overlaid
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["CODEC", "COUNTED", "PERSONAL", "Gat1400Codec"]

PERSONAL: Final = (
    *("PlateNo", "PlateNoAttach", "PlateDescribe", "Name", "UsedName", "Alias", "IDNumber", "IDType"),
    *("SubImageList", "SubImageInfoObject", "StoragePath", "StorageUrl", "FeatureInfo", "FaceID"),
    *("PersonID", "MotorVehicleID", "NonMotorVehicleID", "RelatedFaceID", "RelatedPersonID", "ImageUrl"),
    *("StorageUrl1", "StorageUrl2", "StorageUrl3", "StorageUrl4", "StorageUrl5", "NativePlace", "GlassStyle"),
    *("AccompanyNumber", "PassportType", "EthicCode", "NationalityCode", "JobCategory", "EmployeeNo"),
)
"""JSON keys whose values are personal."""

COUNTED: Final = {
    "MotorVehicle": "security.video_count.vehicles",
    "NonMotorVehicle": "",
    "Face": "security.video_count.persons",
    "Person": "security.video_count.persons",
}
"""Kind of captured object -> metric that counts one, "" for known and not counted."""

_NOTIFICATIONS: Final = ("SubscribeNotificationListObject", "SubscribeNotificationObject")
_DEVICES: Final = ("DeviceID", "TollgateID", "SourceID")
_TIMES: Final = (
    "PassTime",
    "FaceAppearTime",
    "PersonAppearTime",
    "AppearTime",
    "LocationMarkTime",
    "MarkTime",
    "ShotTime",
)
_LISTS: Final = re.compile(r"([A-Za-z]{1,40}?)(?:ObjectList|ListObject)")
_LOCAL: Final = re.compile(r"\d{14}")
_EPOCH_MS: Final = re.compile(r"\d{12,13}")
_ID_LONGEST: Final = 48


@dataclass(frozen=True, slots=True)
class _Capture:
    """One captured object, and what is said of all in the same notification."""

    kind: str
    values: Any
    sent: str
    name: str
    told: str


class Gat1400Codec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`counted` is laid over the table above; `zone` is for times without offset.

    `device_fields`: which fields name the registered device; the first that is not empty.
    `status_numbers`: answer with StatusCode as a number, for senders that take no text.
    """

    counted: dict[str, str] = msgspec.field(default_factory=dict)
    zone: str = "Asia/Shanghai"
    device_fields: tuple[str, ...] = _DEVICES
    status_numbers: bool = False

    def __post_init__(self) -> None:
        if zone_named(self.zone) is None:
            raise ValueError(received_allowed("zone", self.zone, ("an IANA name such as Asia/Shanghai",)))
        check_metrics(self.counted.values())

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:  # noqa: ARG002 - a codec's signature
        """One observation a captured object; good objects count, bad ones are named."""
        said = as_object(parse_json(message.payload), "message")
        table = overlaid(COUNTED, self.counted)
        captures = list(_captures(said))
        if not captures and not _lists(said):
            raise Unreadable(
                Reason.UNSUPPORTED,
                received_allowed(
                    "message", [name[:40] for name in sorted(said)[:5]], (_NOTIFICATIONS[0], *table)
                ),
            )
        observations: list[Observation] = []
        rejected: list[Rejected] = []
        for index, capture in enumerate(captures):
            metric = table.get(capture.kind)
            if metric == "":
                continue
            read = reads(self._counted)(capture, metric)
            if isinstance(read, Rejected):
                rejected.append(Rejected(read.reason, f"[{index}] {capture.kind}: {read.detail}"))
            else:
                observations.append(read)
        return Decoded(tuple(observations), rejected=tuple(rejected))

    def answer(self, message: Message, outcome: Outcome) -> Answer:
        """One status a notification, or a captured object where there is none.

        What was refused after it was read, as of a device nobody registered, is told of all of a message.
        """
        items = reads(self._statuses)(message)
        if isinstance(items, Rejected) or not items:
            items = [("", outcome.rejected)]
        elif outcome.rejected is not None and not any(refused for _, refused in items):
            items = [(name, outcome.rejected) for name, _ in items]
        return status_list(
            message,
            items,
            zone_named(self.zone),
            taken=outcome.rejected is None or outcome.readings > 0,
            numbers=self.status_numbers,
        )

    def _statuses(self, message: Message) -> list[tuple[str, Rejected | None]]:
        """The ids in their order, each with the first reason something of it cannot be read."""
        table, found = overlaid(COUNTED, self.counted), list[tuple[str, Rejected | None]]()
        for capture in _captures(as_object(parse_json(message.payload), "message")):
            metric = table.get(capture.kind)
            read = None if metric == "" else reads(self._counted)(capture, metric)
            refused = read if isinstance(read, Rejected) else None
            if capture.told and found and found[-1][0] == capture.told:
                found[-1] = (capture.told, found[-1][1] or refused)
            else:
                found.append((capture.told, refused))
        return found

    def _counted(self, capture: _Capture, metric: str | None) -> Observation:
        if metric is None:
            raise Unreadable(
                Reason.UNSUPPORTED, received_allowed("object", capture.kind, overlaid(COUNTED, self.counted))
            )
        values = as_object(capture.values, capture.kind)
        device = next((values[name] for name in self.device_fields if values.get(name)), None)
        if device is None:
            raise Unreadable(Reason.MISSING_FIELD, " or ".join(self.device_fields))
        at = next((values[name] for name in _TIMES if values.get(name)), capture.sent)
        name = values.get(f"{capture.kind}ID")
        seq = _sequence(name if isinstance(name, str) and name else capture.name)
        device = as_text(device, "device", _ID_LONGEST)
        return incident_of(metric, device, _moment_ms(at, self.zone), seq=seq).observation()


CODEC: Final = Gat1400Codec


def _captures(said: dict[str, Any]) -> Iterator[_Capture]:
    """Every captured object: of a notification's lists, or of the body's own (POST /VIID/Faces, ...)."""
    outer = said.get(_NOTIFICATIONS[0])
    notifications = _several(outer.get(_NOTIFICATIONS[1])) if isinstance(outer, dict) else [said]
    total = 0
    for place, notification in enumerate(notifications):
        if not isinstance(notification, dict):
            raise Unreadable(Reason.WRONG_TYPE, f"{_NOTIFICATIONS[1]}[{place}]: allowed: an object")
        sent = notification.get("TriggerTime")
        sent = sent if isinstance(sent, str) else ""
        own = notification.get("NotificationID")
        for kind, objects in _lists(notification):
            for index, values in enumerate(objects):
                total += 1
                if total > ITEMS_MAX:
                    raise Unreadable(Reason.OVERSIZE, f"received more than {ITEMS_MAX} objects")
                told = own if outer is not None else _id_of(kind, values)
                told = told if isinstance(told, str) else ""
                yield _Capture(kind, values, sent, f"{own}/{place}/{kind}/{index}", told)


def _id_of(kind: str, values: Any) -> Any:
    return values.get(f"{kind}ID") if isinstance(values, dict) else None


def _lists(values: dict[str, Any]) -> list[tuple[str, list[Any]]]:
    """`FaceListObject.FaceObject` and `FaceObjectList.FaceObject` alike: the kind and its objects."""
    found = []
    for name, value in values.items():
        match = _LISTS.fullmatch(name)
        if match and isinstance(value, dict):
            found.append((match[1], _several(value.get(f"{match[1]}Object"))))
    return found


def _several(value: Any) -> list[Any]:
    """A list; one object where a sender leaves the list away."""
    return value if isinstance(value, list) else [value] if isinstance(value, dict) else []


def _sequence(name: str) -> int:
    """Keeps objects of one moment apart, the same at each sending; what it is made of cannot be read back."""
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=6).digest(), "big")


def _moment_ms(value: Any, zone: str) -> int:
    """`yyyyMMddHHmmss` in the declared zone, or epoch milliseconds as text or number."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if isinstance(text, str) and _LOCAL.fullmatch(text) and text.isascii():
        try:
            moment = datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=zone_named(zone))
        except ValueError:
            moment = None
        if moment is not None:
            return round(moment.timestamp() * 1000)
    if isinstance(text, str) and _EPOCH_MS.fullmatch(text) and text.isascii():
        return int(text)
    received = f"{type(value).__name__} of length {len(text) if isinstance(text, str) else 0}"
    raise Unreadable(Reason.BAD_TIME, received_allowed("time", received, ("yyyyMMddHHmmss", "epoch ms")))
