"""Reading fields out of untrusted messages: each helper gives the typed value or raises `Unreadable`.

`Unreadable` never leaves a codec: `reads` turns it, and nothing else but a nesting too deep, into the
`Rejected` value. So a codec reads like its format's description, and an error that is our own stays one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from connectors.base import Location, Rejected
from schemas.errors import received_allowed
from schemas.places.datum import DATUMS
from schemas.quarantine import Reason

__all__ = [
    "ID_MAX",
    "LATEST_MS",
    "WHOLE_MAX",
    "Unreadable",
    "as_list",
    "as_number",
    "as_object",
    "as_text",
    "field",
    "location_of",
    "moment_ms",
    "parse_json",
    "reads",
    "text_of",
    "whole",
    "zone_named",
]

LATEST_MS: Final = 253_402_300_799_999
"""Year 9999: no moment lies after it."""

WHOLE_MAX: Final = 2**53
ID_MAX: Final = 200
"""Most characters of a name."""

_R = TypeVar("_R")


class Unreadable(Exception):  # noqa: N818 - it is turned into a value before anyone sees it
    """A message or item that cannot be taken, on its way to becoming `Rejected`."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.rejected = Rejected(reason, detail)


def reads(decode: Callable[..., _R]) -> Callable[..., _R | Rejected]:
    """Decorate what reads a message, or one item: `Unreadable` becomes its `Rejected` value."""

    @functools.wraps(decode)
    def decoding(*args: Any) -> _R | Rejected:
        try:
            return decode(*args)
        except Unreadable as unreadable:
            return unreadable.rejected
        except RecursionError:
            return Rejected(Reason.MALFORMED, "received a nesting too deep to read")

    return decoding


def parse_json(payload: bytes) -> Any:
    """The JSON value; `encoding` if it is not UTF-8, `malformed` if it is not JSON."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        text_of(payload, "utf-8")
        raise Unreadable(Reason.MALFORMED, f"JSON: {error}; received {_shown(payload)}") from error


def text_of(payload: bytes, encoding: str) -> str:
    """The text; `encoding` if the bytes are not text in that encoding."""
    try:
        return payload.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(
            Reason.ENCODING,
            f"received byte 0x{payload[error.start]:02x} at {error.start}, allowed: {encoding} text",
        ) from error


def field(value: dict[str, Any], *names: str) -> Any:
    """The nested field; `missing_field` names the whole path."""
    for depth, name in enumerate(names):
        value = as_object(value, ".".join(names[:depth]) or "message")
        if name not in value or value[name] is None:
            raise Unreadable(Reason.MISSING_FIELD, ".".join(names[: depth + 1]))
        value = value[name]
    return value


def as_object(value: Any, what: str) -> dict[str, Any]:
    """A JSON object, or `wrong_type`."""
    if isinstance(value, dict):
        return value
    raise _wrong(what, value, "an object")


def as_list(value: Any, what: str) -> list[Any]:
    """A JSON array, or `wrong_type`."""
    if isinstance(value, list):
        return value
    raise _wrong(what, value, "an array")


def as_text(value: Any, what: str, longest: int = ID_MAX) -> str:
    """Printable, non-empty text of at most `longest` characters, or `wrong_type`."""
    if isinstance(value, str) and 0 < len(value) <= longest and value.isprintable():
        return value
    raise _wrong(what, value, f"1 to {longest} printable characters")


def as_number(value: Any, what: str) -> float:
    """A finite number (a boolean is none), or `wrong_type`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise _wrong(what, value, "a finite number")


def location_of(longitude: Any, latitude: Any, crs: Any) -> Location:
    """A location in a named datum; `wrong_type` for anything that is no place on Earth."""
    east, north = as_number(longitude, "longitude"), as_number(latitude, "latitude")
    if abs(east) > 180 or abs(north) > 90:
        raise _wrong("longitude, latitude", [east, north], "-180 to 180, -90 to 90")
    for known in DATUMS:
        if crs == known:
            return Location(east, north, known)
    raise _wrong("crs", crs, ", ".join(DATUMS))


def whole(value: Any, what: str) -> int:
    """A whole number from 0 to 2**53, or `wrong_type`."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= WHOLE_MAX:
        return value
    raise _wrong(what, value, "a whole number from 0 to 2**53")


def moment_ms(value: Any, what: str, zone: tzinfo | None = None) -> int:
    """ISO 8601 text to milliseconds since 1970 UTC; `zone` is for text without an offset.

    `bad_time` when it is not a moment, or has no offset and no zone is declared.
    """
    moment = _parsed(value, what)
    if moment.tzinfo is None:
        if zone is None:
            raise Unreadable(
                Reason.BAD_TIME, f"{what}: received {_shown(value)}, allowed: a time with offset"
            )
        moment = moment.replace(tzinfo=zone)
    try:
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except OverflowError as error:
        raise Unreadable(Reason.BAD_TIME, f"{what}: received {_shown(value)}") from error
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


@functools.cache
def zone_named(name: str) -> ZoneInfo | None:
    """The time zone of that IANA name, None for ""; ValueError for any other, as options want it."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(received_allowed("zone", name, ("an IANA name such as Asia/Shanghai",))) from error


def _parsed(value: Any, what: str) -> datetime:
    try:
        return datetime.fromisoformat(as_text(value, what))
    except (ValueError, Unreadable) as error:
        detail = received_allowed(what, _shown(value), ("ISO 8601 date and time",))
        raise Unreadable(Reason.BAD_TIME, detail) from error


def _wrong(what: str, value: object, allowed: str) -> Unreadable:
    return Unreadable(Reason.WRONG_TYPE, f"{what}: received {_shown(value)}, allowed: {allowed}")


def _shown(value: object) -> str:
    """The shape of a value, not its content: a detail is read by people who may not see the content."""
    if isinstance(value, bool | int | float | None):
        return repr(value)[:40]
    if isinstance(value, str | bytes | list | dict):
        return f"{type(value).__name__} of length {len(value)}"
    return type(value).__name__
