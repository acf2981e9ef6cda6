"""One series on its own, point by point: the same code as for a district, at whatever step it comes.

Besides, it remembers the forms it has had (`shape`). The step is the median distance of the points so far.
The first value is taken as zero, which moves nothing but keeps the precision of large numbers.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from statistics import median
from typing import Final

import numpy as np

from pipelines.kernels.detect.bank import Bank
from pipelines.kernels.detect.detector import Threshold, judge
from pipelines.kernels.detect.season import moment_of
from pipelines.kernels.detect.shape import Shapes

__all__ = ["Score", "Stream", "score_of"]

_DAY_MS: Final = 86_400_000
_STEPS_KEPT: Final = 25
_STEP_AT_FIRST_MS: Final = 300_000
_ALARMS_PER_DAY: Final = 48 / 2000
"""What is left for one series of the budget of a district with 2,000."""
_RARE_AT_LEAST: Final = 500.0
_HISTORY: Final = 100
_GAP_MAX: Final = 1000
_LARGEST: Final = 1e18
"""Values further from the first are taken as so far: single precision must hold their squares."""
_DECADES: Final = 8.0
_NO_SHAPES: Final = np.zeros((2, 1), np.float32)


@dataclass(frozen=True, slots=True)
class Score:
    """`score` in [0, 1], rising with surprise; `judged`: there were a value and history enough."""

    score: float
    alert: bool
    judged: bool


def score_of(surprise: float) -> float:
    """1 - p^(1/8) of a tail probability p = e^-surprise."""
    return 1 - math.exp(-surprise / _DECADES)


@dataclass(slots=True)
class Stream:
    """The state of one series; `take` judges a point by those before it, then learns from it."""

    bank: Bank = field(default_factory=Bank.empty)
    shapes: Shapes = field(default_factory=Shapes)
    steps: deque[int] = field(default_factory=lambda: deque(maxlen=_STEPS_KEPT))
    last_ms: int | None = None
    zero: float | None = None
    tick: int = 0

    def take(self, at_ms: int, value: float | None) -> Score:
        """Judge one point. Times that do not advance are taken as one step on."""
        if self.bank.size == 0:
            self.bank.grow(1)
        step_ms, gap = self._step(at_ms)
        if self.zero is None and value is not None and math.isfinite(value):
            self.zero = value
        known = value is not None and math.isfinite(value) and self.zero is not None
        centred = (value or 0.0) - (self.zero or 0.0) if known else math.nan
        array = np.clip(np.array([centred]), -_LARGEST, _LARGEST).astype(np.float32)
        surprise = math.log(max(_DAY_MS / step_ms / _ALARMS_PER_DAY, _RARE_AT_LEAST))
        moment = moment_of(at_ms, step_ms, gap)
        lasts = round(moment.day)
        threshold = Threshold(surprise, _HISTORY, 0, lasts, delayed=False)
        shapes = self.shapes.take(float(array[0])) if known else _NO_SHAPES
        found = judge(self.bank, threshold, moment, (array, array, shapes), self.tick)
        self.tick += 1
        judged = bool(found.judged[0])
        return Score(
            score_of(float(found.surprise[0])), judged and self.bank.ints("active")[0, 0] > 0, judged
        )

    def _step(self, at_ms: int) -> tuple[int, int]:
        """The step that is usual, and how many of it have passed since the last point."""
        passed = at_ms - self.last_ms if self.last_ms is not None else 0
        self.last_ms = at_ms
        step_ms = int(median(self.steps)) if self.steps else passed or _STEP_AT_FIRST_MS
        if passed > 0:
            self.steps.append(passed)
        step_ms = max(abs(step_ms), 1)
        return step_ms, max(1, min(round(passed / step_ms), _GAP_MAX))
