"""A shard's state as bytes and back: arrays as they lie in memory, zstd over the whole.

Versioned: `VERSION` is raised when the form changes, together with a step that reads the one
before, so a newer worker reads an older state. Metrics and measures are stored by name and
matched on loading, so a release may add some at the end of the table.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
import numpy as np
import zstandard

from pipelines.kernels.batch import Int64s
from pipelines.kernels.flush import replay_closed
from pipelines.kernels.gauges import GaugeState
from pipelines.kernels.panes import GaugeRows, IdentitySet, Pane
from pipelines.kernels.plan import EVENT_RULES, Plan, plan_for
from pipelines.kernels.series import Names
from pipelines.kernels.state import ACCOUNTS, FoldSettings, ShardState
from schemas.errors import SettingsError
from schemas.kinds import Domain

__all__ = ["VERSION", "state_from_bytes", "state_to_bytes"]

VERSION: Final = 1


class _PaneBytes(msgspec.Struct, frozen=True):
    index: int
    sums: bytes
    seen: bytes
    gauges: tuple[bytes, bytes, bytes, bytes]


class _StateBytes(msgspec.Struct, frozen=True):
    version: int
    domain: Domain
    window_s: tuple[int, ...]
    metrics: tuple[str, ...]
    measures: tuple[str, ...]
    next_offset: int
    watermark_ms: int | None
    closed: int
    series: list[tuple[str, str, str, str]]
    subjects: list[str]
    columns: bytes
    base: tuple[bytes, bytes]
    panes: list[_PaneBytes]
    dirty: list[int]
    emitted: list[tuple[int, int, bytes]]
    sources: list[str]
    accounts: bytes
    refused: list[tuple[str, str, int]] = []


def state_to_bytes(settings: FoldSettings, state: ShardState) -> bytes:
    """The state, complete: `state_from_bytes` of it folds on as if nothing had happened."""
    plan = plan_for(state.domain)
    table = state.table
    columns = np.stack([table.metric, table.subject, table.newest_ms])
    grids = len(table.grids)
    content = _StateBytes(
        version=VERSION,
        domain=state.domain,
        window_s=settings.window_s,
        metrics=plan.metrics,
        measures=plan.measures,
        next_offset=state.next_offset,
        watermark_ms=state.watermark_ms,
        closed=state.closed,
        series=list(table.index),
        subjects=table.subjects.texts,
        columns=columns.tobytes(),
        base=(state.base.value.tobytes(), state.base.time_ms.tobytes()),
        panes=[_pane_to_bytes(index, pane, grids) for index, pane in sorted(state.panes.items())],
        dirty=sorted(state.dirty),
        emitted=[(size, start, values.tobytes()) for (size, start), values in state.emitted.items()],
        sources=state.sources.texts,
        accounts=state.accounts.tobytes(),
        refused=[(*key, count) for key, count in state.refused.items()],
    )
    return zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(content))


def state_from_bytes(settings: FoldSettings, data: bytes) -> ShardState:
    """The state that `state_to_bytes` was given.

    SettingsError when the windows were cut otherwise then: such a state cannot be gone on with.
    """
    raw = zstandard.ZstdDecompressor().decompress(data)
    content = msgspec.msgpack.decode(raw, type=_StateBytes)
    if content.version != VERSION:
        raise SettingsError(f"checkpoint version: received {content.version}, allowed: {VERSION}")
    if content.window_s != settings.window_s:
        raise SettingsError(
            f"window_s: received {settings.window_s}, the checkpoint was made with {content.window_s}; "
            "set it back, or rebuild from the log"
        )
    return _restore(plan_for(content.domain), content)


def _restore(plan: Plan, content: _StateBytes) -> ShardState:
    state = ShardState(content.domain, content.next_offset, content.watermark_ms, content.closed)
    columns = _int64s(content.columns).reshape(3, -1)
    table = state.table
    table.subjects = Names(content.subjects)
    known = [plan.metrics.index(key) for key in content.metrics]
    for key, metric, subject in zip(content.series, *columns[:2].tolist(), strict=True):
        table.add(key, known[metric], content.subjects[subject])
    table.newest_ms[:] = columns[2]
    state.base = GaugeState(*map(_int64s, content.base))
    state.panes = {pane.index: _pane_from_bytes(pane, plan, known) for pane in content.panes}
    state.dirty = set(content.dirty)
    measures = [plan.measures.index(name) for name in content.measures]
    for size, start, data in content.emitted:
        state.emitted[size, start] = _widened(
            _int64s(data).reshape(-1, len(measures)), measures, len(plan.measures)
        )
    state.sources = Names(content.sources)
    state.accounts = _int64s(content.accounts).reshape(len(ACCOUNTS), -1)
    state.refused = {(source, reason): count for source, reason, count in content.refused}
    replay_closed(plan, state)
    return state


def _pane_to_bytes(index: int, pane: Pane, grids: int) -> _PaneBytes:
    pane.fit(grids)
    pane.gauges.settle()
    rows = pane.gauges
    gauges = (rows.series.tobytes(), rows.time_ms.tobytes(), rows.seq.tobytes(), rows.value.tobytes())
    return _PaneBytes(index, pane.sums[:, :grids].tobytes(), pane.seen.sorted().tobytes(), gauges)


def _pane_from_bytes(data: _PaneBytes, plan: Plan, known: list[int]) -> Pane:
    sums = _int64s(data.sums).reshape(len(EVENT_RULES), -1, len(known))
    pane = Pane(0, len(plan.metrics))
    pane.sums = _widened(sums, known, len(plan.metrics))
    pane.seen = IdentitySet(np.frombuffer(data.seen, np.uint64).copy())
    series, time_ms, seq, value = map(_int64s, data.gauges)
    pane.gauges = GaugeRows(series, time_ms, seq, value)
    return pane


def _widened(values: Int64s, columns: list[int], width: int) -> Any:
    """Values whose last axis had `columns`, in an array of today's width."""
    wide = np.zeros((*values.shape[:-1], width), np.int64)
    wide[..., columns] = values
    return wide


def _int64s(data: bytes) -> Int64s:
    return np.frombuffer(data, np.int64).copy()
