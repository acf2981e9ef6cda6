"""Arrays at rest: what nobody changes for now, compressed in memory and, as it is, in checkpoints.

A shard remembers ten minutes of readings for the few that come late or twice. Most of it is never
looked at again: packed it takes a tenth of the room, and a checkpoint takes it as it lies.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import zstandard

__all__ = ["pack", "unpack"]

_LEVEL: Final = 1

Array = npt.NDArray[Any]


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
