"""How busy a moment of the past is, and how grids differ: smooth, from the seed alone."""

from __future__ import annotations

from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.calendar import day_kind, local
from simulation.rhythm import CHINA, STREET_BY_HOUR

__all__ = [
    "HOUR_MS",
    "MINUTE_MS",
    "Floats",
    "day_number",
    "day_start_ms",
    "drift",
    "duty_day",
    "factor",
    "hour_of",
    "stream",
    "street",
]

Floats = npt.NDArray[np.float64]
HOUR_MS: Final = 3_600_000
MINUTE_MS: Final = 60_000
_STREET_BY_DAY: Final = {"working": 1.0, "make_up": 1.0, "weekend": 0.8, "holiday": 0.7}
_DAY_MS: Final = 24 * HOUR_MS
_AHEAD_MS: Final = int(CHINA.utcoffset(None).total_seconds() * 1000)


def stream(seed: int, what: int, number: int) -> np.random.Generator:
    """Random numbers of one purpose and one hour (or day)."""
    return np.random.default_rng((seed, 1_000 + what, number))


def day_number(at_ms: int) -> int:
    """The district's day of a moment, counted from 1970."""
    return (at_ms + _AHEAD_MS) // _DAY_MS


def day_start_ms(day: int) -> int:
    """Its midnight in the district."""
    return day * _DAY_MS - _AHEAD_MS


def hour_of(at_ms: npt.NDArray[np.int64]) -> Floats:
    """Hour of the district's day, 0..24, with its fraction."""
    hours: Floats = (at_ms + _AHEAD_MS) % _DAY_MS / HOUR_MS
    return hours


def factor(by_hour: tuple[float, ...], at_ms: npt.NDArray[np.int64]) -> Floats:
    """The rhythm's factor at each moment, between the middles of its hours; its mean over a day is 1."""
    middles = np.arange(-1, 25) + 0.5
    around = (by_hour[-1], *by_hour, by_hour[0])
    value: Floats = np.interp(hour_of(at_ms), middles, around)
    return value


def street(at_ms: npt.NDArray[np.int64]) -> Floats:
    """How busy the streets are: less on weekends, least on holidays."""
    return factor(STREET_BY_HOUR, at_ms) * _STREET_BY_DAY[day_kind(_day(at_ms))]


def duty_day(at_ms: npt.NDArray[np.int64], on_weekends: float) -> float:
    """What a day off is of a working day for those who work by the calendar; of the first moment's day."""
    return 1.0 if day_kind(_day(at_ms)) in ("working", "make_up") else on_weekends


def _day(at_ms: npt.NDArray[np.int64]) -> date:
    return local(int(at_ms[0])).date()


def drift(seed: int, what: int, at_ms: npt.NDArray[np.int64], count: int) -> Floats:
    """Slow noise of `count` series, shape (times, count): a normal draw an hour, and lines between them."""
    first, last = int(at_ms.min()) // HOUR_MS, int(at_ms.max()) // HOUR_MS + 1
    knots = np.stack([stream(seed, what, hour).normal(size=count) for hour in range(first, last + 1)])
    at = at_ms / HOUR_MS - first
    low = np.minimum(at.astype(np.int64), last - first - 1)
    share = (at - low)[:, None]
    values: Floats = knots[low] * (1 - share) + knots[low + 1] * share
    return values
