"""A shard's state as bytes and back: packed panes as they rest, arrays as they lie, zstd over the whole.

Versioned: `VERSION` is raised when the form changes; a state of another form is not read, and the
shard is folded anew from the log. Metrics and measures are stored by name and
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
from pipelines.kernels.packed import Packed, Resting, pack, unpack
from pipelines.kernels.panes import Pane
from pipelines.kernels.passed import Passed
from pipelines.kernels.plan import Plan, plan_for
from pipelines.kernels.series import Names
from pipelines.kernels.state import ACCOUNTS, FoldSettings, ShardState
from schemas.errors import OutdatedState, SettingsError, received_allowed
from schemas.kinds import Domain

__all__ = ["VERSION", "state_from_bytes", "state_to_bytes"]

VERSION: Final = 3


class _Versioned(msgspec.Struct, frozen=True):
    version: int


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
    panes: list[tuple[int, bytes]]
    dirty: list[int]
    passed: list[tuple[int, int, bytes]]
    emitted: list[tuple[int, int, bytes]]
    begins_ms: int
    sources: list[str]
    accounts: bytes
    refused: list[tuple[str, str, int]] = []


def state_to_bytes(settings: FoldSettings, state: ShardState) -> bytes:
    """The state, complete: `state_from_bytes` of it folds on as if nothing had happened."""
    plan = plan_for(state.domain)
    table = state.table
    columns = np.stack([table.metric, table.subject, table.newest_ms])
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
        panes=[(index, pane.packed()) for index, pane in sorted(state.panes.items())],
        dirty=sorted(state.dirty),
        passed=[(*key, passed.held.packed()) for key, passed in state.passed.items()],
        emitted=[(*key, bytes(values)) for key, values in state.emitted.items()],
        begins_ms=state.begins_ms,
        sources=state.sources.texts,
        accounts=state.accounts.tobytes(),
        refused=[(*key, count) for key, count in state.refused.items()],
    )
    return zstandard.ZstdCompressor(level=1).compress(msgspec.msgpack.encode(content))


def state_from_bytes(settings: FoldSettings, data: bytes) -> ShardState:
    """The state that `state_to_bytes` was given; OutdatedState when its form is another release's.

    SettingsError when the windows were cut otherwise then: such a state cannot be gone on with.
    """
    raw = zstandard.ZstdDecompressor().decompress(data)
    version = msgspec.msgpack.decode(raw, type=_Versioned).version
    if version != VERSION:
        raise OutdatedState(received_allowed("checkpoint version of aggregate", version, (VERSION,)))
    content = msgspec.msgpack.decode(raw, type=_StateBytes)
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
    state.panes = {index: _pane(data, plan, known) for index, data in content.panes}
    state.dirty = set(content.dirty)
    state.passed = {(size, start): _passed(data, plan, known) for size, start, data in content.passed}
    state.begins_ms = content.begins_ms
    measures = [plan.measures.index(name) for name in content.measures]
    state.emitted = {
        (size, start): _emitted(data, measures, len(plan.measures)) for size, start, data in content.emitted
    }
    state.sources = Names(content.sources)
    state.accounts = _int64s(content.accounts).reshape(len(ACCOUNTS), -1)
    state.refused = {(source, reason): count for source, reason, count in content.refused}
    replay_closed(plan, state)
    return state


def _pane(data: bytes, plan: Plan, known: list[int]) -> Pane:
    """The pane, at rest; its columns are today's metrics, which may be more than those it was made with."""
    if known == list(range(len(plan.metrics))):
        return Pane.of_packed(data)
    sums, *others = unpack(data)
    return Pane.of_packed(pack(_widened(sums, known, len(plan.metrics)), *others))


def _passed(data: bytes, plan: Plan, known: list[int]) -> Passed:
    """What has passed of a long window, at rest; widened as a pane is."""
    if known == list(range(len(plan.metrics))):
        return Passed(Resting.of_packed(data))
    sums, rises, heard = unpack(data)
    width = len(plan.metrics)
    return Passed(Resting(_widened(sums, known, width), _widened(rises, known, width), heard))


def _emitted(data: bytes, known: list[int], measures: int) -> Packed:
    if known == list(range(measures)):
        return Packed(data)
    (values,) = unpack(data)
    return Packed(pack(_widened(values, known, measures)))


def _widened(values: Int64s, columns: list[int], width: int) -> Any:
    """Values whose last axis had `columns`, in an array of today's width."""
    wide = np.zeros((*values.shape[:-1], width), np.int64)
    wide[..., columns] = values
    return wide


def _int64s(data: bytes) -> Int64s:
    return np.frombuffer(data, np.int64).copy()
