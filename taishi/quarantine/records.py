"""A quarantined record as it stands in the log, what to pick, and the way it came. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

from msgspec.structs import replace

from connectors.privacy.keys import Keys
from connectors.privacy.mask import mask
from connectors.privacy.seal import SealBroken, is_sealed, unseal
from schemas.errors import SettingsError
from schemas.quarantine import Quarantined, Reason

__all__ = [
    "Held",
    "Position",
    "Route",
    "Selection",
    "excerpt",
    "explained",
    "held",
    "opened",
    "parse_since",
    "route",
]

EXCERPT_BYTES: Final = 200
"""How much of a payload is shown unasked: it may hold what is nobody's business."""

_SHARD: Final = re.compile(r"^(?P<topic>[\w.]+)/(?P<partition>\d+)[:@](?P<offset>\d+)$")
_AGO: Final = re.compile(r"^(\d+)(s|m|h|d)$")
_ONE_WAY: Final = frozenset({"sip", "tcp", "poll"})
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where a record stands in the topic `quarantine`; written `PARTITION:OFFSET`."""

    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.partition}:{self.offset}"

    @classmethod
    def parse(cls, text: str) -> Position:
        """From `0:17`; SettingsError for anything else."""
        partition, _, offset = text.partition(":")
        if not (partition.isdecimal() and offset.isdecimal()):
            raise SettingsError(f"position: received {text!r}, allowed: PARTITION:OFFSET, such as 0:17")
        return cls(int(partition), int(offset))


@dataclass(frozen=True, slots=True)
class Held:
    """One record: where it stands, when the log took it, what it is."""

    position: Position
    appended_at_ms: int
    what: Quarantined

    def facts(self) -> dict[str, Any]:
        """Everything but the payload, ready for JSON."""
        return {
            "position": str(self.position),
            "appended_at": datetime.fromtimestamp(self.appended_at_ms / 1000, UTC).isoformat(),
            "reason": self.what.reason.value,
            "detail": self.what.detail,
            "source": self.what.source,
            "address": self.what.address,
            "received_at_ms": self.what.received_at_ms,
            "bytes": len(self.what.payload),
            "sealed": self.what.sealed,
        }


def held(
    position: Position, appended_at_ms: int, headers: Iterable[tuple[str, bytes | None]], payload: bytes
) -> Held:
    """From a Kafka record; a header that is missing or not ours to read is an empty fact, never an error."""
    given = {name: value or b"" for name, value in headers}
    hidden = given.pop("detail") if is_sealed(given.get("detail", b"")) else b""
    facts = {name: value.decode(errors="replace") for name, value in given.items()}
    reason, received = facts.get("reason", ""), facts.get("received_at_ms", "")
    known = reason in {each.value for each in Reason}
    return Held(
        position,
        appended_at_ms,
        Quarantined(
            reason=Reason(reason) if known else Reason.UNSUPPORTED,
            detail=facts.get("detail", "")
            if known
            else f"reason: received {reason!r}; {facts.get('detail', '')}",
            source=facts.get("source", ""),
            address=facts.get("address", ""),
            received_at_ms=int(received) if received.isdecimal() else 0,
            payload=payload,
            sealed="sealed" in facts,
            sealed_detail=hidden,
        ),
    )


def opened(record: Held, keys: Keys | None) -> Held:
    """The record with its original bytes; where the keys do not open it, as it is, its detail saying why."""
    found = explained(record, keys)
    what = found.what
    if not what.sealed:
        return found
    try:
        original = replace(what, payload=_unsealed(keys, what.payload), sealed=False)
    except SealBroken as broken:
        original = replace(what, detail=f"{what.detail} ({broken})".strip())
    return dataclasses.replace(found, what=original)


def explained(record: Held, keys: Keys | None) -> Held:
    """The record with its detail readable, its payload as it is; without the keys the detail stays empty."""
    what = record.what
    try:
        detail = _unsealed(keys, what.sealed_detail) if what.sealed_detail else what.detail.encode()
    except SealBroken:  # `opened` says so, of the payload
        return record
    told = replace(what, detail=detail.decode(errors="replace"), sealed_detail=b"")
    return dataclasses.replace(record, what=told)


def _unsealed(keys: Keys | None, data: bytes) -> bytes:
    if keys is None:
        raise SealBroken("no keys file on this machine")
    return unseal(keys, data)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are wanted; None wants all."""

    reason: Reason | None = None
    source: str | None = None
    since_ms: int | None = None

    def takes(self, record: Held) -> bool:
        """Whether the record is wanted; `since_ms` is compared with the log's time."""
        return (
            (self.reason is None or record.what.reason is self.reason)
            and (self.source is None or record.what.source == self.source)
            and (self.since_ms is None or record.appended_at_ms >= self.since_ms)
        )


def parse_since(text: str, now: datetime) -> int:
    """`30m`, `2h`, `7d` ago or an ISO 8601 moment (UTC if it names no zone), as ms; SettingsError else."""
    if ago := _AGO.match(text):
        moment = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    else:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise SettingsError(
                f"since: received {text!r}, allowed: 30m, 2h, 7d or an ISO 8601 moment"
            ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def excerpt(payload: bytes, personal: Collection[str] = ()) -> str:
    """The first 200 bytes as text, what cannot be printed as dots, and how much there is in all.

    The values of `personal` names are masked.
    """
    text = mask(payload[:EXCERPT_BYTES].decode(errors="replace"), personal)
    shown = "".join(char if char.isprintable() and char != "\ufffd" else "." for char in text)
    rest = f" … ({len(payload)} bytes)" if len(payload) > EXCERPT_BYTES else ""
    return shown + rest


@dataclass(frozen=True, slots=True)
class Route:
    """The way a message came: `address` is a path, an MQTT topic, or a Kafka topic with its partition."""

    transport: Literal["http", "mqtt", "log"]
    address: str
    partition: int = -1


def route(what: Quarantined, http_paths: Mapping[str, str] | None = None) -> Route | str:
    """The way a record's message came in, or why it cannot take it again.

    What the connectors refused goes through the connectors again; what the aggregate refused was on
    the log already, and goes back to its own shard. What came by a door that only devices speak to (SIP,
    frames over TCP, answers to our own questions) goes by HTTP, where its codec has a path there.
    """
    if what.sealed:
        return f"sealed: {what.detail}"
    if shard := _SHARD.match(what.address):
        return Route("log", shard["topic"], int(shard["partition"]))
    transport, _, codec = what.source.partition(".")
    if transport in _ONE_WAY and (path := (http_paths or {}).get(codec)):
        return Route("http", path)
    return _same_way(transport, what) or _no_way(transport, what)


def _same_way(transport: str, what: Quarantined) -> Route | None:
    if transport == "http" and what.address.startswith("/"):
        return Route("http", what.address)
    if transport == "mqtt" and what.address and not set("+#\0") & set(what.address):
        return Route("mqtt", what.address)
    return None


def _no_way(transport: str, what: Quarantined) -> str:
    if transport == "file":
        return f"it came from a file ({what.address}): `taishi replay` the file"
    return f"no way back: source {what.source!r}, address {what.address!r}"
