"""What a table of series remembers: arrays of shape (rows, series), all of fixed size a series.

Series only ever come at the end. What the arrays mean is said where they are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["HOURS", "KINDS", "LAGS", "VIEWS", "Bank", "Bools", "Floats"]

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Array = npt.NDArray[np.generic]

HOURS: Final = 24
KINDS: Final = 3
"""Working (make-up days are), weekend, holiday."""
LAGS: Final = 4
VIEWS: Final = ("point", "pair", "shift", "step", "cusum", "drift", "stuck", "spread", "short", "long")
"""The last two are of a series on its own only: a district's are given none."""

_F4 = np.float32
_LAYOUT: Final[dict[str, tuple[int, type[np.generic], float]]] = {
    # season
    "slot_level": (KINDS * HOURS, _F4, 0.0),
    "slot_n": (KINDS * HOURS, _F4, 0.0),
    "overall": (2, _F4, 0.0),  # level, number of points
    "offset": (1, _F4, 0.0),
    "season_dev": (HOURS, _F4, 0.0),
    "season_dev_all": (1, _F4, 0.0),
    # forecast from what came just before
    "smooth": (3, _F4, 0.0),
    "last": (2, _F4, 0.0),
    "gram": (LAGS * LAGS, _F4, 0.0),
    "cross": (LAGS, _F4, 0.0),
    "weights": (LAGS, _F4, 0.0),
    "error_dev": (HOURS, _F4, 1.0),
    "error_dev_all": (1, _F4, 1.0),
    # views
    "last_error": (1, _F4, 0.0),
    "cusum": (2, _F4, 0.0),
    "restless": (1, _F4, 1.0),
    "same": (HOURS, _F4, 0.5),
    "run": (1, _F4, 0.0),
    "last_value": (1, _F4, np.nan),
    "changes": (1, _F4, 0.0),
    # tails: start, mean excess, mean squared excess, excesses, points seen, height of the excess that is
    "tail_start": (len(VIEWS), _F4, 0.0),
    "tail_mean": (len(VIEWS), _F4, 0.0),
    "tail_square": (len(VIEWS), _F4, 0.0),
    "tail_excesses": (len(VIEWS), _F4, 0.0),
    "tail_points": (len(VIEWS), _F4, 0.0),
    "tail_peak": (len(VIEWS), _F4, 0.0),
    "record_run": (len(VIEWS), _F4, 0.0),
    "record_1": (len(VIEWS), _F4, 0.0),
    "record_2": (len(VIEWS), _F4, 0.0),
    "record_3": (len(VIEWS), _F4, 0.0),
    # alarm
    "missing": (1, np.uint16, 0),
    "over": (1, np.uint8, 0),
    "calm": (1, np.uint8, 0),
    "active": (1, np.uint8, 0),
    "fired": (1, np.uint8, 0),
    "active_points": (1, np.uint16, 0),
    "rest": (1, np.uint16, 0),
    "onsets": (4, np.uint32, 0),  # minutes since 1970: of the run or alarm that is, and the last three
}


@dataclass(slots=True)
class Bank:
    """The arrays of `size` series; `get` gives one, shape (rows, size), to be changed in place."""

    size: int
    arrays: dict[str, Array]

    @classmethod
    def empty(cls) -> Bank:
        """No series yet."""
        return cls(0, {name: np.empty((rows, 0), dtype) for name, (rows, dtype, _) in _LAYOUT.items()})

    def grow(self, size: int) -> None:
        """Add series that nothing is known of at the end, up to `size`."""
        more = size - self.size
        if more <= 0:
            return
        for name, (rows, dtype, fill) in _LAYOUT.items():
            new = np.full((rows, more), fill, dtype)
            self.arrays[name] = np.concatenate((self.arrays[name], new), axis=1)
        self.size = size

    def floats(self, name: str) -> Floats:
        """One array of numbers, itself."""
        return self.arrays[name]  # type: ignore[return-value]

    def ints(self, name: str) -> npt.NDArray[np.unsignedinteger]:
        """One array of counts, itself."""
        return self.arrays[name]  # type: ignore[return-value]

    def items(self) -> Iterator[tuple[str, Array]]:
        """Names and arrays."""
        return iter(self.arrays.items())

    @staticmethod
    def bytes_per_series() -> int:
        """What one series weighs."""
        return sum(rows * np.dtype(dtype).itemsize for rows, dtype, _ in _LAYOUT.values())
