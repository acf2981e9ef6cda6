"""A pane: what a shard has accepted in one slice of event time, the smallest window.

Larger windows are unions of panes. A pane keeps exactly what its windows need: sums per grid and
metric, the identities it has seen (for exact duplicate suppression and for distinct counts), and
the readings of gauges, from which the state at its end is made.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s
from pipelines.kernels.order import order_by
from pipelines.kernels.packed import Packed, pack, unpack
from pipelines.kernels.plan import EVENT_RULES

__all__ = ["GaugeRows", "IdentitySet", "Pane", "identities"]

UInt64s = npt.NDArray[np.uint64]

MAX_PANE_MS = 65_536
"""An identity holds the time within its pane in 16 bits."""


def identities(series: Int64s, offset_ms: Int64s, seq: Int64s) -> UInt64s:
    """(series, time within the pane, seq) as one integer each: exact, no hash, for the seqs of one moment.

    Of seq 16 bits are kept: the counter's lowest, and added to them what stands above 32 bits, where a codec
    numbers the several things of one frame.
    """
    high, middle = series.astype(np.uint64) << np.uint64(32), offset_ms.astype(np.uint64) << np.uint64(16)
    low = ((seq + (seq >> 32)) & 0xFFFF).astype(np.uint64)
    packed: UInt64s = high | middle | low
    return packed


class IdentitySet:
    """A set of identities as few sorted runs, each at least twice the size of the next.

    Adding n sorted identities costs amortised O(n log) sequential merges; a look-up searches every
    run. Plain arrays: cheap to hold, to save, and to union.
    """

    def __init__(self, run: UInt64s | None = None) -> None:
        self._runs: list[UInt64s] = [] if run is None or not run.size else [run]

    def contains(self, wanted: UInt64s) -> npt.NDArray[np.bool_]:
        """Which of `wanted` are in the set; same shape."""
        found = np.zeros(wanted.shape, np.bool_)
        for run in self._runs:
            at = np.minimum(np.searchsorted(run, wanted), run.size - 1)
            found |= run[at] == wanted
        return found

    def add(self, new: UInt64s) -> None:
        """Add sorted identities that are not in the set."""
        if not new.size:
            return
        self._runs.append(new)
        while len(self._runs) > 1 and self._runs[-2].size < 2 * self._runs[-1].size:
            merged = np.concatenate([self._runs.pop(), self._runs.pop()])
            merged.sort(kind="stable")  # timsort: one linear merge of two sorted runs
            self._runs.append(merged)

    def sorted(self) -> UInt64s:
        """All identities, ascending."""
        if not self._runs:
            return np.empty(0, np.uint64)
        merged = np.concatenate(self._runs)
        merged.sort(kind="stable")
        self._runs = [merged]
        return merged


@dataclass(slots=True)
class GaugeRows:
    """Readings of gauges in a pane; columns of equal length, sorted by (series, time, seq) once settled."""

    series: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    time_ms: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    seq: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    value: Int64s = field(default_factory=lambda: np.empty(0, np.int64))
    _pending: list[tuple[Int64s, Int64s, Int64s, Int64s]] = field(default_factory=list)

    def add(self, series: Int64s, time_ms: Int64s, seq: Int64s, value: Int64s) -> None:
        """Take more rows; they are sorted in when next needed."""
        if series.size:
            self._pending.append((series, time_ms, seq, value))

    def settle(self) -> None:
        """Sort what was added into the columns. Ties cannot be: identities are unique."""
        if not self._pending:
            return
        parts = [(self.series, self.time_ms, self.seq, self.value), *self._pending]
        series, time_ms, seq, value = (np.concatenate(column) for column in zip(*parts, strict=True))
        order = order_by(series, time_ms, seq)
        self.series, self.time_ms, self.seq, self.value = (
            series[order],
            time_ms[order],
            seq[order],
            value[order],
        )
        self._pending = []


@dataclass(slots=True)
class _Content:
    """What a pane holds: `sums[rule, grid, metric]` (int64, fixed point for `sum`), and the rest."""

    sums: npt.NDArray[np.int64]
    seen: IdentitySet = field(default_factory=IdentitySet)
    gauges: GaugeRows = field(default_factory=GaugeRows)


class Pane:
    """Sums, identities and gauge rows of one slice of time; at rest they are packed until asked for.

    Say `change` before changing anything: what was packed is then no longer it.
    """

    __slots__ = ("_content", "_packed")

    def __init__(self, grids: int, metrics: int) -> None:
        sums = np.zeros((len(EVENT_RULES), grids, metrics), np.int64)
        self._content: _Content | None = _Content(sums)
        self._packed: Packed | None = None

    @classmethod
    def of_packed(cls, data: bytes) -> Pane:
        """The pane that `packed` told of."""
        pane = cls(0, 0)
        pane._content, pane._packed = None, Packed(data)
        return pane

    @property
    def sums(self) -> npt.NDArray[np.int64]:
        """`[rule, grid, metric]`, int64, fixed point for the rule `sum`."""
        return self._awake().sums

    @property
    def seen(self) -> IdentitySet:
        """Identities of the readings accepted."""
        return self._awake().seen

    @property
    def gauges(self) -> GaugeRows:
        """Readings of gauges."""
        return self._awake().gauges

    def change(self) -> None:
        """What comes next changes the pane."""
        self._awake()
        self._packed = None

    def fit(self, grids: int) -> None:
        """Make room for grids first heard of after the pane was made."""
        content = self._awake()
        missing = grids - content.sums.shape[1]
        if missing > 0:
            content.sums = np.pad(content.sums, ((0, 0), (0, max(missing, 64)), (0, 0)))

    def series_seen(self) -> Int64s:
        """Numbers of the series with a reading in the pane, ascending, each once."""
        seen: Int64s = np.unique(self.seen.sorted() >> np.uint64(32)).astype(np.int64)
        return seen

    def rest(self) -> None:
        """Pack; the next look unpacks again."""
        if self._packed is None:
            self._packed = Packed(self.packed())
        self._content = None

    def packed(self) -> bytes:
        """Everything the pane holds, as bytes."""
        if self._packed is not None:
            return bytes(self._packed)
        content = self._awake()
        content.gauges.settle()
        rows = content.gauges
        return pack(content.sums, content.seen.sorted(), rows.series, rows.time_ms, rows.seq, rows.value)

    def _awake(self) -> _Content:
        if self._content is None:
            sums, seen, series, time_ms, seq, value = unpack(self.packed())
            self._content = _Content(sums, IdentitySet(seen))
            self._content.gauges.add(series, time_ms, seq, value)  # packed in an earlier order, maybe
        return self._content
