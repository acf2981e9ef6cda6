"""Opens what is packed in bytes: gzip, Zstandard, LZ4, Snappy, also as Kafka and InfluxDB have it."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Final

import cramjam
import zstandard

__all__ = ["unpacked"]

_LARGEST: Final = 64 * 2**20
_CHUNK: Final = 2**16
_PACKED: Final = re.compile(rb"\x1f\x8b\x08|\x28\xb5\x2f\xfd|\x04\x22\x4d\x18|\x82SNAPPY\x00")


def unpacked(data: bytes) -> Iterator[bytes]:
    """What each thing that begins like something packed opens to, as far as it opens."""
    every = memoryview(data)
    for begin in _PACKED.finditer(data):
        inner = _OPENERS[begin.group()[:1]](every[begin.start() :])
        if inner:
            yield inner
    yield from _influxdb_log(data)


def _gzip(packed: memoryview) -> bytes:
    return _streamed(zlib.decompressobj(31), packed)


def _zstd(packed: memoryview) -> bytes:
    return _streamed(zstandard.ZstdDecompressor().decompressobj(), packed)


def _streamed(opened: Any, packed: memoryview) -> bytes:
    """Piece by piece: what stands behind its end is not copied."""
    read = bytearray()
    with suppress(zlib.error, zstandard.ZstdError):  # what only looked like it opens to nothing
        for at in range(0, len(packed), _CHUNK):
            read += opened.decompress(packed[at : at + _CHUNK])
            if opened.eof or len(read) > _LARGEST:
                break
    return bytes(read)


def _lz4(packed: memoryview) -> bytes:
    """A frame: what its header says, blocks with their length before them, none at the end."""
    if len(packed) < 7:
        return b""
    flags = packed[4]
    at = 7 + 8 * bool(flags & 8) + 4 * bool(flags & 1)
    while length := int.from_bytes(packed[at : at + 4], "little") & 0x7FFF_FFFF:
        at += 4 + length + 4 * bool(flags & 16)
    with suppress(cramjam.DecompressionError):
        return bytes(cramjam.lz4.decompress(packed[: at + 4 + 4 * bool(flags & 4)]))
    return b""


def _snappy_of_java(packed: memoryview) -> bytes:
    """As Kafka's Java clients write it: a header of 16 bytes, then blocks, each with its length before it."""
    read, at = b"", 16
    while at + 4 <= len(packed):
        (length,) = struct.unpack_from(">I", packed, at)
        block = _snappy(packed[at + 4 : at + 4 + length])
        if not block:
            break
        read, at = read + block, at + 4 + length
    return read


def _snappy(block: bytes | memoryview) -> bytes:
    """A block as Snappy has it; nothing of what is none."""
    with suppress(cramjam.DecompressionError):
        if cramjam.snappy.decompress_raw_len(block) <= _LARGEST:
            return bytes(cramjam.snappy.decompress_raw(block))
    return b""


def _influxdb_log(data: bytes) -> Iterator[bytes]:
    """A write-ahead log of InfluxDB: entries of a type, a length and a block of Snappy, from its begin."""
    at = data.find(b".wal") + 4
    while 4 <= at <= len(data) - 5 and data[at] in {1, 2, 3}:
        (length,) = struct.unpack_from(">I", data, at + 1)
        block = _snappy(data[at + 5 : at + 5 + length])
        if not block:
            return
        yield block
        at += 5 + length


_OPENERS: Final[dict[bytes, Callable[[bytes], bytes]]] = {
    b"\x1f": _gzip,
    b"\x28": _zstd,
    b"\x04": _lz4,
    b"\x82": _snappy_of_java,
}
