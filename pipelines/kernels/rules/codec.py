"""The rules' state as bytes and back. Versioned like the others (`state_codec`)."""

from __future__ import annotations

from typing import Final

import msgspec
import numpy as np
import zstandard

from pipelines.kernels.rules.model import Rule
from pipelines.kernels.rules.state import RulesState, Track
from schemas.alerts import Level
from schemas.errors import OutdatedState, received_allowed
from schemas.kinds import Domain

__all__ = ["VERSION", "rules_from_bytes", "rules_to_bytes"]

VERSION: Final = 1


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class _TrackBytes(msgspec.Struct, frozen=True):
    fingerprint: str
    level: Level
    minute: int
    onset_ms: bytes
    clearing_ms: bytes
    active: bytes
    scope: bytes
    memory: bytes
    width: int


class _StateBytes(msgspec.Struct, frozen=True):
    version: int
    rosters: dict[str, list[str]]
    rules: dict[str, Rule]
    tracks: list[_TrackBytes]
    clocks_ms: dict[Domain, int]
    waiting: dict[str, dict[int, dict[str, list[str]]]]


def rules_to_bytes(state: RulesState) -> bytes:
    """The state, complete."""
    tracks = [_track_bytes(*key, track) for key, track in state.tracks.items()]
    content = _StateBytes(VERSION, state.rosters, state.rules, tracks, state.clocks_ms, state.waiting)
    return zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(content))


def rules_from_bytes(data: bytes) -> RulesState:
    """The state that `rules_to_bytes` was given; OutdatedState when its form is another release's."""
    raw = zstandard.ZstdDecompressor().decompress(data)
    version = msgspec.msgpack.decode(raw, type=_Versioned).version
    if version != VERSION:
        raise OutdatedState(received_allowed("checkpoint version of rules", version, (VERSION,)))
    content = msgspec.msgpack.decode(raw, type=_StateBytes)
    tracks = {(track.fingerprint, track.level): _track(track) for track in content.tracks}
    return RulesState(content.rosters, content.rules, tracks, content.clocks_ms, content.waiting)


def _track_bytes(fingerprint: str, level: Level, track: Track) -> _TrackBytes:
    return _TrackBytes(
        fingerprint,
        level,
        track.minute,
        onset_ms=track.onset_ms.tobytes(),
        clearing_ms=track.clearing_ms.tobytes(),
        active=track.active.tobytes(),
        scope=track.scope.tobytes(),
        memory=track.memory.tobytes(),
        width=track.memory.shape[1],
    )


def _track(held: _TrackBytes) -> Track:
    """Arrays of our own: those over bytes cannot be written to."""
    onset_ms = np.frombuffer(held.onset_ms, np.int64).copy()
    memory = np.frombuffer(held.memory, np.float64).reshape(len(onset_ms), held.width).copy()
    return Track(
        onset_ms,
        np.frombuffer(held.clearing_ms, np.int64).copy(),
        np.frombuffer(held.active, bool).copy(),
        np.frombuffer(held.scope, bool).copy(),
        memory,
        held.minute,
    )
