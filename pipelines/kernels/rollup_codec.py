"""The roll-up's state as bytes and back: packed rows as they rest, arrays as they lie, zstd over the whole.

Versioned: `VERSION` is raised when the form changes; a state of another form is not read, and the
situation is rolled up anew from the topic `windows`. Measures are stored by name and matched on
loading, so a release may add some.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np
import zstandard

from pipelines.kernels.batch import Int64s
from pipelines.kernels.packed import Resting, pack, unpack
from pipelines.kernels.plan import plan_for
from pipelines.kernels.rollup_state import Cell, DomainState, GridRows, Level, RollupState, ShardTable
from schemas.errors import OutdatedState, SettingsError, received_allowed
from schemas.kinds import Domain

__all__ = ["VERSION", "rollup_from_bytes", "rollup_to_bytes"]

VERSION: Final = 3


class _CellBytes(msgspec.Struct, frozen=True):
    start_ms: int
    window_s: int
    told: int
    due_ms: int | None
    areas: bytes
    dirty: bytes
    shards: dict[str, bytes]


class _DomainBytes(msgspec.Struct, frozen=True):
    domain: Domain
    measures: tuple[str, ...]
    shards: int | None
    closed_ms: dict[str, int]
    next_due_ms: int | None
    areas: list[tuple[Level, str]]
    grids: dict[str, list[str]]
    parents: dict[str, bytes]
    cells: list[_CellBytes]


class _Versioned(msgspec.Struct, frozen=True):
    version: int


class _StateBytes(msgspec.Struct, frozen=True):
    version: int
    next_offset: int
    clock_ms: int
    accounts: dict[str, int]
    domains: list[_DomainBytes]


def rollup_to_bytes(state: RollupState) -> bytes:
    """The state, complete: `rollup_from_bytes` of it goes on as if nothing had happened."""
    content = _StateBytes(
        version=VERSION,
        next_offset=state.next_offset,
        clock_ms=state.clock_ms,
        accounts=state.accounts,
        domains=[_domain_to_bytes(domain, held) for domain, held in state.domains.items()],
    )
    return zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(content))


def rollup_from_bytes(data: bytes) -> RollupState:
    """The state that `rollup_to_bytes` was given; OutdatedState when its form is another release's."""
    raw = zstandard.ZstdDecompressor().decompress(data)
    version = msgspec.msgpack.decode(raw, type=_Versioned).version
    if version != VERSION:
        raise OutdatedState(received_allowed("checkpoint version of situation", version, (VERSION,)))
    content = msgspec.msgpack.decode(raw, type=_StateBytes)
    state = RollupState(content.next_offset, content.clock_ms, accounts=content.accounts)
    state.domains = {held.domain: _domain_from_bytes(held) for held in content.domains}
    return state


def _domain_to_bytes(domain: Domain, held: DomainState) -> _DomainBytes:
    return _DomainBytes(
        domain=domain,
        measures=plan_for(domain).measures,
        shards=held.shards,
        closed_ms=held.closed_ms,
        next_due_ms=held.next_due_ms,
        areas=list(held.areas),
        grids={shard: list(table.rows) for shard, table in held.tables.items()},
        parents={shard: np.array(table.parents, np.int64).tobytes() for shard, table in held.tables.items()},
        cells=[_cell_to_bytes(key, cell) for key, cell in held.cells.items()],
    )


def _cell_to_bytes(key: tuple[int, int], cell: Cell) -> _CellBytes:
    start_ms, window_s = key
    return _CellBytes(
        start_ms=start_ms,
        window_s=window_s,
        told=cell.told,
        due_ms=cell.due_ms,
        areas=cell.held.packed(),
        dirty=cell.dirty.tobytes(),
        shards={shard: rows.held.packed() for shard, rows in cell.shards.items()},
    )


def _domain_from_bytes(data: _DomainBytes) -> DomainState:
    today = plan_for(data.domain).measures
    unknown = [name for name in data.measures if name not in today]
    if unknown:
        raise SettingsError(
            f"checkpoint of situation: received measures {', '.join(unknown)} of {data.domain}, allowed: "
            f"{', '.join(today)}; restart with --from-oldest to rebuild from the topic `windows`"
        )
    held = DomainState(data.shards, data.closed_ms, next_due_ms=data.next_due_ms)
    held.areas = {area: row for row, area in enumerate(data.areas)}
    for shard, grids in data.grids.items():
        parents = list(_int64s(data.parents[shard]).reshape(len(grids), -1))
        held.tables[shard] = ShardTable({grid: row for row, grid in enumerate(grids)}, parents)
    columns = [today.index(name) for name in data.measures]
    held.cells = {
        (cell.start_ms, cell.window_s): _cell_from_bytes(cell, columns, len(today)) for cell in data.cells
    }
    return held


def _cell_from_bytes(data: _CellBytes, columns: Sequence[int], measures: int) -> Cell:
    cell = Cell(0, measures)
    cell.told, cell.due_ms = data.told, data.due_ms
    cell.dirty = np.frombuffer(data.dirty, np.bool_).copy()
    cell.held = _held(data.areas, columns, measures)
    for shard, packed in data.shards.items():
        cell.shards[shard] = GridRows(0, measures)
        cell.shards[shard].held = _held(packed, columns, measures)
    return cell


def _held(packed: bytes, columns: Sequence[int], measures: int) -> Resting:
    """Values and what stands beside them, at rest; today's measures may be more than those then."""
    if list(columns) == list(range(measures)):
        return Resting.of_packed(packed)
    values, *others = unpack(packed)
    return Resting.of_packed(pack(_widened(values, columns, measures), *others))


def _widened(rows: Int64s, columns: Sequence[int], width: int) -> Int64s:
    """Rows that had `columns`, in an array of today's width."""
    wide = np.zeros((rows.shape[0], width), np.int64)
    wide[:, columns] = rows
    return wide


def _int64s(data: bytes) -> Int64s:
    return np.frombuffer(data, np.int64).copy()
