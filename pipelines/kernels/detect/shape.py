"""Has a stretch of the series ever looked like this? Left discords of one series, at two widths.

The last points are laid on every stretch of as many points that lies wholly before them, among the last
`_KEPT`; the distance to the nearest is how new they are (a matrix profile of the past only: Yeh et al. 2016;
left discords: Lu et al., DAMP, 2022). Distances are told as multiples of the usual one, so that scale does
not matter. Short stretches are compared about their own means, long ones as they lie: a beat of another form,
another pace, noise of another size, a cycle that is missing. A memory of 16 KB or so: one series affords it,
a district of ten thousand does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.kernels.detect.bank import Floats

__all__ = ["Shapes"]

Doubles = npt.NDArray[np.float64]

_KEPT: Final = 2048
_RESCALE_EVERY: Final = 64
_FIRST: Final = 8
_BOUND: Final = 8.0
"""Points further from the middle, in spreads, are taken as so far: one outlier is no shape."""
_SPREAD_QUANTILES: Final = (0.01, 0.25, 0.5, 0.75, 0.99)
_USUAL_POINTS: Final = 2000
_USUAL_CLIP: Final = 3.0
_RATIO_MAX: Final = 20.0


@dataclass(slots=True)
class _Width:
    """One width: `usual`: mean distance so far, in the values' own terms, of `seen` stretches."""

    points: int
    centred: bool
    usual: float = 0.0
    seen: int = 0

    def ratio(self, distance: float) -> float:
        """The distance as a multiple of those before it, which it joins."""
        found = _RATIO_MAX if distance > 0 else 0.0
        if self.usual > 0:
            found = min(distance / self.usual, _RATIO_MAX)
        self.seen = min(self.seen + 1, _USUAL_POINTS)
        most = _USUAL_CLIP * self.usual if self.seen > self.points else distance
        self.usual += (min(distance, most) - self.usual) / self.seen
        return found


@dataclass(slots=True)
class Shapes:
    """The past of one series, and how it usually repeats itself."""

    widths: tuple[_Width, ...] = field(default_factory=lambda: (_Width(16, True), _Width(48, False)))
    values: Doubles = field(default_factory=lambda: np.zeros(2 * _KEPT))
    scaled: Doubles = field(default_factory=lambda: np.zeros(2 * _KEPT))
    sums: Doubles = field(default_factory=lambda: np.zeros((2, 2 * _KEPT + 1)))
    count: int = 0
    until_rescaled: int = _FIRST
    middle: float = 0.0
    spread: float = 1.0

    def take(self, value: float) -> Floats:
        """How new the stretches are that end with this point, shape (widths, 1); 0: too little is known."""
        if self.count == self.values.size:
            self.values[:_KEPT] = self.values[-_KEPT:]
            self.count, self.until_rescaled = _KEPT, 0
        self.values[self.count] = value
        self.count += 1
        self.until_rescaled -= 1
        if self.until_rescaled <= 0:
            self._rescale()
        else:
            self._append(self.count - 1)
        return np.array([[self._newness(width)] for width in self.widths], np.float32)

    def _rescale(self) -> None:
        """Middle and spread of what is kept, and everything in those terms."""
        held = self.values[: self.count]
        low, lower, self.middle, upper, high = np.quantile(held[-_KEPT:], _SPREAD_QUANTILES).tolist()
        self.spread = max((upper - lower) / 1.35, (high - low) / 4.65) or 1.0
        scaled = np.clip((held - self.middle) / self.spread, -_BOUND, _BOUND)
        self.scaled[: self.count] = scaled
        self.sums[0, 1 : self.count + 1] = np.cumsum(scaled)
        self.sums[1, 1 : self.count + 1] = np.cumsum(scaled * scaled)
        self.until_rescaled = min(self.count, _RESCALE_EVERY)

    def _append(self, at: int) -> None:
        scaled = (self.values[at] - self.middle) / self.spread
        scaled = min(max(scaled, -_BOUND), _BOUND)
        self.scaled[at] = scaled
        self.sums[0, at + 1] = self.sums[0, at] + scaled
        self.sums[1, at + 1] = self.sums[1, at] + scaled * scaled

    def _newness(self, width: _Width) -> float:
        m, end = width.points, self.count
        if end < 3 * m:
            return 0.0
        first = max(0, end - m - _KEPT)
        now = self.scaled[end - m : end]
        products = np.correlate(self.scaled[first : end - m], now)
        sums, squares = self.sums[:, first + m : end - m + 1] - self.sums[:, first : end - 2 * m + 1]
        apart = squares - 2 * products
        if width.centred:
            apart -= (sums - now.sum()) ** 2 / m
        nearest = float(apart.min()) + float(now @ now)
        return width.ratio(np.sqrt(max(nearest, 0.0) / m) * self.spread)
