"""From an unpacked record batch of Kafka's log to columns: no object a record.

The layout is that of message format 2 (Apache Kafka, "Record Batch" in the protocol's message format): each
record begins with its length, so that one walk from length to length finds all of them; what a record says
of itself is then read from all at once.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s
from pipelines.kernels.template import Bytes
from pipelines.kernels.values import Stretches

__all__ = ["Records", "records_of"]

_MOST_SHIFT: Final = 56
"""Nine octets, 63 bits: more than any time or length that a log holds."""
_ATTRIBUTES: Final = 1


class Records(NamedTuple):
    """Offset and time of each record since those of its batch, and its value."""

    offset_deltas: Int64s
    time_deltas_ms: Int64s
    values: Stretches


def records_of(data: bytes, count: int) -> Records:
    """The records of a batch, `count` of them; ValueError when the bytes are not that many records."""
    octets, starts = np.frombuffer(data, np.uint8), _starts(data)
    if starts.size != count:
        raise ValueError(f"record batch: its header tells of {count} records, it holds {starts.size}")
    time_deltas, at = _varints(octets, starts + _ATTRIBUTES)
    offset_deltas, at = _varints(octets, at)
    key_lengths, at = _varints(octets, at)
    lengths, begins = _varints(octets, at + np.maximum(key_lengths, 0))
    if count and (begins + lengths > np.append(starts[1:], len(data))).any():
        raise ValueError("record batch: a value goes on beyond its record")
    return Records(offset_deltas, time_deltas, Stretches(data, begins, lengths))


def _starts(data: bytes) -> Int64s:
    """Where each record begins, behind its length."""
    starts: list[int] = []
    add, at, end = starts.append, 0, len(data)
    try:
        while at < end:
            octet = data[at]
            length, shift, at = octet & 0x7F, 7, at + 1
            while octet >= 0x80:
                octet = data[at]
                length, shift, at = length | (octet & 0x7F) << shift, shift + 7, at + 1
            add(at)
            # Zigzag; an odd one would be below zero: what it leads to is checked like any other.
            at += length >> 1
    except IndexError:
        at = -1
    if at != end:
        raise ValueError("record batch: a length does not lead to the next record")
    return np.array(starts, np.int64)


def _varints(octets: Bytes, at: Int64s) -> tuple[Int64s, Int64s]:
    """Zigzag varints at these places, and the places behind them; ValueError when one does not end."""
    value, at, shift = np.zeros(at.size, np.int64), at.copy(), 0
    more: npt.NDArray[np.intp] = np.arange(at.size)
    while more.size:
        places = at[more]
        if shift > _MOST_SHIFT or places.max() >= octets.size:
            raise ValueError("record batch: a number does not end where it should")
        octet = octets[places].astype(np.int64)
        value[more] |= (octet & 0x7F) << shift
        at[more] += 1
        more, shift = more[octet >= 0x80], shift + 7
    return (value >> 1) ^ -(value & 1), at
