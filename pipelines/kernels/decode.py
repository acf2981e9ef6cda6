"""From the bytes of a micro-batch to readings; what is not a reading comes out with its reason.

Only the fields the fold needs are decoded: msgspec skips the others at a fraction of the cost.
Measured (236-byte readings, one core): 0.5 µs to decode one, 0.05 µs to lift one field of one
reading into a column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from schemas.quarantine import Reason

__all__ = ["Decoded", "HotReading", "Rejection", "decode_readings"]


WholeNumber = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
"""What survives every JSON reader exactly, and an int64 column."""


class HotReading(msgspec.Struct, gc=False):
    """The fields of `schemas.readings.Reading` that the fold looks at."""

    kind: str
    metric: str
    value: float
    device: str
    grid: str
    source: str
    observed_at_ms: WholeNumber
    seq: WholeNumber = 0
    subject: str = ""
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class Rejection:
    """Record `index` of the batch cannot be folded."""

    index: int
    reason: Reason
    detail: str
    source: str = "unknown"


@dataclass(frozen=True, slots=True)
class Decoded:
    """`readings[i]` came from record `indices[i]`; ticks are in neither list."""

    readings: list[HotReading]
    indices: Sequence[int]
    rejections: list[Rejection]


_DECODER = msgspec.json.Decoder(HotReading)


def decode_readings(values: Sequence[bytes | None]) -> Decoded:
    """Decode a batch in one sweep; only a batch with a bad record or a tick in it is gone through singly."""
    try:
        return Decoded(list(map(_DECODER.decode, values)), range(len(values)), [])  # type: ignore[arg-type]
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError, RecursionError):
        return _decode_singly(values)


def _decode_singly(values: Sequence[bytes | None]) -> Decoded:
    readings, indices, rejections = [], [], []
    for index, value in enumerate(values):
        if value is None:
            continue
        try:
            readings.append(_DECODER.decode(value))
            indices.append(index)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            rejections.append(Rejection(index, _reason(error), str(error)[:200]))
    return Decoded(readings, indices, rejections)


def _reason(error: Exception) -> Reason:
    if isinstance(error, UnicodeDecodeError):
        return Reason.ENCODING
    if isinstance(error, msgspec.ValidationError):
        return Reason.MISSING_FIELD if "missing required field" in str(error) else Reason.WRONG_TYPE
    return Reason.MALFORMED
