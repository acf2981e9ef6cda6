"""The detectors' state as bytes and back: arrays as they lie, zstd over the whole. Versioned.

A state of another version is not read: the detectors learn anew, and say until then that they cannot judge.
"""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import zstandard

from pipelines.kernels.detect.bank import Bank
from pipelines.kernels.detect.district import DetectorState, LevelState
from schemas.alerts import Level
from schemas.errors import OutdatedState, received_allowed
from schemas.kinds import Domain

__all__ = ["VERSION", "detector_from_bytes", "detector_to_bytes"]

VERSION: Final = 3


class _LevelBytes(msgspec.Struct, frozen=True):
    domain: Domain
    level: Level
    places: list[str]
    figures: list[str]
    parents: bytes
    last_ms: int
    tick: int
    judged: int
    size: int
    arrays: dict[str, bytes]


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class _StateBytes(msgspec.Struct, frozen=True):
    version: int
    levels: list[_LevelBytes]
    caution: float | None


def detector_to_bytes(state: DetectorState) -> bytes:
    """The state, complete: `detector_from_bytes` of it goes on as if nothing had happened."""
    levels = [_level_to_bytes(domain, level, held) for (domain, level), held in state.levels.items()]
    content = msgspec.msgpack.encode(_StateBytes(VERSION, levels, state.caution))
    return zstandard.ZstdCompressor(level=1).compress(content)


def detector_from_bytes(data: bytes) -> DetectorState:
    """The state that `detector_to_bytes` was given; OutdatedState when its form is another release's."""
    raw = zstandard.ZstdDecompressor().decompress(data)
    version = msgspec.msgpack.decode(raw, type=_Versioned).version
    if version != VERSION:
        raise OutdatedState(received_allowed("checkpoint version of detectors", version, (VERSION,)))
    content = msgspec.msgpack.decode(raw, type=_StateBytes)
    levels = {(held.domain, held.level): _level_from_bytes(held) for held in content.levels}
    return DetectorState(levels, content.caution)


def _level_to_bytes(domain: Domain, level: Level, held: LevelState) -> _LevelBytes:
    return _LevelBytes(
        domain=domain,
        level=level,
        places=held.places,
        figures=list(held.figures),
        parents=held.parents.tobytes(),
        last_ms=held.last_ms,
        tick=held.tick,
        judged=held.judged,
        size=held.bank.size,
        arrays={name: array.tobytes() for name, array in held.bank.arrays.items()},
    )


def _level_from_bytes(data: _LevelBytes) -> LevelState:
    bank = Bank.empty()
    for name, empty in bank.arrays.items():
        stored = np.frombuffer(data.arrays[name], empty.dtype)
        bank.arrays[name] = stored.reshape(empty.shape[0], data.size).copy()
    bank.size = data.size
    parents = np.frombuffer(data.parents, np.int64).copy()
    return LevelState(tuple(data.figures), data.places, parents, bank, data.last_ms, data.tick, data.judged)
