"""The state of a signals shard as bytes and back. Versioned like the others (`state_codec`)."""

from __future__ import annotations

from typing import Final

import msgspec
import zstandard

from pipelines.kernels.signals.fold import SignalsState, Watched
from schemas.errors import OutdatedState, received_allowed

__all__ = ["VERSION", "signals_from_bytes", "signals_to_bytes"]

VERSION: Final = 1


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class _StateBytes(msgspec.Struct, frozen=True):
    version: int
    next_offset: int
    clock_ms: int
    watched: list[tuple[str, str, str, Watched]]


def signals_to_bytes(state: SignalsState) -> bytes:
    """The state, complete."""
    watched = [(*key, held) for key, held in state.watched.items()]
    content = _StateBytes(VERSION, state.next_offset, state.clock_ms, watched)
    return zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(content))


def signals_from_bytes(data: bytes) -> SignalsState:
    """The state that `signals_to_bytes` was given; OutdatedState when its form is another release's."""
    raw = zstandard.ZstdDecompressor().decompress(data)
    version = msgspec.msgpack.decode(raw, type=_Versioned).version
    if version != VERSION:
        raise OutdatedState(received_allowed("checkpoint version of signals", version, (VERSION,)))
    content = msgspec.msgpack.decode(raw, type=_StateBytes)
    watched = {(device, kind, alarm): held for device, kind, alarm, held in content.watched}
    return SignalsState(content.next_offset, content.clock_ms, watched)
