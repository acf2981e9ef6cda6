"""The fold: one shard's micro-batch into its state. Everything else of `aggregate` is transport.

    fold(settings, state, batch) -> FoldOutput

Time is the log's: the watermark is the running maximum of the records' append times minus `delay`,
record by record. A reading older than watermark - lateness is late; one newer than its own append
time + skew is refused as `future` and moves nothing. The same reading again changes nothing.
Source of the terms: Akidau et al., The Dataflow Model, VLDB 2015.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s, ShardBatch
from pipelines.kernels.columns import Columns, columns_of
from pipelines.kernels.decode import HotReading, Rejection
from pipelines.kernels.flush import flush
from pipelines.kernels.panes import Pane, identities
from pipelines.kernels.plan import Plan, plan_for, to_fixed
from pipelines.kernels.series import UNKNOWN
from pipelines.kernels.state import ACCOUNTS, FoldOutput, FoldSettings, ShardState
from schemas.quarantine import Reason

__all__ = ["fold"]


@dataclass(slots=True)
class _Columns:
    """Readings as columns of equal length; `index` is the record's place in the batch."""

    index: Int64s
    series: Int64s
    value: npt.NDArray[np.float64]
    time_ms: Int64s
    seq: Int64s
    source: Int64s
    head: Int64s
    simulated: npt.NDArray[np.bool_]
    watermark_ms: Int64s

    def take(self, chosen: npt.NDArray[np.bool_] | Int64s | slice) -> _Columns:
        """The chosen rows."""
        return _Columns(*(getattr(self, name)[chosen] for name in self.__slots__))


def fold(settings: FoldSettings, state: ShardState, batch: ShardBatch) -> FoldOutput:
    """Fold a batch that begins at the state's next offset; the state is changed in place.

    A batch that begins elsewhere raises ValueError: it would be a gap or a repetition.
    """
    if batch.first_offset != state.next_offset:
        raise ValueError(f"{batch.shard}: received offset {batch.first_offset}, expected {state.next_offset}")
    return _BatchFold(settings, state, batch).run()


class _BatchFold:
    """One batch on its way into the state; lives for one call of `fold`."""

    def __init__(self, settings: FoldSettings, state: ShardState, batch: ShardBatch) -> None:
        self.settings, self.state, self.batch = settings, state, batch
        self.plan: Plan = plan_for(state.domain)
        self.output = FoldOutput([], [], [])

    def run(self) -> FoldOutput:
        state, batch = self.state, self.batch
        self.columns = columns = columns_of(batch.values)
        for rejection in columns.rejections:
            self._reject(rejection)
        watermarks = self._watermarks()
        rows = self._rows(columns, watermarks)
        for start, stop, crossing in self._segments(watermarks, columns.index):
            if crossing is not None:
                mark, revision = int(watermarks[crossing]), int(batch.offsets[crossing])
                self.output.flushes.append(flush(self.plan, self.settings, state, mark, revision))
            if stop > start:
                self._fold_segment(rows.take(slice(start, stop)))
        state.next_offset = batch.next_offset
        if watermarks.size:
            state.watermark_ms = int(watermarks[-1])
        return self.output

    def _watermarks(self) -> Int64s:
        """The watermark as each record finds it; a clock that steps back does not take it back."""
        marks = np.maximum.accumulate(self.batch.append_times_ms - self.settings.delay_ms)
        if self.state.watermark_ms is not None:
            return np.maximum(marks, self.state.watermark_ms)
        if marks.size:
            self.state.closed = int(marks[0]) // self.settings.pane_ms
            if self.batch.first_offset > 0:  # the log was cut: of what was observed before, something is gone
                self.state.begins_ms = int(self.batch.append_times_ms[0]) + self.settings.skew_max_ms
        return marks

    def _segments(self, watermarks: Int64s, index: Int64s) -> Iterator[tuple[int, int, int | None]]:
        """Cut the readings where the watermark crosses a pane's end: (start, stop, crossing record or None).

        Even which series and grids exist is decided segment by segment, so that a flush knows only
        what stood in the log before it.
        """
        pane = watermarks // self.settings.pane_ms
        crossings = np.flatnonzero(np.diff(pane, prepend=self.state.closed) > 0).tolist() if pane.size else []
        cuts = [0, *np.searchsorted(index, crossings).tolist(), index.size]
        yield from zip(cuts[:-1], cuts[1:], [None, *crossings], strict=True)

    def _fold_segment(self, rows: _Columns) -> None:
        """Refused and late ones out, duplicates out, the rest into their panes."""
        self._add_series(rows)
        self._add_sources(rows)
        rows = self._refuse(rows)
        late = rows.time_ms < rows.watermark_ms - self.settings.lateness_ms
        self._tally("consumed", rows.source)
        if late.any():
            self.output.late.extend(rows.index[late].tolist())
            self._tally("late", rows.source[late])
            rows = rows.take(~late)
        pane = rows.time_ms // self.settings.pane_ms
        for number in np.unique(pane).tolist():
            chosen = pane == number
            self._fold_pane(number, rows if chosen.all() else rows.take(chosen))

    def _rows(self, columns: Columns, watermarks: Int64s) -> _Columns:
        """All readings of the batch; series and sources as known at its begin."""
        metric = [self.plan.codes.get(head.kind, {}).get(head.metric, UNKNOWN) for head in columns.heads]
        self.metric_of_head = np.array(metric, np.int64)
        simulated = np.array([head.simulated for head in columns.heads], np.bool_)
        return _Columns(
            index=columns.index,
            series=self._series(columns),
            value=columns.value,
            time_ms=columns.time_ms,
            seq=columns.seq,
            source=np.full_like(columns.head, UNKNOWN),
            head=columns.head,
            simulated=simulated[columns.head],
            watermark_ms=watermarks[columns.index],
        )

    def _series(self, columns: Columns) -> Int64s:
        """Series numbers, UNKNOWN for those that are new or cannot be."""
        table, codes = self.state.table, dict(zip(columns.heads, self.metric_of_head.tolist(), strict=True))
        numbers = np.full(len(columns.values), UNKNOWN, np.int64)
        for group in columns.matched:
            metric = codes[group.template.head]
            if metric != UNKNOWN:
                numbers[group.records] = table.find(metric, group.text("device"), group.text("grid"))
        if columns.decoded:
            records, readings = list(columns.decoded), columns.decoded.values()
            heads = columns.head[np.searchsorted(columns.index, records)]
            numbers[records] = table.lookup(
                [r.device for r in readings], [r.grid for r in readings], self.metric_of_head[heads]
            )
        return numbers[columns.index]

    def _add_series(self, rows: _Columns) -> None:
        """Number the series that are new; those of a kind, metric or grid that cannot be stay UNKNOWN."""
        table = self.state.table
        new = (rows.series == UNKNOWN) & (self.metric_of_head[rows.head] != UNKNOWN)
        for at in np.flatnonzero(new).tolist():
            r = self.columns.reading(int(rows.index[at]))
            key = (r.device, r.kind, r.metric, r.grid)
            known = table.index.get(key)
            rows.series[at] = self._new_series(key, r) if known is None else known

    def _new_series(self, key: tuple[str, str, str, str], reading: HotReading) -> int:
        metric = self.plan.codes.get(reading.kind, {}).get(reading.metric)
        if metric is None or not reading.device or not (reading.grid.isascii() and reading.grid.isalnum()):
            return UNKNOWN
        return self.state.table.add(key, metric, reading.subject)

    def _add_sources(self, rows: _Columns) -> None:
        """Number the sources in the order in which they are first heard of."""
        heads, first = np.unique(rows.head, return_index=True)
        named = [self.columns.heads[head].source for head in heads[np.argsort(first)].tolist()]
        codes = self.state.sources.codes
        for source in named:
            if source not in codes:
                self.state.account("consumed", source, 0)
        of_head = np.array([codes.get(head.source, UNKNOWN) for head in self.columns.heads], np.int64)
        rows.source[:] = of_head[rows.head]

    def _refuse(self, rows: _Columns) -> _Columns:
        """Take out what cannot be: an impossible series, value or time; each with its reason."""
        plan, table = self.plan, self.state.table
        append_ms = self.batch.append_times_ms[rows.index]
        unknown = rows.series == UNKNOWN
        metric = table.metric[rows.series] if len(table) else np.zeros(unknown.size, np.int64)
        implausible = ~((rows.value >= plan.low[metric]) & (rows.value <= plan.high[metric]))
        ahead_ms = rows.time_ms - append_ms
        future = ahead_ms > self.settings.skew_max_ms
        refused = unknown | implausible | future
        if not refused.any():
            return rows
        for at in np.flatnonzero(refused).tolist():
            reading = self.columns.reading(int(rows.index[at]))
            if unknown[at]:
                reason, detail = _why_unknown(plan, reading)
            elif future[at]:
                reason, detail = _why_future(int(ahead_ms[at]), self.settings.skew_max_ms)
            else:
                reason, detail = _why_implausible(plan, int(metric[at]), reading.value)
            self._reject(Rejection(int(rows.index[at]), reason, detail, reading.source))
        return rows.take(~refused)

    def _fold_pane(self, number: int, rows: _Columns) -> None:
        state = self.state
        pane = state.panes.get(number)
        if pane is None:
            pane = state.panes[number] = Pane(len(state.table.grids), len(self.plan.metrics))
        pane.fit(len(state.table.grids))
        new = self._first_seen(pane, rows, number * self.settings.pane_ms)
        accepted = rows if new.all() else rows.take(new)
        self._tally("stored", accepted.source)
        self._tally("duplicate", rows.source[~new])
        if accepted.index.size:
            newest_ms = state.table.newest_ms
            np.maximum.at(newest_ms, accepted.series, accepted.time_ms)
            self._accumulate(pane, accepted)
            if number < state.closed:
                state.dirty.add(number)

    def _first_seen(self, pane: Pane, rows: _Columns, pane_start_ms: int) -> npt.NDArray[np.bool_]:
        """Which rows are not duplicates; their identities are noted.

        A reading newer than anything its series has said cannot be one; only the others are looked up.
        """
        identity = identities(rows.series, rows.time_ms - pane_start_ms, rows.seq)
        unique, first = np.unique(identity, return_index=True)
        newer = rows.time_ms[first] > self.state.table.newest_ms[rows.series[first]]
        repeated = np.zeros(first.size, np.bool_)
        if not newer.all():
            repeated[~newer] = pane.seen.contains(unique[~newer])
        if not repeated.all():
            pane.change()
            pane.seen.add(unique[~repeated])
        new = np.zeros(rows.index.size, np.bool_)
        new[first[~repeated]] = True
        return new

    def _accumulate(self, pane: Pane, rows: _Columns) -> None:
        plan, table = self.plan, self.state.table
        metric, grid = table.metric[rows.series], table.grid[rows.series]
        fixed = to_fixed(rows.value)
        cell = grid * pane.sums.shape[2] + metric
        counts, sums, outs, simulated = (pane.sums[rule].reshape(-1) for rule in range(4))
        counts += np.bincount(cell, minlength=counts.size)
        np.add.at(sums, cell, fixed)
        outside = (rows.value < plan.normal_low[metric]) | (rows.value > plan.normal_high[metric])
        outs += np.bincount(cell[outside], minlength=outs.size)
        simulated += np.bincount(cell[rows.simulated], minlength=simulated.size)
        gauge = plan.is_gauge[metric]
        pane.gauges.add(rows.series[gauge], rows.time_ms[gauge], rows.seq[gauge], fixed[gauge])

    def _tally(self, what: str, source: Int64s) -> None:
        if source.size:
            counts = np.bincount(source, minlength=len(self.state.sources))
            self.state.accounts[ACCOUNTS.index(what)] += counts

    def _reject(self, rejection: Rejection) -> None:
        state, key = self.state, (rejection.source, rejection.reason.value)
        self.output.rejections.append(rejection)
        state.account("consumed", rejection.source)
        state.account("quarantined", rejection.source)
        state.refused[key] = state.refused.get(key, 0) + 1


def _why_unknown(plan: Plan, reading: HotReading) -> tuple[Reason, str]:
    if reading.metric not in plan.codes.get(reading.kind, {}):
        return Reason.UNSUPPORTED, (
            f"metric: received {reading.kind}.{reading.metric}, allowed: {', '.join(plan.metrics)}"
        )
    if not reading.device:
        return Reason.UNKNOWN_DEVICE, "device: received '', allowed: the device's id"
    return Reason.UNKNOWN_PLACE, f"grid: received {reading.grid[:40]!r}, allowed: letters and digits"


def _why_future(ahead_ms: int, skew_max_ms: int) -> tuple[Reason, str]:
    return Reason.FUTURE, (
        f"observed_at_ms: received {ahead_ms / 1000:.1f} s ahead of the log, "
        f"allowed: {skew_max_ms / 1000:g} s"
    )


def _why_implausible(plan: Plan, metric: int, value: float) -> tuple[Reason, str]:
    return Reason.IMPLAUSIBLE, (
        f"{plan.metrics[metric]}: received {value:g}, allowed: {plan.low[metric]:g} to {plan.high[metric]:g}"
    )
