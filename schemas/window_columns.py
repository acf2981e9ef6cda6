"""Many windows at once, in columns: what makes or moves whole hours of them passes these, not rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from schemas.kinds import Domain
from schemas.places.model import Level

__all__ = ["WindowColumns"]


@dataclass(frozen=True)
class WindowColumns:
    """The windows of one domain, level and size over some places and times.

    Shapes: `starts_ms` (times,); `values` (measures, places, times), in millionths, measures in the order
    of `schemas.measures`; `grids` (how many are in it), `revision`, `present` (places, times); `complete`
    (times,). Where `present` is False there is no window.
    """

    domain: Domain
    level: Level
    window_s: int
    places: tuple[str, ...]
    starts_ms: npt.NDArray[np.int64]
    values: npt.NDArray[np.int64]
    grids: npt.NDArray[np.int64]
    revision: npt.NDArray[np.int64]
    complete: npt.NDArray[np.bool_]
    present: npt.NDArray[np.bool_]
