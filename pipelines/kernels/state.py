"""The state of a shard's fold, and what a fold puts out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pipelines.kernels.batch import Int64s
from pipelines.kernels.decode import Rejection
from pipelines.kernels.gauges import GaugeState
from pipelines.kernels.packed import Packed
from pipelines.kernels.panes import MAX_PANE_MS, Pane
from pipelines.kernels.passed import Passed
from pipelines.kernels.series import Names, SeriesTable
from schemas.errors import SettingsError
from schemas.kinds import Domain

__all__ = ["ACCOUNTS", "Flush", "FoldOutput", "FoldSettings", "ShardState", "WindowBlock"]

ACCOUNTS = ("consumed", "stored", "duplicate", "late", "quarantined")
"""What becomes of a reading, counted per source: consumed is the sum of the other four."""


@dataclass(frozen=True, slots=True)
class FoldSettings:
    """How time is cut. All in ms but `window_s`, whose first is the pane and divides the others.

    Windows longer than `long_s` are summed up as their panes leave; shorter ones have all their panes
    for as long as a reading may change them.
    """

    window_s: tuple[int, ...] = (10, 60, 3600)
    delay_ms: int = 5_000
    lateness_ms: int = 600_000
    skew_max_ms: int = 60_000
    long_s: int = 600

    def __post_init__(self) -> None:
        pane_s = self.window_s[0] if self.window_s else 0
        if not 0 < pane_s * 1000 < MAX_PANE_MS:
            raise SettingsError(f"window_s: received {self.window_s}; the first must be 1 to 65 s")
        if any(size % pane_s or size < pane_s for size in self.window_s):
            raise SettingsError(
                f"window_s: received {self.window_s}; each must be a multiple of the first ({pane_s})"
            )

    @property
    def pane_ms(self) -> int:
        """Length of a pane: the smallest window."""
        return self.window_s[0] * 1000

    @property
    def panes_per_window(self) -> tuple[int, ...]:
        """Panes in a window of each size."""
        return tuple(size // self.window_s[0] for size in self.window_s)

    @property
    def panes_per_block(self) -> int:
        """Panes leave by whole windows: those of the largest that is not long."""
        short = [size for size in self.window_s if size <= self.long_s]
        return max(short, default=self.window_s[0]) // self.window_s[0]

    @property
    def long_windows(self) -> tuple[tuple[int, int], ...]:
        """(size in s, panes) of each long window."""
        sizes = zip(self.window_s, self.panes_per_window, strict=True)
        return tuple((size, panes) for size, panes in sizes if panes > self.panes_per_block)

    @property
    def final_after_ms(self) -> int:
        """How far a shard's progress past a window's end says that no revision of it comes any more."""
        return self.lateness_ms + 2 * self.panes_per_block * self.pane_ms

    def oldest_kept(self, watermark_ms: int) -> int:
        """Index of the oldest pane a reading may still fall in, down to a whole block."""
        block = self.panes_per_block
        return (watermark_ms - self.lateness_ms) // self.pane_ms // block * block


@dataclass(slots=True)
class ShardState:
    """Everything the fold remembers. It belongs to its shard and is consumed by each `fold`.

    `base` holds the gauges as of the oldest pane kept, `head` as of the last closed pane's end;
    `closed` is the index of the first pane not closed yet; `dirty` are closed panes with a late
    reading; `rises` are those of panes whose block is not complete; `passed` what has left of each long
    window that may still change, by (size, start); `emitted` are the values last sent of each window that
    may still change, packed; `refused` are the quarantined readings by (source, reason). A window that
    began before `begins_ms` is not sent: the log no longer holds all of it.
    """

    domain: Domain
    next_offset: int = 0
    watermark_ms: int | None = None
    closed: int = 0
    table: SeriesTable = field(default_factory=SeriesTable)
    base: GaugeState = field(default_factory=GaugeState)
    head: GaugeState = field(default_factory=GaugeState)
    panes: dict[int, Pane] = field(default_factory=dict)
    rises: dict[int, Int64s] = field(default_factory=dict)
    dirty: set[int] = field(default_factory=set)
    passed: dict[tuple[int, int], Passed] = field(default_factory=dict)
    emitted: dict[tuple[int, int], Packed] = field(default_factory=dict)
    begins_ms: int = 0
    sources: Names = field(default_factory=Names)
    refused: dict[tuple[str, str], int] = field(default_factory=dict)
    accounts: Int64s = field(default_factory=lambda: np.zeros((len(ACCOUNTS), 0), np.int64))

    def account(self, what: str, source: str, count: int = 1) -> None:
        """Count readings of a source."""
        code = self.sources.code(source)
        missing = len(self.sources) - self.accounts.shape[1]
        if missing > 0:
            self.accounts = np.pad(self.accounts, ((0, 0), (0, missing)))
        self.accounts[ACCOUNTS.index(what), code] += count


@dataclass(frozen=True, slots=True)
class WindowBlock:
    """Windows of one span: `values[i]` (fixed point, one column a measure) is that of `grids[i]`."""

    window_s: int
    start_ms: int
    grids: list[str]
    values: Int64s


@dataclass(frozen=True, slots=True)
class Flush:
    """What the shard says when its watermark passes a pane's end; `revision` is that record's offset."""

    revision: int
    closed_through_ms: int
    blocks: list[WindowBlock]


@dataclass(frozen=True, slots=True)
class FoldOutput:
    """In log order: the flushes; records (by index in the batch) that came too late; refused ones."""

    flushes: list[Flush]
    late: list[int]
    rejections: list[Rejection]
