"""Arrays at rest: what nobody changes for now, compressed in memory and, as it is, in checkpoints.

A shard remembers ten minutes of readings for the few that come late or twice. Most of it is never
looked at again: packed it takes a tenth of the room, and a checkpoint takes it as it lies.

What rests for minutes between arrays that come and go by the second must not lie between them in
memory: each piece would keep a hole open that the next array does not fit into (measured: 15 MiB a
worker in half an hour). `Packed` holds it in pieces of the size that Python keeps in pools of its own.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

__all__ = ["Packed", "Resting", "pack", "unpack"]

_LEVEL: Final = 1

Array = npt.NDArray[Any]


_PIECE_BYTES: Final = 448
"""With a bytes object's head below 512: what the C library's allocator never sees."""


class Packed:
    """Bytes that rest for long; `bytes(packed)` are they."""

    __slots__ = ("_pieces",)

    def __init__(self, data: bytes) -> None:
        self._pieces = [data[at : at + _PIECE_BYTES] for at in range(0, len(data), _PIECE_BYTES)]

    def __bytes__(self) -> bytes:
        return b"".join(self._pieces)


class _ArrayBytes(msgspec.Struct, frozen=True, array_like=True):
    dtype: str
    shape: tuple[int, ...]
    planes: bytes


def pack(*arrays: Array) -> bytes:
    """The arrays as bytes; `unpack` gives them back, equal in type, shape and every bit.

    Each is laid out by byte plane (all first bytes, all second ones, …): the high bytes of counts,
    times and sorted numbers are nearly all alike, and alike bytes side by side compress.
    """
    content = [_ArrayBytes(array.dtype.str, array.shape, _planes(array)) for array in arrays]
    return zstandard.ZstdCompressor(level=_LEVEL).compress(msgspec.msgpack.encode(content))


def unpack(data: bytes) -> list[Array]:
    """The arrays that `pack` was given, writable."""
    raw = zstandard.ZstdDecompressor().decompress(data)
    return [_array(each) for each in msgspec.msgpack.decode(raw, type=list[_ArrayBytes])]


def _planes(array: Array) -> bytes:
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.uint8).reshape(flat.size, array.itemsize).T.tobytes()


def _array(data: _ArrayBytes) -> Array:
    dtype = np.dtype(data.dtype)
    planes = np.frombuffer(data.planes, np.uint8).reshape(dtype.itemsize, -1)
    return planes.T.copy(order="C").reshape(-1).view(dtype).reshape(data.shape)


class Resting:
    """Int64 arrays that belong together, packed between one change and the next look.

    Say `change` before changing anything in place: what was packed is then no longer it.
    """

    __slots__ = ("_arrays", "_packed")

    def __init__(self, *arrays: Array) -> None:
        self._arrays: tuple[Array, ...] | None = arrays
        self._packed: Packed | None = None

    @classmethod
    def of_packed(cls, data: bytes) -> Resting:
        """The arrays that `packed` told of, at rest."""
        resting = cls()
        resting._arrays, resting._packed = None, Packed(data)
        return resting

    def awake(self) -> tuple[Array, ...]:
        """The arrays."""
        if self._arrays is None:
            self._arrays = tuple(unpack(self.packed()))
        return self._arrays

    def change(self, *arrays: Array) -> None:
        """What comes next changes the arrays, or these take their place."""
        self._arrays = arrays or self.awake()
        self._packed = None

    def rest(self) -> None:
        """Pack; the next look unpacks again."""
        if self._packed is None:
            self._packed = Packed(self.packed())
        self._arrays = None

    def packed(self) -> bytes:
        """The arrays as bytes."""
        return pack(*self.awake()) if self._packed is None else bytes(self._packed)
