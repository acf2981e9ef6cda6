"""What users have today, as scores: a fixed threshold, a moving band, Holt-Winters. And ours.

Each takes the values of a minute and gives one score a series, larger is more unusual; none looks ahead.
"""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from benchmarks.detect_city import DAY_MIN, START_MS
from pipelines.kernels.detect.bank import Bank
from pipelines.kernels.detect.detector import Threshold, judge
from pipelines.kernels.detect.figures import transform
from pipelines.kernels.detect.season import moment_of

__all__ = ["FixedThreshold", "HoltWinters", "Method", "MovingBand", "Ours"]

Floats = npt.NDArray[np.float64]
_WEEK_MIN: Final = 7 * DAY_MIN


class Method(Protocol):
    """A method under test."""

    name: str

    def score(self, minute: int, values: Floats) -> npt.NDArray[np.floating]:
        """One score a series, of this minute."""
        ...


class FixedThreshold:
    """Limits a series, set once: the middle and the 0.1 % quantiles of the last week of learning."""

    name = "fixed threshold"

    def __init__(self, size: int, learning_min: int) -> None:
        self.learning_min = learning_min
        self.kept = np.zeros((_WEEK_MIN, size), np.float32)
        self.middle, self.half = np.zeros(size), np.ones(size)

    def score(self, minute: int, values: Floats) -> npt.NDArray[np.floating]:
        """Distance from the middle, in halves of the range."""
        if minute < self.learning_min:
            self.kept[minute % _WEEK_MIN] = values
            return np.zeros(values.size)
        if minute == self.learning_min:
            low, high = np.quantile(self.kept, (0.001, 0.999), axis=0)
            self.middle, self.half = (low + high) / 2, np.maximum((high - low) / 2, 1e-6)
        return np.abs(values - self.middle) / self.half


class MovingBand:
    """Distance from the mean of the last hours, in standard deviations of the same hours."""

    def __init__(self, size: int, hours: int) -> None:
        self.name = f"mean ± kσ, {hours} h"
        self.window = hours * 60
        self.kept = np.zeros((self.window, size))
        self.total, self.square = np.zeros(size), np.zeros(size)

    def score(self, minute: int, values: Floats) -> npt.NDArray[np.floating]:
        """Distance from the mean, in deviations."""
        count = max(min(minute, self.window), 1)
        mean = self.total / count
        deviation = np.sqrt(np.maximum(self.square / count - mean * mean, 1e-6))
        result = np.abs(values - mean) / deviation
        old = self.kept[minute % self.window]
        self.total += values - old
        self.square += values * values - old * old
        self.kept[minute % self.window] = values
        return result


class HoltWinters:
    """Additive Holt-Winters with a season of a week and a band of seasonal deviations (Brutlag, 2000)."""

    name = "Holt-Winters"

    def __init__(self, size: int, alpha: float = 0.01, beta: float = 0.0001, gamma: float = 0.25) -> None:
        self.alpha, self.beta, self.gamma = alpha, beta, gamma
        self.level, self.trend = np.zeros(size), np.zeros(size)
        self.season = np.zeros((_WEEK_MIN, size), np.float32)
        self.deviation = np.zeros((_WEEK_MIN, size), np.float32)

    def score(self, minute: int, values: Floats) -> npt.NDArray[np.floating]:
        """Error of the forecast, in usual errors of a quarter of an hour around this time of the week."""
        slot = minute % _WEEK_MIN
        if minute == 0:
            self.level = values.copy()
        expected = self.level + self.trend + self.season[slot]
        error = values - expected
        around = self.deviation[np.arange(slot - 7, slot + 8) % _WEEK_MIN].mean(axis=0)
        result: Floats = np.abs(error) / np.maximum(around, 1e-3)
        first = minute < _WEEK_MIN
        before = self.level.copy()
        self.level += self.trend + self.alpha * error
        self.trend += self.beta * (self.level - before - self.trend)
        self.season[slot] += (1.0 if first else self.gamma) * (values - self.level - self.season[slot])
        self.deviation[slot] += (1.0 if first else self.gamma) * (np.abs(error) - self.deviation[slot])
        return result


class Ours:
    """`pipelines.kernels.detect`: -ln of how rare the minute is by the series' own past."""

    name = "Taishi"

    def __init__(self, kind: npt.NDArray[np.int_], spaces: Floats) -> None:
        self.bank = Bank.empty()
        self.bank.grow(kind.size)
        self.kind, self.spaces = kind, spaces
        self.threshold = Threshold(float(np.log(3 * _WEEK_MIN)), 2 * DAY_MIN, 30, DAY_MIN)

    def score(self, minute: int, values: Floats) -> npt.NDArray[np.floating]:
        """Surprise of whichever view is most surprised."""
        judged = np.choose(
            self.kind,
            (
                transform("count", values),
                transform("ratio", np.clip(values, 0, 1), self.spaces),
                transform("mean", values),
            ),
        )
        moment = moment_of(START_MS + minute * 60_000, 60_000)
        pair = (judged.astype(np.float32), values.astype(np.float32))
        return judge(self.bank, self.threshold, moment, pair, minute).surprise
