"""What could not be taken, and why: the closed list of reasons and the record's headers.

A quarantined record's value is the original bytes, whole, sealed where a device or a platform sent
them; everything known about them is in its Kafka headers, so nothing is lost. The detail names what was
received, which may be a person's name or number, so it is sealed with them.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

__all__ = ["Quarantined", "Reason"]


class Reason(StrEnum):
    """Why a message was quarantined. Closed: a new reason is a change of this list and of its docs."""

    MALFORMED = "malformed"  # not what the format says: broken JSON, cut frame, bad checksum
    ENCODING = "encoding"  # not text in the declared encoding
    WRONG_TYPE = "wrong_type"  # a field holds something of another type
    MISSING_FIELD = "missing_field"  # a field that must be there is not
    OVERSIZE = "oversize"  # larger than the source allows
    UNSUPPORTED = "unsupported"  # a known format, but a message type we do not take
    UNKNOWN_DEVICE = "unknown_device"  # not in the registry, and no location to place it by
    UNKNOWN_PLACE = "unknown_place"  # outside every grid, or a grid code that does not exist
    IMPLAUSIBLE = "implausible"  # a value no working device of this kind can have
    RATE = "rate"  # more readings than one device may send
    FUTURE = "future"  # observed later than the log's clock allows
    BAD_TIME = "bad_time"  # no readable observation time, or before 2000-01-01


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """One refused message. `address` is the MQTT topic, HTTP path, file and line, or shard and offset.

    `sealed`: the payload is readable only with the installation's keys; so is the detail, which then is
    `sealed_detail`, and `detail` says nothing.
    """

    reason: Reason
    detail: str
    source: str
    address: str
    received_at_ms: int
    payload: bytes
    sealed: bool = False
    sealed_detail: bytes = b""

    def headers(self) -> list[tuple[str, bytes]]:
        """The Kafka headers; the payload itself is the record's value."""
        return [
            ("reason", self.reason.value.encode()),
            ("detail", self.sealed_detail or self.told()),
            ("source", self.source.encode()),
            ("address", self.address[:500].encode()),
            ("received_at_ms", str(self.received_at_ms).encode()),
            *([("sealed", b"1")] if self.sealed else []),
        ]

    def told(self) -> bytes:
        """The detail as far as a header takes it: 500 characters."""
        return self.detail[:500].encode()
