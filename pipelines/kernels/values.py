"""The values of a batch's records: a list of them, or stretches of one buffer, as they came from the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from pipelines.kernels.batch import Int64s
from pipelines.kernels.template import Bytes

__all__ = ["Stretches", "joined", "lengths_of", "rows_of"]


class Stretches(Sequence[bytes | None]):
    """Value `i` is `data[begins[i] : begins[i] + lengths[i]]`, or None where its length is below 0.

    It becomes an object of its own only when somebody asks for it.
    """

    __slots__ = ("begins", "data", "lengths")

    def __init__(self, data: bytes, begins: Int64s, lengths: Int64s) -> None:
        self.data, self.begins, self.lengths = data, begins, lengths

    def __len__(self) -> int:
        """How many values."""
        return self.begins.size

    @overload
    def __getitem__(self, at: int) -> bytes | None: ...
    @overload
    def __getitem__(self, at: slice) -> Stretches: ...
    def __getitem__(self, at: int | slice) -> bytes | Stretches | None:
        """A value, or some of them in the same buffer."""
        if isinstance(at, slice):
            return Stretches(self.data, self.begins[at], self.lengths[at])
        begin, length = int(self.begins[at]), int(self.lengths[at])
        return None if length < 0 else self.data[begin : begin + length]

    def __iter__(self) -> Iterator[bytes | None]:
        """Each value."""
        data = self.data
        ends = (self.begins + self.lengths).tolist()
        for begin, end in zip(self.begins.tolist(), ends, strict=True):
            yield data[begin:end] if end >= begin else None


def joined(parts: Sequence[Stretches]) -> Stretches:
    """The values of all parts, one after the other, in one buffer."""
    if len(parts) == 1:
        return parts[0]
    before = np.cumsum([0, *(len(part.data) for part in parts[:-1])])
    begins = [part.begins + start for part, start in zip(parts, before.tolist(), strict=True)]
    data = b"".join(part.data for part in parts)
    return Stretches(data, np.concatenate(begins), np.concatenate([part.lengths for part in parts]))


def lengths_of(values: Sequence[bytes | None]) -> Int64s:
    """Bytes of each record; 0 for a tick."""
    if isinstance(values, Stretches):
        return np.maximum(values.lengths, 0)
    try:
        return np.fromiter(map(len, values), np.int64, len(values))  # type: ignore[arg-type]
    except TypeError:
        return np.array([len(value or b"") for value in values], np.int64)


def rows_of(values: Sequence[bytes | None], index: Int64s, length: int) -> Bytes:
    """The values at these places, all of this length, as a matrix of bytes with a row each."""
    if isinstance(values, Stretches):
        octets = np.frombuffer(values.data, np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(octets, length)
        rows: Bytes = windows[values.begins[index]]
        return rows
    chosen = values if index.size == len(values) else [values[at] for at in index.tolist()]
    joined = b"".join(chosen)  # type: ignore[arg-type]
    return np.frombuffer(joined, np.uint8).reshape(index.size, length)
