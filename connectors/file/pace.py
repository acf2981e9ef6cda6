"""When each row of a recording is due, if the recording is to happen from now on. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["due_ms"]


def due_ms(times_ms: npt.NDArray[np.int64], start_ms: int, speed: float) -> npt.NDArray[np.int64]:
    """The first known time is `start_ms`, gaps are divided by `speed`; rows without time are due now."""
    known = times_ms >= 0
    first_ms = times_ms[known].min() if known.any() else 0
    due = np.full(times_ms.shape, start_ms, np.int64)
    due[known] += ((times_ms[known] - first_ms) / speed).astype(np.int64)
    return due
