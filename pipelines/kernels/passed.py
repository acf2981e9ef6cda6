"""What of a long window has passed: the sums of its panes that no reading can fall in any more.

An hour cannot keep its readings until it closes: a shard remembers ten minutes of them. So each pane that
leaves is added to the windows it lies in, exactly: sums and rises are added, and of the devices heard of it
is noted which, so that an hour's distinct devices are counted over the hour. At its end the window is
what has passed and the panes still held, and a late reading changes one of those.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s
from pipelines.kernels.packed import Resting
from pipelines.kernels.panes import Pane
from pipelines.kernels.plan import EVENT_RULES

__all__ = ["Passed"]


class Passed:
    """The panes of one window that have left, as one; at rest it is packed. Grids and series may grow."""

    __slots__ = ("held",)

    def __init__(self, held: Resting | None = None, *, metrics: int = 0) -> None:
        self.held = held or Resting(
            np.zeros((len(EVENT_RULES), 0, metrics), np.int64),
            np.zeros((0, metrics), np.int64),
            np.zeros(0, np.bool_),
        )

    @property
    def sums(self) -> Int64s:
        """`[rule, grid, metric]`, as those of a pane."""
        return self.held.awake()[0]

    @property
    def rises(self) -> Int64s:
        """`[grid, metric]`, fixed point."""
        return self.held.awake()[1]

    @property
    def series(self) -> Int64s:
        """Numbers of the series with a reading, ascending."""
        return np.flatnonzero(self.held.awake()[2])

    def take(self, pane: Pane, rises: Int64s) -> None:
        """Add a pane that leaves and its rises; its grids are `rises`' rows."""
        grids, seen = rises.shape[0], pane.series_seen()
        pane.fit(grids)
        sums, risen, heard = self.held.awake()
        missing = grids - risen.shape[0]
        sums = np.pad(sums, ((0, 0), (0, missing), (0, 0)))
        sums += pane.sums[:, :grids]
        risen = np.pad(risen, ((0, missing), (0, 0)))
        risen += rises
        self.held.change(sums, risen, _with(heard, seen))

    def rest(self) -> None:
        """Pack; the next look unpacks again."""
        self.held.rest()


def _with(heard: npt.NDArray[np.bool_], series: Int64s) -> npt.NDArray[np.bool_]:
    highest = int(series[-1]) if series.size else -1
    heard = np.pad(heard, (0, max(0, highest + 1 - heard.size)))
    heard[series] = True
    return heard
