"""A reading: one number, of one device, at one moment. What `readings.<domain>` carries.

A message of several values (blood pressure, a car park's count and capacity) becomes several
readings. Event time (`observed_at_ms`, the device's word) and arrival time (the log's append time)
are two things and are both kept.
"""

from __future__ import annotations

import hashlib

import msgspec

__all__ = ["Reading", "reading_id"]


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value of one metric of one device.

    The identity is (device, kind, metric, observed_at_ms, seq): the same five again are a
    duplicate and change nothing. `seq` tells apart two true readings in one millisecond (a frame
    counter, a serial number); 0 where the source has none. `subject` is the pseudonym of the
    person concerned, never an identity. `simulated` is carried wherever the value goes.
    """

    id: str
    kind: str
    metric: str
    value: float
    device: str
    grid: str
    source: str
    observed_at_ms: int
    received_at_ms: int
    seq: int = 0
    subject: str = ""
    simulated: bool = False


def reading_id(device: str, kind: str, metric: str, observed_at_ms: int, seq: int = 0) -> str:
    """Deterministic id: 32 hex digits of BLAKE2b over the five identity fields, NUL-separated."""
    identity = "\0".join((device, kind, metric, str(observed_at_ms), str(seq)))
    return hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
