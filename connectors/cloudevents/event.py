"""The envelope of CloudEvents 1.0 as JSON, as a JSON batch, or as HTTP headers around a body."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from connectors.base import ITEMS_MAX, Message, Rejected
from connectors.encoded import bytes_of_base64
from connectors.fields import Unreadable, as_object, as_text, field, moment_ms, parse_json, reads
from schemas.errors import received_allowed
from schemas.quarantine import Reason

__all__ = ["Event", "events_of"]

_JSON: Final = "application/cloudevents+json"
_BATCH: Final = "application/cloudevents-batch+json"
_OTHER: Final = "application/cloudevents"
_PREFIX: Final = "ce-"
_SPECVERSION: Final = "1.0"
_TEXT_MAX: Final = 2_000
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_READ: Final = ("specversion", "id", "source", "type", "dataschema", "subject", "time", "datacontenttype")


@dataclass(frozen=True, slots=True)
class Event:
    """What is read of an event. `data` None: it has none. `content_type` "" is JSON; "" where not said."""

    type: str
    dataschema: str
    subject: str
    time_ms: int | None
    content_type: str
    data: bytes | None


def events_of(message: Message) -> Event | list[Event | Rejected]:
    """The event, or the batch of them; which mode it is says the content type, else the headers."""
    media = message.header("content-type").partition(";")[0].strip().lower()
    if media == _BATCH:
        return _batch(message.payload)
    if media != _JSON and media.startswith(_OTHER):
        raise Unreadable(Reason.UNSUPPORTED, received_allowed("content-type", media[:80], (_JSON, _BATCH)))
    if media != _JSON and any(name.startswith(_PREFIX) for name, _ in message.headers):
        return _binary(message)
    return _structured(_members(message.payload, dict[str, msgspec.Raw], as_object))


def _binary(message: Message) -> Event:
    said = {
        name.removeprefix(_PREFIX): _header_value(name, value)
        for name, value in message.headers
        if name.startswith(_PREFIX)
    }
    said["datacontenttype"] = message.header("content-type")
    return _event(said, message.payload or None)


def _header_value(name: str, value: str) -> str:
    """As HTTP binding 3.1.3.2 wants it: unquoted, then percent-decoded once."""
    quoted = _QUOTED.fullmatch(value.strip())
    plain = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else value
    try:
        return unquote(plain, errors="strict")
    except UnicodeDecodeError as error:
        raise Unreadable(Reason.ENCODING, f"{name}: received no UTF-8 behind its percent signs") from error


def _batch(payload: bytes) -> list[Event | Rejected]:
    members = _members(payload, list[msgspec.Raw], _as_array)
    if len(members) > ITEMS_MAX:
        raise Unreadable(Reason.OVERSIZE, f"received {len(members)} events, allowed: at most {ITEMS_MAX}")
    return [reads(_member)(bytes(each)) for each in members]


def _member(payload: bytes) -> Event:
    return _structured(_members(payload, dict[str, msgspec.Raw], as_object))


def _structured(given: dict[str, msgspec.Raw]) -> Event:
    said: dict[str, Any] = {name: parse_json(bytes(given[name])) for name in _READ if name in given}
    return _event(said, _data(given, said.get("datacontenttype")))


def _data(given: dict[str, msgspec.Raw], media: object) -> bytes | None:
    """The bytes another codec reads: JSON as it stands, text and base64 unwrapped; None for no data."""
    encoded, data = (bytes(given.get(name, b"null")) for name in ("data_base64", "data"))
    if encoded != b"null":
        if data != b"null":
            raise Unreadable(Reason.MALFORMED, "received data and data_base64, allowed: one of them")
        return bytes_of_base64(parse_json(encoded), "data_base64")
    if data == b"null":
        return None
    if _is_json(media):
        return data
    text = parse_json(data)
    if not isinstance(text, str):
        raise Unreadable(Reason.WRONG_TYPE, "data: received JSON, allowed: text, as datacontenttype says")
    return text.encode()


def _is_json(media: object) -> bool:
    base = media.partition(";")[0].strip().lower() if isinstance(media, str) else ""
    return not base or base.endswith(("/json", "+json"))


def _event(said: dict[str, Any], data: bytes | None) -> Event:
    version = as_text(field(said, "specversion"), "specversion")
    if version != _SPECVERSION:
        raise Unreadable(Reason.UNSUPPORTED, received_allowed("specversion", version, (_SPECVERSION,)))
    for name in ("id", "source"):
        as_text(field(said, name), name, _TEXT_MAX)
    time = _optional(said, "time")
    return Event(
        type=as_text(field(said, "type"), "type", _TEXT_MAX),
        dataschema=_optional(said, "dataschema"),
        subject=_optional(said, "subject"),
        time_ms=moment_ms(time, "time") if time else None,
        content_type=_optional(said, "datacontenttype"),
        data=data,
    )


def _optional(said: dict[str, Any], name: str) -> str:
    value = said.get(name)
    return "" if value is None or value == "" else as_text(value, name, _TEXT_MAX)


def _as_array(value: Any, what: str) -> Any:
    if isinstance(value, list):
        return value
    raise Unreadable(Reason.WRONG_TYPE, f"{what}: received {type(value).__name__}, allowed: an array")


def _members(payload: bytes, shape: Any, expected: Callable[[Any, str], Any]) -> Any:
    """The outer JSON value, its members still bytes, so that data stays as it was written."""
    try:
        return msgspec.json.decode(payload, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        expected(parse_json(payload), "event")  # says what is wrong with it
        raise Unreadable(Reason.MALFORMED, f"JSON: {error}") from error
