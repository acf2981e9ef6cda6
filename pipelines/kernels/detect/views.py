"""What can be unusual about a series: one number a view, larger is more unusual; `tail` says how rare.

point: the error of the forecast. pair: of the last two points, each off the forecast made before both, the
smaller error, if on one side. shift, step, drift: the
mean of the residual over about 5 points, 40 points and a day. cusum: the two-sided cumulative sum of
residuals beyond half a deviation. stuck: how unlikely it was, hour by hour, that the value would stay exactly
the same for as long as it has.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipelines.kernels.detect.bank import HOURS, VIEWS, Bank, Floats
from pipelines.kernels.detect.forecast import FAST, FAST_POINTS, MIDDLE, MIDDLE_POINTS, SLOW
from pipelines.kernels.detect.season import Moment, hour_visits

__all__ = ["learn_same", "statistics_of"]

_SLACK: Final = np.float32(0.5)
_SPREAD_POINTS: Final = 30.0
_ROBUST: Final = np.float32(1.2533)
_CUSUM_MAX: Final = np.float32(200.0)
_BOUND: Final = np.float32(6.0)
_LIKELY_MAX: Final = np.float32(0.9995)
_LIKELY_MIN: Final = np.float32(0.02)
_UNLIKELY: Final = np.float32(10.0)
"""From here on a run is taken as a fault, of which nothing is learned."""


def statistics_of(
    bank: Bank, moment: Moment, error: Floats, of: tuple[Floats, Floats | None], ok: Floats
) -> tuple[Floats, Floats]:
    """The statistics of this point, shape (views, series), and what of them the tails may learn (NaN: not).

    `remember` took the point's residual in before. `error`: the forecast's, in usual errors; `value`: as it
    came, exactly. Of staying the same, only a run that has just ended is learned.
    """
    value, shapes = of
    smooth, cusum = bank.floats("smooth"), bank.floats("cusum")
    result = np.empty((len(VIEWS), bank.size), np.float32)
    result[0] = np.abs(error)
    result[1] = _pair(bank, error, ok)
    result[2:4] = np.abs(smooth[FAST : MIDDLE + 1])
    _sum_up(bank, ok)
    result[4] = np.maximum(cusum[0], cusum[1])
    result[5] = np.abs(smooth[SLOW])
    result[7] = _spread(bank, error, ok)
    result[8:] = 0 if shapes is None else shapes
    learnable = result.copy()
    if shapes is None:
        learnable[8:] = np.nan
    result[6], learnable[6] = _stay(bank, moment, value, ok)
    return result, learnable


def _pair(bank: Bank, error: Floats, ok: Floats) -> Floats:
    """The smaller of the last error and of what this point is off the forecast made before both."""
    last, weights = bank.floats("last_error")[0], bank.floats("weights")
    carried = (
        weights[0] + weights[2] * np.float32(1 / FAST_POINTS) + weights[3] * np.float32(1 / MIDDLE_POINTS)
    )
    ahead = error + np.clip(carried, 0, 1) * last
    both: Floats = np.where(last * ahead > 0, np.minimum(np.abs(last), np.abs(ahead)), np.float32(0))
    last += ok * (error - last)
    return both


def _spread(bank: Bank, error: Floats, ok: Floats) -> Floats:
    """How far the mean size of the last errors is from the usual one, up or down, as a logarithm."""
    restless = bank.floats("restless")[0]
    size = np.minimum(np.abs(error), _BOUND) * _ROBUST
    restless += ok * np.float32(1 / _SPREAD_POINTS) * (size - restless)
    result: Floats = np.abs(np.log(np.maximum(restless, np.float32(0.01))))
    return result


def _sum_up(bank: Bank, ok: Floats) -> None:
    cusum = bank.floats("cusum")
    residual = bank.floats("last")[0] * ok
    for row, signed in ((0, residual), (1, -residual)):
        cusum[row] = np.clip(cusum[row] + signed - ok * _SLACK, 0, _CUSUM_MAX)


def _stay(bank: Bank, moment: Moment, value: Floats, ok: Floats) -> tuple[Floats, Floats]:
    """The run that is, and the one that has just ended (NaN: none has)."""
    run = bank.floats("run")[0]
    same = value == bank.floats("last_value")[0]
    likely = np.clip(bank.floats("same")[moment.before % HOURS], _LIKELY_MIN, _LIKELY_MAX)
    ended = np.where((ok > 0) & ~same, run, np.float32(np.nan))
    now = np.where(same, run - np.log(likely), np.float32(0))
    run += ok * (now - run)
    return run.copy(), ended


def learn_same(bank: Bank, moment: Moment, value: Floats, seen: Floats, ok: Floats) -> None:
    """Take in whether values stayed the same where `ok` is 1, and remember those that were `seen`."""
    last, chance = bank.floats("last_value")[0], bank.floats("same")[moment.before % HOURS]
    same = (value == last).astype(np.float32)
    points = hour_visits(bank, moment.before) * np.float32(moment.visit)
    known = ok * np.isfinite(last) * (bank.floats("run")[0] < _UNLIKELY)
    chance += known / (points + 2) * (same - chance)
    bank.floats("changes")[0] += known * (1 - same)
    last[:] = np.where(seen > 0, value, last)
