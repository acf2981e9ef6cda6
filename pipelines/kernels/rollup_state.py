"""What the roll-up remembers: per window the last value of each grid, and the sums above them.

Everything is held in fixed point (millionths, int64, as in the fold), so a sum is exact: adding the
difference of a revision gives the same bits as adding up all grids anew, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s
from pipelines.kernels.packed import Resting
from schemas.errors import SettingsError
from schemas.kinds import Domain

__all__ = ["Area", "Cell", "DomainState", "GridRows", "Level", "RollupSettings", "RollupState", "ShardTable"]

Level = Literal["grid", "community", "street", "district"]

Area = tuple[Level, str]
"""A place above the grids: (level, code)."""


@dataclass(frozen=True, slots=True)
class RollupSettings:
    """How long the roll-up waits and remembers, and how places nest.

    `grace_ms`: how long, by the log's append times, a window waits for a silent shard before the
    places above are sent as incomplete. `kept_ms`: how far its shard's progress must be past a
    window's end until no revision can come (`FoldSettings.final_after_ms`).
    `patience_ms`: how far the slowest shard may trail the fastest before its windows no longer enter
    the sums; it bounds the state. `parent_digits`: how many digits of a grid's code are its
    community's, its street's, its district's. `sizes_s`: window sizes to take; empty takes all.
    """

    kept_ms: int = 900_000
    grace_ms: int = 30_000
    patience_ms: int = 6 * 3_600_000
    parent_digits: tuple[int, int, int] = (12, 9, 6)
    sizes_s: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.patience_ms < self.kept_ms:
            raise SettingsError(
                f"patience_ms: received {self.patience_ms}, allowed: at least kept_ms ({self.kept_ms})"
            )


class GridRows:
    """One window of one shard's grids: row i is grid i of the shard's table. Grows as grids appear.

    At rest the rows are packed until asked for.
    """

    __slots__ = ("held",)

    def __init__(self, rows: int, measures: int) -> None:
        self.held = Resting(np.zeros((rows, measures), np.int64), np.full(rows, -1, np.int64))

    @property
    def values(self) -> Int64s:
        """Shape (rows, measures), fixed point."""
        return self.held.awake()[0]

    @property
    def revision(self) -> Int64s:
        """Shape (rows,); -1 where the grid has not been heard of."""
        return self.held.awake()[1]

    def fit(self, rows: int) -> None:
        """Make room for `rows` grids."""
        missing = rows - self.revision.size
        if missing > 0:
            self.held.change(
                np.pad(self.values, ((0, missing), (0, 0))),
                np.pad(self.revision, (0, missing), constant_values=-1),
            )

    def put(self, row: int, values: Int64s, revision: int) -> None:
        """Set a grid's values and revision."""
        self.held.change()
        self.values[row], self.revision[row] = values, revision


class Cell:
    """One window of a domain above the grids: row i is area i of the domain's table.

    `dirty` marks what changed since it was sent. `told`: -1 nothing sent, 0 sent incomplete, 1 sent
    complete. `due_ms`: append time at which it is sent even if a shard is silent. What is sent rests.
    """

    __slots__ = ("dirty", "due_ms", "held", "shards", "told")

    def __init__(self, areas: int, measures: int) -> None:
        self.shards: dict[str, GridRows] = {}
        self.held = Resting(
            np.zeros((areas, measures), np.int64), np.zeros(areas, np.int64), np.zeros(areas, np.int64)
        )
        self.dirty: npt.NDArray[np.bool_] = np.zeros(areas, np.bool_)
        self.told = -1
        self.due_ms: int | None = None

    @property
    def sums(self) -> Int64s:
        """Shape (areas, measures), fixed point."""
        return self.held.awake()[0]

    @property
    def revision(self) -> Int64s:
        """Sum of the grids' revisions: it rises whenever one of them does, in whatever order they spoke."""
        return self.held.awake()[1]

    @property
    def grids(self) -> Int64s:
        """How many grids each area counts."""
        return self.held.awake()[2]

    def fit(self, areas: int) -> None:
        """Make room for `areas` areas."""
        missing = areas - self.dirty.size
        if missing > 0:
            self.held.change(
                np.pad(self.sums, ((0, missing), (0, 0))),
                np.pad(self.revision, (0, missing)),
                np.pad(self.grids, (0, missing)),
            )
            self.dirty = np.pad(self.dirty, (0, missing))

    def rest(self) -> None:
        """Pack what stands above the grids and below: only a revision looks again."""
        self.held.rest()
        for rows in self.shards.values():
            rows.held.rest()


@dataclass(slots=True)
class ShardTable:
    """The grids of a shard in order of appearance; `parents[i]` are the area rows of grid i, shape (3,)."""

    rows: dict[str, int] = field(default_factory=dict)
    parents: list[Int64s] = field(default_factory=list)


@dataclass(slots=True)
class DomainState:
    """One domain: progress of its shards, its grids and areas, its windows by (start_ms, window_s).

    `next_due_ms` is the least `due_ms` of its cells: append time at which one must be sent.
    """

    shards: int | None = None
    closed_ms: dict[str, int] = field(default_factory=dict)
    tables: dict[str, ShardTable] = field(default_factory=dict)
    areas: dict[Area, int] = field(default_factory=dict)
    cells: dict[tuple[int, int], Cell] = field(default_factory=dict)
    next_due_ms: int | None = None

    @property
    def closed_by_all_ms(self) -> int | None:
        """Through when every shard has closed; None while one has not been heard of."""
        known = self.shards is not None and len(self.closed_ms) >= self.shards
        return min(self.closed_ms.values()) if known else None

    @property
    def closed_by_any_ms(self) -> int | None:
        """Through when the fastest shard has closed."""
        return max(self.closed_ms.values(), default=None)


@dataclass(slots=True)
class RollupState:
    """Everything the roll-up remembers. It belongs to its shard and is consumed by each `fold`.

    `clock_ms` is the running maximum of the log's append times. `accounts` counts window records by
    what became of them: `taken`, `repeated` (same or lower revision), `final` (too old to change),
    `orphaned` (of a shard too far behind: the grid is sent, the sums are not changed), `refused`.
    """

    next_offset: int = 0
    clock_ms: int = 0
    domains: dict[Domain, DomainState] = field(default_factory=dict)
    accounts: dict[str, int] = field(default_factory=dict)

    def count(self, what: str) -> None:
        """Count a record."""
        self.accounts[what] = self.accounts.get(what, 0) + 1
