"""ONVIF notifications to readings and signals. What they say of an object (a plate, a face) is not read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Final
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element

import msgspec

from connectors.base import ITEMS_MAX, Decoded, Devices, Message, Observation, Rejected, SignalEvent
from connectors.fields import Unreadable, as_text, moment_ms, reads
from connectors.incidents import check_metrics, decoded, incident_of, overlaid
from connectors.onvif.topics import TOPICS, plain_topic, topic_metric
from connectors.xml_fields import child, children, local_name, text_in, xml_root
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["CODEC", "PERSONAL", "OnvifCodec"]

PERSONAL: Final = ("PlateNumber", "LicensePlate", "Plate", "FaceID")
"""SimpleItem names, or elements, whose values are personal."""

_ROOTS: Final = ("Envelope", "MetadataStream", "Notify", "PullMessagesResponse")
_SOURCES: Final = (
    *("VideoSourceConfigurationToken", "VideoSourceToken", "VideoSource", "Source", "InputToken", "Token"),
)
_WORDS: Final = {"true": True, "false": False, "active": True, "inactive": False}
_STATES: Final = _WORDS | {"1": True, "0": False}
_NAMED: Final = {"state", "ismotion", "isinside", "istamper", "logicalstate", "failed", "motion", "loss"}
_DEEPEST: Final = 16
_ID_DIGITS: Final = 15


class OnvifCodec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`topics` is laid over the table in topics.py, prefixes and case aside.

    `per_source`: the device is `<unit>/<source token>`; else `<unit>`, for cameras with one picture.
    """

    topics: dict[str, str] = msgspec.field(default_factory=dict)
    per_source: bool = True

    def __post_init__(self) -> None:
        check_metrics(self.topics.values())

    @reads
    def decode(self, message: Message, registry: Devices) -> Decoded:  # noqa: ARG002 - a codec's signature
        """What the notifications say; good ones count, bad ones are named."""
        root = xml_root(message.payload)
        if local_name(root) not in _ROOTS:
            raise Unreadable(
                Reason.UNSUPPORTED, received_allowed("root element", local_name(root)[:80], _ROOTS)
            )
        table = {plain_topic(name): metric for name, metric in overlaid(TOPICS, self.topics).items()}
        observations: list[Observation] = []
        signals: list[SignalEvent] = []
        rejected: list[Rejected] = []
        for index, notification in enumerate(_notifications(root)):
            if index == ITEMS_MAX:
                raise Unreadable(Reason.OVERSIZE, f"received more than {ITEMS_MAX} notifications")
            read = reads(self._notified)(notification, message.address, table)
            if isinstance(read, Rejected):
                rejected.append(Rejected(read.reason, f"[{index}] {read.detail}"))
            else:
                observations += read.observations
                signals += read.signals
        return Decoded(tuple(observations), tuple(signals), tuple(rejected))

    def _notified(self, notification: Element, address: str, table: dict[str, str]) -> Decoded:
        topic = plain_topic(as_text(text_in(notification, "Topic"), "Topic"))
        metric = topic_metric(topic, table)
        if metric is None:
            raise Unreadable(Reason.UNSUPPORTED, received_allowed("topic", topic, table))
        said = child(notification, "Message", "Message")
        if said is None:
            raise Unreadable(Reason.MISSING_FIELD, "Message.Message")
        operation = said.get("PropertyOperation", "Changed")
        # Initialized tells how things stand when somebody subscribes: no event, and no alarm.
        if not metric or operation == "Initialized":
            return Decoded()
        source, data = _items(said, "Source"), _items(said, "Data")
        at_ms = moment_ms(said.get("UtcTime"), "UtcTime", UTC)
        unit = _unit(notification, address)
        device = f"{unit}/{_token(source)}" if self.per_source else unit
        rule = source.get("Rule", "")
        alarm = as_text(rule, "Rule") if rule else ""
        active = operation != "Deleted" and _state(data)
        return decoded(incident_of(metric, device, at_ms, alarm, _object(data)), active=active)


CODEC: Final = OnvifCodec


def _notifications(element: Element, depth: int = 0) -> Iterator[Element]:
    """Every NotificationMessage, in order, wherever SOAP or the metadata stream wraps it."""
    if depth > _DEEPEST:
        raise Unreadable(Reason.MALFORMED, f"XML: received a nesting of more than {_DEEPEST} levels")
    for each in element:
        if local_name(each) == "NotificationMessage":
            yield each
        else:
            yield from _notifications(each, depth + 1)


def _items(said: Element, part: str) -> dict[str, str]:
    """SimpleItem names and values of Source, Key or Data."""
    found = child(said, part)
    items = children(found, "SimpleItem") if found is not None else ()
    return {item.get("Name", ""): item.get("Value", "") for item in items}


def _unit(notification: Element, address: str) -> str:
    """Who says so: the producer's host, else the last part of the path or topic it was sent to."""
    producer = text_in(notification, "ProducerReference", "Address")
    try:
        host = urlsplit(producer).hostname if producer else None
    except ValueError:
        host = None
    return as_text(host or address.rstrip("/").rpartition("/")[2], "producer")


def _token(source: dict[str, str]) -> str:
    """Which input of it: the first named source that is known, else the first of all."""
    value = next((source[name] for name in _SOURCES if source.get(name)), None)
    value = value or next((text for name, text in source.items() if text and name != "Rule"), None)
    if value is None:
        raise Unreadable(Reason.MISSING_FIELD, "Source.SimpleItem")
    return as_text(value, "Source.SimpleItem", 64)


def _state(data: dict[str, str]) -> bool:
    """The state that is told; an event that tells none (a line was crossed) just happened."""
    named = next((text for name, text in data.items() if name.lower() in _NAMED), None)
    if named is None:
        named = next((text for text in data.values() if text.lower() in _WORDS), "true")
    state = _STATES.get(named.lower())
    if state is None:
        raise Unreadable(Reason.WRONG_TYPE, received_allowed("state", named[:40], _STATES))
    return state


def _object(data: dict[str, str]) -> int:
    """Two objects that cross a line at one moment differ in their number."""
    said = data.get("ObjectId", "")
    return int(said) if said.isascii() and said.isdigit() and len(said) <= _ID_DIGITS else 0
