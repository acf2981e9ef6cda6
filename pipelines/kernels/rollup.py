"""The roll-up: grids' windows into those of communities, streets and the district.

A grid's window passes through at once. The places above it are sent when every shard of the domain
has closed the window, at the progress mark that says so, and again at the next progress mark after
a revision. A silent shard does not blind the district: `grace_ms` after the first shard closed the
window (append times of this log) they are sent as they are, marked `complete` = 0.

Every decision is taken record by record from the log alone, so batch sizes and restarts change
nothing. The final values depend on the windows only, not on the order in which shards spoke.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec
import numpy as np

from pipelines.kernels.batch import Int64s, ShardBatch
from pipelines.kernels.plan import SCALE, plan_for, to_fixed
from pipelines.kernels.rollup_state import (
    Area,
    Cell,
    DomainState,
    GridRows,
    Level,
    RollupSettings,
    RollupState,
    ShardTable,
)
from schemas.kinds import Domain
from schemas.quarantine import Quarantined, Reason
from schemas.windows import Progress, Window, WindowRecord

__all__ = ["PlaceWindow", "RollupOutput", "fold_windows"]

_DECODER: msgspec.json.Decoder[Window | Progress] = msgspec.json.Decoder(WindowRecord)
_MAX_VALUE = 2**53 / SCALE
"""Beyond it a float no longer tells one millionth from the next."""


@dataclass(frozen=True, slots=True)
class PlaceWindow:
    """One window of one place, to be upserted whole.

    `values` is fixed point (millionths), one column a measure. `grids` says how many grids are in
    it, `complete` whether every shard of the domain has closed it. `revision` is the sum of the
    grids' revisions: it rises whenever one of them does, in whatever order the shards spoke.
    `first`: it was not sent before (a place above the grids: not as complete), so it tells latency.
    """

    domain: Domain
    level: Level
    place: str
    window_s: int
    start_ms: int
    revision: int
    grids: int
    complete: bool
    values: Int64s
    first: bool = True


@dataclass(frozen=True, slots=True)
class RollupOutput:
    """Of records `[first_offset, next_offset)`, in log order: windows to upsert; records that are none."""

    first_offset: int
    next_offset: int
    windows: list[PlaceWindow] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)


class _BadWindow(Exception):  # noqa: N818 - a refused record, turned into an output in this file
    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


def fold_windows(settings: RollupSettings, state: RollupState, batch: ShardBatch) -> RollupOutput:
    """Take a batch of the topic `windows` into the state (in place); returns what is to be written.

    ValueError if the batch does not begin where the state stands: it must never be folded.
    """
    if batch.first_offset != state.next_offset:
        raise ValueError(f"{batch.shard}: received offset {batch.first_offset}, expected {state.next_offset}")
    rollup = _Rollup(settings, state, RollupOutput(batch.first_offset, batch.next_offset))
    for index, value in enumerate(batch.values):
        append_ms = int(batch.append_times_ms[index])
        rollup.advance(append_ms)
        if value is None:
            continue  # a tick: only its append time counts
        try:
            rollup.take(value)
        except _BadWindow as bad:
            state.count("refused")
            rollup.output.quarantined.append(
                Quarantined(
                    reason=bad.reason,
                    detail=bad.detail,
                    source="windows",
                    address=f"{batch.shard}@{batch.offsets[index]}",
                    received_at_ms=append_ms,
                    payload=value,
                )
            )
    state.next_offset = batch.next_offset
    return rollup.output


class _Rollup:
    def __init__(self, settings: RollupSettings, state: RollupState, output: RollupOutput) -> None:
        self.settings, self.state, self.output = settings, state, output

    def advance(self, append_ms: int) -> None:
        """Move the log's clock, and send what a silent shard has held back for too long."""
        state = self.state
        if append_ms <= state.clock_ms:
            return
        state.clock_ms = append_ms
        for domain, held in state.domains.items():
            if held.next_due_ms is not None and held.next_due_ms <= append_ms:
                self._send_parents(domain, held)

    def take(self, value: bytes) -> None:
        """Fold one record; _BadWindow if it is none."""
        record = _decode(value)
        held = self.state.domains.setdefault(record.domain, DomainState())
        if isinstance(record, Progress):
            self._progress(record, held)
        else:
            self._window(record, held)

    def _progress(self, mark: Progress, held: DomainState) -> None:
        held.shards = mark.shards
        before = held.closed_ms.get(mark.shard, mark.closed_through_ms)
        held.closed_ms[mark.shard] = max(before, mark.closed_through_ms)
        self._send_parents(mark.domain, held)
        self._forget(mark.domain, held)

    def _window(self, window: Window, held: DomainState) -> None:
        if self.settings.sizes_s and window.window_s not in self.settings.sizes_s:
            return
        row = _fixed_row(window)
        end_ms = window.start_ms + window.window_s * 1000
        closed_ms = held.closed_ms.get(window.shard)
        if closed_ms is not None and end_ms + self.settings.kept_ms <= closed_ms:
            self.state.count("final")
            return
        table, at = self._place(window, held)
        newest_ms = held.closed_by_any_ms
        if newest_ms is not None and end_ms + self.settings.patience_ms <= newest_ms:
            self.state.count("orphaned")
            self._send_grid(window, row, first=False)
            return
        cell = held.cells.get((window.start_ms, window.window_s))
        if cell is None:
            cell = held.cells[window.start_ms, window.window_s] = Cell(len(held.areas), row.size)
        self._upsert(window, row, cell, (table, at), len(held.areas))

    def _place(self, window: Window, held: DomainState) -> tuple[ShardTable, int]:
        """The shard's table and the grid's row in it; a new grid gets one, and its areas too."""
        table = held.tables.setdefault(window.shard, ShardTable())
        at = table.rows.get(window.grid)
        if at is None:
            areas = _areas_of(window.grid, self.settings.parent_digits)
            table.parents.append(
                np.array([held.areas.setdefault(area, len(held.areas)) for area in areas], np.int64)
            )
            at = table.rows[window.grid] = len(table.rows)
        return table, at

    def _upsert(
        self, window: Window, row: Int64s, cell: Cell, place: tuple[ShardTable, int], areas: int
    ) -> None:
        table, at = place
        rows = cell.shards.get(window.shard)
        if rows is None:
            rows = cell.shards[window.shard] = GridRows(len(table.rows), row.size)
        rows.fit(len(table.rows))
        before = int(rows.revision[at])
        change = row - rows.values[at]
        if window.revision < before or (window.revision == before and not change.any()):
            self.state.count("repeated")
            return
        self.state.count("taken")
        cell.fit(areas)
        cell.held.change()
        parents = table.parents[at]
        cell.sums[parents] += change
        cell.revision[parents] += window.revision - max(before, 0)
        cell.grids[parents] += before < 0
        cell.dirty[parents] = True
        rows.put(at, row, window.revision)
        self._send_grid(window, row, first=before < 0)

    def _send_grid(self, window: Window, row: Int64s, *, first: bool) -> None:
        self.output.windows.append(
            PlaceWindow(
                domain=window.domain,
                level="grid",
                place=window.grid,
                window_s=window.window_s,
                start_ms=window.start_ms,
                revision=window.revision,
                grids=1,
                complete=True,
                first=first,
                values=row,
            )
        )

    def _send_parents(self, domain: Domain, held: DomainState) -> None:
        """Send the areas of every window that is complete, or that has waited long enough."""
        by_all, by_any = held.closed_by_all_ms, held.closed_by_any_ms
        due_ms: list[int] = []
        for (start_ms, window_s), cell in sorted(held.cells.items()):
            end_ms = start_ms + window_s * 1000
            if cell.told == 1 or (by_all is not None and end_ms <= by_all):
                self._send(domain, held, (start_ms, window_s), complete=True)
            elif by_any is not None and end_ms <= by_any:
                if cell.due_ms is None:
                    cell.due_ms = self.state.clock_ms + self.settings.grace_ms
                if cell.due_ms <= self.state.clock_ms:
                    self._send(domain, held, (start_ms, window_s), complete=False)
                else:
                    due_ms.append(cell.due_ms)
        held.next_due_ms = min(due_ms, default=None)

    def _send(self, domain: Domain, held: DomainState, key: tuple[int, int], *, complete: bool) -> None:
        cell = held.cells[key]
        if cell.told == complete and not cell.dirty.any():
            return
        cell.fit(len(held.areas))
        chosen = cell.dirty if cell.told == complete else cell.grids > 0
        first = complete and cell.told != 1
        areas, (start_ms, window_s) = list(held.areas), key
        for row in np.flatnonzero(chosen).tolist():
            level, place = areas[row]
            self.output.windows.append(
                PlaceWindow(
                    domain=domain,
                    level=level,
                    place=place,
                    window_s=window_s,
                    start_ms=start_ms,
                    revision=int(cell.revision[row]),
                    grids=int(cell.grids[row]),
                    complete=complete,
                    first=first,
                    values=cell.sums[row].copy(),
                )
            )
        cell.dirty[:] = False
        cell.told = int(complete)
        cell.rest()

    def _forget(self, domain: Domain, held: DomainState) -> None:
        """Drop the grids of shards that can revise them no more, then windows nobody can revise."""
        by_all, by_any = held.closed_by_all_ms, held.closed_by_any_ms
        kept_ms, patience_ms = self.settings.kept_ms, self.settings.patience_ms
        for (start_ms, window_s), cell in list(held.cells.items()):
            end_ms = start_ms + window_s * 1000
            for shard in [s for s in cell.shards if end_ms + kept_ms <= held.closed_ms.get(s, end_ms)]:
                del cell.shards[shard]
            if by_all is not None and end_ms + kept_ms <= by_all:
                del held.cells[start_ms, window_s]
            elif by_any is not None and end_ms + patience_ms <= by_any:
                # Its due time may be ahead still when a log of hours is caught up in seconds.
                self._send(domain, held, (start_ms, window_s), complete=False)
                del held.cells[start_ms, window_s]


def _decode(value: bytes) -> Window | Progress:
    try:
        record = _DECODER.decode(value)
    except msgspec.ValidationError as error:
        raise _BadWindow(Reason.WRONG_TYPE, f"windows record: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _BadWindow(Reason.MALFORMED, f"windows record: {error}") from error
    if isinstance(record, Window) and record.window_s <= 0:
        raise _BadWindow(Reason.IMPLAUSIBLE, f"window_s: received {record.window_s}, allowed: 1 or more")
    return record


def _fixed_row(window: Window) -> Int64s:
    names = plan_for(window.domain).measures
    try:
        row = np.array([window.metrics[name] for name in names], np.float64)
    except KeyError as error:
        raise _BadWindow(
            Reason.MISSING_FIELD, f"metrics: {error} is missing, allowed: all of {', '.join(names)}"
        ) from error
    if not (np.abs(row) < _MAX_VALUE).all():
        raise _BadWindow(
            Reason.IMPLAUSIBLE,
            f"metrics: received {window.metrics}, allowed: below {_MAX_VALUE:.0f} in magnitude",
        )
    return to_fixed(row)


def _areas_of(grid: str, digits: tuple[int, int, int]) -> tuple[Area, Area, Area]:
    """Community, street and district by the prefix rule of codes."""
    if not (grid.isascii() and grid.isalnum() and len(grid) > max(digits)):
        raise _BadWindow(
            Reason.UNKNOWN_PLACE,
            f"grid: received {grid[:40]!r}, allowed: letters and digits, more than {max(digits)}",
        )
    community, street, district = (grid[:count] for count in digits)
    return ("community", community), ("street", street), ("district", district)
