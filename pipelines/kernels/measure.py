"""The measures of one window of one shard, for all its grids at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s
from pipelines.kernels.gauges import GaugeState
from pipelines.kernels.panes import Pane
from pipelines.kernels.passed import Passed
from pipelines.kernels.plan import EVENT_RULES, SCALE, Plan
from pipelines.kernels.series import NEVER_MS, SeriesTable
from schemas.measures import Rule, Term

__all__ = ["WindowView", "measure"]


@dataclass(frozen=True, slots=True)
class WindowView:
    """What a window is made of: its panes, their rises, what has passed of it, and the gauges at its end."""

    panes: Sequence[Pane]
    rises: Sequence[Int64s]
    gauges: GaugeState
    end_ms: int
    passed: Passed | None = None


def measure(plan: Plan, table: SeriesTable, view: WindowView) -> Int64s:
    """Fixed-point values, shape (grids, measures)."""
    grids = len(table.grids)
    sums = np.zeros((len(EVENT_RULES), grids, len(plan.metrics)), np.int64)
    for pane in view.panes:
        pane.fit(grids)
        sums += pane.sums[:, :grids]
    if view.passed is not None:
        sums[:, : view.passed.sums.shape[1]] += view.passed.sums
    held = _Held(plan, table, view)
    out = np.zeros((grids, len(plan.measures)), np.int64)
    for column, terms in enumerate(plan.terms):
        for term in terms:
            out[:, column] += _term(plan, table, view, sums, held, term)
    return out


def _term(plan: Plan, table: SeriesTable, view: WindowView, sums: Int64s, held: _Held, term: Term) -> Int64s:
    codes = plan.metric_codes(term)
    if term.rule in EVENT_RULES:
        scale = 1 if term.rule == "sum" else SCALE
        total: Int64s = sums[EVENT_RULES.index(term.rule)][:, codes].sum(axis=1) * scale
        return total
    if term.rule == "rises":
        risen = np.zeros(len(table.grids), np.int64)
        passed = [] if view.passed is None else [view.passed.rises]
        for rises in (*view.rises, *passed):
            risen[: rises.shape[0]] += rises[:, codes].sum(axis=1)
        return risen
    if term.rule in {"distinct_devices", "distinct_subjects"}:
        return _distinct(table, view, _among(plan, codes), subjects=term.rule == "distinct_subjects")
    return held.term(term.rule, _among(plan, codes))


def _among(plan: Plan, codes: list[int]) -> npt.NDArray[np.bool_]:
    """By metric code, whether it is one of these: a look-up of it costs a tenth of `np.isin`."""
    flags = np.zeros(len(plan.metrics), np.bool_)
    flags[codes] = True
    return flags


def _distinct(
    table: SeriesTable, view: WindowView, wanted: npt.NDArray[np.bool_], *, subjects: bool
) -> Int64s:
    """Distinct devices or subjects with a reading in the window, per grid."""
    seen = [pane.series_seen() for pane in view.panes]
    if view.passed is not None:
        seen.append(view.passed.series)
    series = np.unique(np.concatenate(seen)) if seen else np.empty(0, np.int64)
    series = series[wanted[table.metric[series]]]
    who = (table.subject if subjects else table.device)[series]
    grid = table.grid[series]
    if subjects:
        grid, who = grid[who > 0], who[who > 0]
    pairs = np.unique((grid << 32) | who)
    counted: Int64s = np.bincount(pairs >> 32, minlength=len(table.grids)) * SCALE
    return counted


class _Held:
    """The gauges as of the window's end, by metric and grid."""

    def __init__(self, plan: Plan, table: SeriesTable, view: WindowView) -> None:
        known = np.flatnonzero(view.gauges.time_ms > NEVER_MS)
        self.grids = len(table.grids)
        self.metric, self.grid = table.metric[known], table.grid[known]
        self.value = view.gauges.value[known]
        silent_for_ms = view.end_ms - view.gauges.time_ms[known]
        self.silent = silent_for_ms > plan.silent_after_ms[self.metric]

    def term(self, rule: Rule, wanted: npt.NDArray[np.bool_]) -> Int64s:
        """One `entities*` or `held*` rule over the metrics wanted, per grid."""
        chosen = wanted[self.metric]
        if rule.endswith("_silent"):
            chosen &= self.silent
        elif rule.endswith("_live"):
            chosen &= ~self.silent
        total = np.zeros(self.grids, np.int64)
        amount = self.value[chosen] if rule.startswith("held") else SCALE
        np.add.at(total, self.grid[chosen], amount)
        return total
