"""Settled windows: what a stretch of a shard's log says once nothing of it can change any more.

The same fold as live, over a bounded log; of each window only the last version is kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np

from pipelines.kernels.batch import Int64s, ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.plan import plan_for
from pipelines.kernels.state import FoldSettings, ShardState, WindowBlock
from schemas.kinds import Domain
from schemas.store import HOUR_S

__all__ = ["Range", "SettledWindow", "parents_of", "settled_windows"]

Level = Literal["grid", "community", "street", "district"]
_LENGTHS: Final[tuple[tuple[Level, int], ...]] = (("community", 12), ("street", 9), ("district", 6))


@dataclass(frozen=True, slots=True)
class Range:
    """Windows that lie wholly in `[from_ms, to_ms)`, and the hours and longer ones that it touches.

    `heard` drops those in which no grid was heard of, `whole_from_ms` those that began before it: where one
    shard's log was cut, the others would give places above the grids without that shard's.
    """

    from_ms: int
    to_ms: int
    heard: bool = False
    whole_from_ms: int = 0

    def holds(self, block: WindowBlock) -> bool:
        """Whether the block's window is wanted."""
        start_ms, end_ms = block.start_ms, block.start_ms + block.window_s * 1000
        if start_ms < self.whole_from_ms:
            return False
        if block.window_s >= HOUR_S:
            return start_ms < self.to_ms and self.from_ms < end_ms
        return self.from_ms <= start_ms and end_ms <= self.to_ms


@dataclass(slots=True)
class SettledWindow:
    """One window of one shard: revision and fixed-point values of each of its grids."""

    domain: Domain
    window_s: int
    start_ms: int
    grids: dict[str, tuple[int, Int64s]] = field(default_factory=dict)


def settled_windows(
    settings: FoldSettings, state: ShardState, batches: Iterable[ShardBatch], wanted: Range
) -> Iterator[SettledWindow]:
    """Fold the batches into the state and yield each wanted window once, when it is final or they end."""
    open_windows: dict[tuple[int, int], SettledWindow] = {}
    for batch in batches:
        for flush in fold(settings, state, batch).flushes:
            for block in flush.blocks:
                if not wanted.holds(block) or (wanted.heard and not _is_heard(state.domain, block)):
                    continue
                _take(open_windows, state.domain, flush.revision, block)
        yield from _final(settings, state, open_windows)
    yield from open_windows.values()


def _is_heard(domain: Domain, block: WindowBlock) -> bool:
    return bool(block.values[:, plan_for(domain).measures.index("readings")].any())


def _take(
    open_windows: dict[tuple[int, int], SettledWindow], domain: Domain, revision: int, block: WindowBlock
) -> None:
    key = (block.window_s, block.start_ms)
    window = open_windows.setdefault(key, SettledWindow(domain, *key))
    for grid, values in zip(block.grids, block.values, strict=True):
        window.grids[grid] = (revision, values)


def _final(
    settings: FoldSettings, state: ShardState, open_windows: dict[tuple[int, int], SettledWindow]
) -> Iterator[SettledWindow]:
    """Windows that no late reading can reach any more leave, so memory holds one horizon, not the range."""
    oldest_ms = settings.oldest_kept(state.watermark_ms or 0) * settings.pane_ms
    for key in [key for key in open_windows if key[1] + key[0] * 1000 <= oldest_ms]:
        yield open_windows.pop(key)


def parents_of(grids: dict[str, tuple[int, Int64s]]) -> Iterator[tuple[Level, str, int, int, Int64s]]:
    """(level, code, revision, number of grids, sums) of every place above the grids, from all of them.

    A parent's revision is the sum of its grids', as in the live roll-up.
    """
    codes = sorted(grids)
    revisions = np.array([grids[code][0] for code in codes], np.int64)
    values = np.array([grids[code][1] for code in codes], np.int64)
    for level, length in _LENGTHS:
        places = np.array([code[:length] for code in codes])
        names, starts, counts = np.unique(places, return_index=True, return_counts=True)
        sums = np.add.reduceat(values, starts, axis=0)
        revision_sums = np.add.reduceat(revisions, starts)
        for name, revision, count, total in zip(names.tolist(), revision_sums, counts, sums, strict=True):
            yield level, name, int(revision), int(count), total
