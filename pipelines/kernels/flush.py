"""Closing panes: from a shard's state to the windows that are new or have changed.

A flush happens exactly when a record's append time takes the watermark over a pane's end, before
that record is folded. So what is sent, and under which revision, is a function of the log alone:
batch sizes, restarts and the number of workers change nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from pipelines.kernels.batch import Int64s
from pipelines.kernels.gauges import GaugeState
from pipelines.kernels.measure import WindowView, measure
from pipelines.kernels.packed import Packed, pack, unpack
from pipelines.kernels.panes import Pane
from pipelines.kernels.passed import Passed
from pipelines.kernels.plan import Plan
from pipelines.kernels.state import Flush, FoldSettings, ShardState, WindowBlock

__all__ = ["flush", "replay_closed"]


def flush(plan: Plan, settings: FoldSettings, state: ShardState, watermark_ms: int, revision: int) -> Flush:
    """Close every pane that ends at or before the watermark; revise those that late readings changed."""
    boundary = watermark_ms // settings.pane_ms
    first = min(state.dirty, default=state.closed)
    oldest = min(state.panes, default=state.closed)
    anew = first < state.closed or any(boundary // n > state.closed // n for _, n in settings.long_windows)
    gauges = state.base.copy() if anew else state.head
    gauges.fit(len(state.table))
    blocks: list[WindowBlock] = []
    start = min(oldest, first) if anew else state.closed
    watched_from = max(start, settings.oldest_kept(boundary * settings.pane_ms))
    for index in _panes_to_visit(settings, state, start, watched_from, boundary):
        _close_pane(plan, state, gauges, index)
        if index >= first:
            blocks += _windows_ending_with(plan, settings, state, gauges, index, watched_from)
    state.head, state.closed = gauges, boundary
    state.dirty.clear()
    _forget(plan, settings, state, watermark_ms)
    _rest(settings, state)
    return Flush(revision, boundary * settings.pane_ms, blocks)


def _panes_to_visit(
    settings: FoldSettings, state: ShardState, start: int, watched_from: int, boundary: int
) -> list[int]:
    """Panes in order; a stretch in which the system did not run (no records at all) is passed over.

    After a stop of hours the log goes on with a leap of its clock. The empty panes of the leap that
    nobody can revise any more are not sent: nothing was observed in them.
    """
    wanted = set(range(watched_from, boundary))
    for index in state.panes:
        wanted.add(index)
        wanted.update(index // n * n + n - 1 for n in settings.panes_per_window)
    known = (*state.emitted, *state.passed)
    wanted.update((begin + size * 1000) // settings.pane_ms - 1 for size, begin in known)
    return sorted(index for index in wanted if start <= index < boundary)


def _close_pane(plan: Plan, state: ShardState, gauges: GaugeState, index: int) -> None:
    """Advance the gauges to the pane's end and note its rises per grid and metric."""
    pane = state.panes.get(index)
    if pane is None:
        return
    state.rises[index] = _rises(plan, state, gauges, pane)


def _rises(plan: Plan, state: ShardState, gauges: GaugeState, pane: Pane) -> Int64s:
    """Move the gauges to the pane's end; its rises, `[grid, metric]`."""
    series, rise = gauges.advance(pane.gauges)
    rises = np.zeros((len(state.table.grids), len(plan.metrics)), np.int64)
    np.add.at(rises, (state.table.grid[series], state.table.metric[series]), rise)
    return rises


def _windows_ending_with(
    plan: Plan, settings: FoldSettings, state: ShardState, gauges: GaugeState, index: int, watched_from: int
) -> Iterator[WindowBlock]:
    """The windows whose last pane is `index`, as far as they differ from what was sent before."""
    end_ms = (index + 1) * settings.pane_ms
    for window_s, count in zip(settings.window_s, settings.panes_per_window, strict=True):
        if (index + 1) % count:
            continue
        spanned = range(index + 1 - count, index + 1)
        panes = [state.panes[i] for i in spanned if i in state.panes]
        key = (window_s, end_ms - window_s * 1000)
        passed = state.passed.get(key)
        if key[1] < state.begins_ms:
            continue
        if not panes and passed is None and index < watched_from and key not in state.emitted:
            continue
        view = WindowView(
            panes,
            [state.rises[i] for i in spanned if i in state.rises],
            gauges,
            end_ms,
            passed,
        )
        values = measure(plan, state.table, view)
        block = _changed(state, *key, values)
        if block.grids:
            yield block


def _changed(state: ShardState, window_s: int, start_ms: int, values: Int64s) -> WindowBlock:
    """A window's first sending is whole; later only the grids that changed. A new grid was all zero."""
    packed = state.emitted.get((window_s, start_ms))
    if packed is None:
        rows = np.arange(values.shape[0])
    else:
        (before,) = unpack(bytes(packed))
        known = np.pad(before, ((0, values.shape[0] - before.shape[0]), (0, 0)))
        rows = np.flatnonzero((values != known).any(axis=1))
    if packed is None or rows.size:
        state.emitted[window_s, start_ms] = Packed(pack(values))
    texts = state.table.grids.texts
    return WindowBlock(window_s, start_ms, [texts[row] for row in rows], values[rows])


def _forget(plan: Plan, settings: FoldSettings, state: ShardState, watermark_ms: int) -> None:
    """Drop panes no reading falls in any more: their gauges become the base, long windows take the rest."""
    oldest_kept = settings.oldest_kept(watermark_ms)
    final_ms = oldest_kept * settings.pane_ms
    state.base.fit(len(state.table))
    for index in sorted(i for i in state.panes if i < oldest_kept):
        pane = state.panes.pop(index)
        rises = _rises(plan, state, state.base, pane)
        for window_s, count in settings.long_windows:
            key = (window_s, index // count * count * settings.pane_ms)
            if key[1] + window_s * 1000 > final_ms:
                state.passed.setdefault(key, Passed(metrics=len(plan.metrics))).take(pane, rises)
    held: tuple[dict[tuple[int, int], Any], ...] = (state.emitted, state.passed)
    for windows in held:
        for key in [k for k in windows if k[1] + k[0] * 1000 <= final_ms]:
            del windows[key]


def _rest(settings: FoldSettings, state: ShardState) -> None:
    """Pack the panes that only a straggler will touch again, and drop rises that a revision makes anew."""
    block = settings.panes_per_block
    begun = state.closed // block * block
    for index in [i for i in state.rises if i < begun]:
        del state.rises[index]
    for index, pane in state.panes.items():
        if index < begun - block:
            pane.rest()
    for passed in state.passed.values():
        passed.rest()


def replay_closed(plan: Plan, state: ShardState) -> None:
    """Make `head` and `rises` anew from the base and the closed panes, after a state was loaded."""
    gauges = state.base.copy()
    gauges.fit(len(state.table))
    for index in sorted(i for i in state.panes if i < state.closed):
        _close_pane(plan, state, gauges, index)
    state.head = gauges
