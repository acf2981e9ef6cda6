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
from pipelines.kernels.packed import Packed, pack, unpack
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
    window's end until no revision can come; at least lateness and two of the largest windows.
    `patience_ms`: how far the slowest shard may trail the fastest before its windows no longer enter
    the sums; it bounds the state. `parent_digits`: how many digits of a grid's code are its
    community's, its street's, its district's.
    """

    kept_ms: int = 900_000
    grace_ms: int = 30_000
    patience_ms: int = 6 * 3_600_000
    parent_digits: tuple[int, int, int] = (12, 9, 6)

    def __post_init__(self) -> None:
        if self.patience_ms < self.kept_ms:
            raise SettingsError(
                f"patience_ms: received {self.patience_ms}, allowed: at least kept_ms ({self.kept_ms})"
            )


class GridRows:
    """One window of one shard's grids: row i is grid i of the shard's table. Grows as grids appear.

    At rest the rows are packed until asked for.
    """

    __slots__ = ("_content", "_packed")

    def __init__(self, rows: int, measures: int) -> None:
        self._content: tuple[Int64s, Int64s] | None = (
            np.zeros((rows, measures), np.int64),
            np.full(rows, -1, np.int64),
        )
        self._packed: Packed | None = None

    @classmethod
    def of_packed(cls, data: bytes) -> GridRows:
        """The rows that `packed` told of."""
        rows = cls(0, 0)
        rows._content, rows._packed = None, Packed(data)
        return rows

    @property
    def values(self) -> Int64s:
        """Shape (rows, measures), fixed point."""
        return self._awake()[0]

    @property
    def revision(self) -> Int64s:
        """Shape (rows,); -1 where the grid has not been heard of."""
        return self._awake()[1]

    def fit(self, rows: int) -> None:
        """Make room for `rows` grids."""
        values, revision = self._awake()
        missing = rows - revision.size
        if missing > 0:
            self._content = (
                np.pad(values, ((0, missing), (0, 0))),
                np.pad(revision, (0, missing), constant_values=-1),
            )
            self._packed = None

    def put(self, row: int, values: Int64s, revision: int) -> None:
        """Set a grid's values and revision."""
        held = self._awake()
        held[0][row], held[1][row] = values, revision
        self._packed = None

    def rest(self) -> None:
        """Pack; the next look unpacks again."""
        if self._packed is None:
            self._packed = Packed(self.packed())
        self._content = None

    def packed(self) -> bytes:
        """The rows as bytes."""
        return pack(*self._awake()) if self._packed is None else bytes(self._packed)

    def _awake(self) -> tuple[Int64s, Int64s]:
        if self._content is None:
            values, revision = unpack(self.packed())
            self._content = values, revision
        return self._content


class Cell:
    """One window of a domain above the grids: row i is area i of the domain's table.

    `sums` has shape (areas, measures); `revision` is the sum of the grids' revisions, so it rises
    whenever one of them does and does not depend on the order in which shards spoke; `grids` counts
    them; `dirty` marks what changed since it was sent. `told`: -1 nothing sent, 0 sent incomplete,
    1 sent complete. `due_ms`: append time at which it is sent even if a shard is silent.
    """

    __slots__ = ("dirty", "due_ms", "grids", "revision", "shards", "sums", "told")

    def __init__(self, areas: int, measures: int) -> None:
        self.shards: dict[str, GridRows] = {}
        self.sums: Int64s = np.zeros((areas, measures), np.int64)
        self.revision: Int64s = np.zeros(areas, np.int64)
        self.grids: Int64s = np.zeros(areas, np.int64)
        self.dirty: npt.NDArray[np.bool_] = np.zeros(areas, np.bool_)
        self.told = -1
        self.due_ms: int | None = None

    def fit(self, areas: int) -> None:
        """Make room for `areas` areas."""
        missing = areas - self.grids.size
        if missing > 0:
            self.sums = np.pad(self.sums, ((0, missing), (0, 0)))
            self.revision = np.pad(self.revision, (0, missing))
            self.grids = np.pad(self.grids, (0, missing))
            self.dirty = np.pad(self.dirty, (0, missing))


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
