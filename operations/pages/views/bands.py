"""Bands of the map: 0 to 5 by growing value; None is no data, which is not the lowest band. Pure."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["BANDS", "band", "limits"]

BANDS: Final = 6
_STEPS: Final = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def band(value: float | None, lower: Sequence[float]) -> int | None:
    """The band of a value by the lower limits of the bands 1 to 5."""
    return None if value is None else bisect.bisect_right(lower, value)


def limits(values: Iterable[float]) -> tuple[float, ...]:
    """Lower limits of the bands 1 to 5 for counts: whole, round, growing by the square, from 1 up.

    Squares, because a few places have most: equal steps would leave nearly all of them in the lowest band.
    """
    highest = max(values, default=0.0)
    found: list[float] = []
    for number in range(1, BANDS):
        wanted = _round(highest * (number / BANDS) ** 2)
        found.append(max(wanted, found[-1] + 1 if found else 1.0))
    return tuple(found)


def _round(value: float) -> float:
    """The nearest round number; whole, and at least 1."""
    if value <= 1:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return float(math.ceil(min((step * power for step in _STEPS), key=lambda each: abs(each - value))))
