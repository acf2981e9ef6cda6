"""Gauges carry forward: the last value of every gauge as of one moment of event time."""

from __future__ import annotations

import numpy as np

from pipelines.kernels.batch import Int64s
from pipelines.kernels.panes import GaugeRows
from pipelines.kernels.series import NEVER_MS

__all__ = ["GaugeState"]


class GaugeState:
    """`value` (fixed point) and `time_ms` of the last reading of each series, as of a moment; shape `(n,)`.

    Series that are not gauges, or have no reading yet, have time NEVER_MS.
    """

    __slots__ = ("time_ms", "value")

    def __init__(self, value: Int64s | None = None, time_ms: Int64s | None = None) -> None:
        self.value = np.empty(0, np.int64) if value is None else value
        self.time_ms = np.empty(0, np.int64) if time_ms is None else time_ms

    def copy(self) -> GaugeState:
        """An independent state."""
        return GaugeState(self.value.copy(), self.time_ms.copy())

    def fit(self, series: int) -> None:
        """Make room for `series` series."""
        missing = series - self.value.size
        if missing > 0:
            self.value = np.concatenate([self.value, np.zeros(missing, np.int64)])
            self.time_ms = np.concatenate([self.time_ms, np.full(missing, NEVER_MS, np.int64)])

    def advance(self, rows: GaugeRows) -> tuple[Int64s, Int64s]:
        """Move to the end of a pane; returns (series, rise) of every row, a rise being an increase or 0.

        The first reading a series ever had is no rise: what was before is not known.
        """
        rows.settle()
        if not rows.series.size:
            return rows.series, rows.value
        series, value, time_ms = rows.series, rows.value, rows.time_ms
        first = np.concatenate([[True], series[1:] != series[:-1]])
        before = np.concatenate([[0], value[:-1]])
        before[first] = self.value[series[first]]
        known = ~first | (self.time_ms[series] > NEVER_MS)
        last = np.concatenate([first[1:], [True]])
        self.value[series[last]] = value[last]
        self.time_ms[series[last]] = time_ms[last]
        rise: Int64s = np.where(known, np.maximum(value - before, 0), 0)
        return series, rise
