"""The state of a presence shard as bytes and back: arrays packed, zstd over the whole. Versioned."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Final

import msgspec
import numpy as np
import zstandard

from pipelines.kernels.packed import pack, unpack
from pipelines.kernels.presence.devices import DeviceTable, Facts
from pipelines.kernels.presence.fold import PresenceState
from pipelines.kernels.presence.habits import Habits, Person
from schemas.errors import OutdatedState, received_allowed

__all__ = ["VERSION", "presence_from_bytes", "presence_to_bytes"]

VERSION: Final = 2


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class _StateBytes(msgspec.Struct, frozen=True):
    version: int
    next_offset: int
    clock_ms: int
    minute: int
    facts: list[Facts]
    devices: bytes
    people: list[Person]
    habits: bytes
    moved: dict[int, dict[int, int]]
    heard: dict[str, int]
    simulated: dict[str, int]


def presence_to_bytes(state: PresenceState) -> bytes:
    """The state, complete."""
    content = _StateBytes(
        version=VERSION,
        next_offset=state.next_offset,
        clock_ms=state.clock_ms,
        minute=state.minute,
        facts=state.devices.facts,
        devices=pack(*_arrays(state.devices).values()),
        people=state.habits.people,
        habits=pack(*_arrays(state.habits).values()),
        moved=state.moved,
        heard=state.heard,
        simulated=state.simulated,
    )
    return zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(content))


def presence_from_bytes(data: bytes) -> PresenceState:
    """The state that `presence_to_bytes` was given; OutdatedState when its form is another release's."""
    raw = zstandard.ZstdDecompressor().decompress(data)
    version = msgspec.msgpack.decode(raw, type=_Versioned).version
    if version != VERSION:
        raise OutdatedState(received_allowed("checkpoint version of presence", version, (VERSION,)))
    content = msgspec.msgpack.decode(raw, type=_StateBytes)
    devices = DeviceTable(content.facts, {f.device: row for row, f in enumerate(content.facts)})
    habits = Habits(content.people, {p.subject: row for row, p in enumerate(content.people)})
    for table, packed in ((devices, content.devices), (habits, content.habits)):
        for name, array in zip(_arrays(table), unpack(packed), strict=True):
            setattr(table, name, array)
    state = PresenceState(content.next_offset, content.clock_ms, content.minute, devices, habits)
    state.moved, state.heard, state.simulated = content.moved, content.heard, content.simulated
    return state


def _arrays(table: DeviceTable | Habits) -> dict[str, np.ndarray[Any, Any]]:
    values = {field.name: getattr(table, field.name) for field in fields(table)}
    return {name: value for name, value in values.items() if isinstance(value, np.ndarray)}
