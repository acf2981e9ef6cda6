"""A district for the detectors' benchmark: series with known rhythms and noise, and faults of known size.

Each grid has three figures: a count (negative binomial), an occupancy (a share of a known number of spaces
that moves slowly) and a mean (autocorrelated, heavy-tailed: Student-t with 4 degrees of freedom, in steps of
0.1). Days and hours differ by kind of day. Sizes of the faults are `FAULTS`, fixed before anything was
measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from schemas.calendar import is_working_day, local

__all__ = ["DAY_MIN", "FAULTS", "KINDS", "START_MS", "City", "Fault"]

Floats = npt.NDArray[np.float64]

DAY_MIN: Final = 1440
START_MS: Final = 1_783_267_200_000
"""Monday, 6 July 2026, 00:00 in Shanghai: six weeks without a public holiday."""
KINDS: Final = ("count", "ratio", "mean")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, for how long, and how much it changes a count, a share and a mean (in deviations)."""

    name: str
    minutes: int
    count: float
    ratio: float
    mean: float


FAULTS: Final = (
    Fault("drop-out", 120, 0.3, 0.3, -4.0),
    Fault("surge", 60, 3.0, 0.5, 4.0),
    Fault("stuck sensor", 180, 1.0, 1.0, 0.0),
    Fault("slow drift", 3 * DAY_MIN, 0.5, -1.5, 3.0),
    Fault("closure", 480, 0.02, 0.02, -5.0),
)
"""drop-out: counts and shares times 0.3; surge: counts times 3, half of the free spaces taken; stuck: the
last value stays; drift: linearly to half of the counts, 1.5 less in log odds, 3 deviations; closure: counts
times 0.02, shares halve every 30 minutes down to 0.02, means fall by 5 deviations within an hour."""


class City:
    """`step` makes the next minute of every series; series i is figure `KINDS[i % 3]` of grid i // 3."""

    def __init__(self, grids: int, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.size = 3 * grids
        rng = self.rng
        self.kind = np.arange(self.size) % 3
        self.busy = np.exp(rng.uniform(np.log(1.0), np.log(20.0), self.size))
        self.spaces = rng.integers(20, 200, self.size).astype(float)
        self.peak = rng.uniform(9, 19, self.size)
        self.depth = rng.uniform(0.5, 1.5, self.size)
        self.weekend = rng.uniform(-0.7, 0.5, self.size)
        self.dispersion = rng.uniform(3.0, 20.0, self.size)
        self.memory = np.where(self.kind == 1, 0.98, rng.uniform(0.5, 0.95, self.size))
        self.slow = np.zeros(self.size)
        self.week = rng.uniform(-0.15, 0.15, (7, self.size))
        self.held = np.full(self.size, np.nan)

    def _rhythm(self, minute: int) -> Floats:
        """Deviation from the series' own middle, about -1.5 to 1.5."""
        at = local(START_MS + minute * 60_000)
        hour = at.hour + at.minute / 60
        angle = 2 * np.pi * (hour - self.peak) / 24
        shape = np.cos(angle) + 0.35 * np.cos(2 * angle)
        off = 0.0 if is_working_day(at.date()) else 1.0
        result: Floats = self.depth * shape * (1 - 0.4 * off) + self.weekend * off + self.week[at.weekday()]
        return result

    def step(self, minute: int, faults: list[tuple[int, Fault, int]]) -> Floats:
        """Values of a minute; `faults`: (series, fault, minutes since it began) of those that are on."""
        rhythm = self._rhythm(minute)
        factor, shift, slow = np.ones(self.size), np.zeros(self.size), np.ones(self.size)
        stuck = np.zeros(self.size, bool)
        for series, fault, since in faults:
            stuck[series] = fault.name == "stuck sensor"
            factor[series], shift[series] = _changed(fault, since, int(self.kind[series]))
        noise = np.where(
            self.kind == 2,
            self.rng.standard_t(4, self.size) / np.sqrt(2),
            self.rng.standard_normal(self.size),
        )
        self.slow = self.memory * self.slow + np.sqrt(1 - self.memory**2) * noise
        rate = self.busy * np.exp(rhythm) * factor * slow
        gamma = self.rng.gamma(self.dispersion, 1 / self.dispersion)
        counts = self.rng.poisson(rate * gamma).astype(float)
        odds = rhythm + 0.35 * self.slow + np.where(self.kind == 1, shift, 0)
        share = 1 / (1 + np.exp(-odds))
        share = np.where(factor > 1, share + (1 - share) * (factor - 1), share * np.minimum(factor, 1))
        occupied = np.round(share * self.spaces) / self.spaces
        means = np.round(20 + 3 * rhythm + self.slow + shift, 1)
        values = np.choose(self.kind, (counts, occupied, means))
        values = np.where(stuck, self.held, values)
        self.held = values
        return values


def _changed(fault: Fault, since: int, kind: int) -> tuple[float, float]:
    """The factor (counts, shares) and the shift (log odds of shares, means) a fault has reached."""
    part = min(1.0, (since + 1) / fault.minutes) if fault.name == "slow drift" else 1.0
    if kind == 2:
        if fault.name == "closure":
            part = min(1.0, (since + 1) / 60)
        return 1.0, fault.mean * part
    if kind == 1 and fault.name == "slow drift":
        return 1.0, fault.ratio * part
    if kind == 1 and fault.name == "closure":
        return max(fault.ratio, 0.5 ** ((since + 1) / 30)), 0.0
    if kind == 1 and fault.name == "surge":
        return 1 + fault.ratio, 0.0
    size = fault.count if kind == 0 else fault.ratio
    return 1 + (size - 1) * part, 0.0
