"""What the points just before say of the next one: a linear forecast of the residual, learned as it goes.

Residuals are in units of their usual deviation. What is looked at: the last two, and means over about 5 and
about 40 points. Least squares with forgetting over normal equations, held near zero while little is known;
solved anew every few points.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipelines.kernels.detect.bank import LAGS, Bank, Floats
from pipelines.kernels.detect.season import Moment, learn_spread

__all__ = ["FAST", "FAST_POINTS", "MIDDLE", "MIDDLE_POINTS", "SLOW", "forecast", "learn_forecast", "remember"]

FAST, MIDDLE, SLOW = 0, 1, 2
"""Rows of `smooth`: means over about 5 points, 40 points and a day."""
FAST_POINTS: Final = 5.0
MIDDLE_POINTS: Final = 40.0
_KEPT: Final = np.float32(1 - 1 / 3000)
_RIDGE: Final = np.float32(3.0)
_BOUND: Final = np.float32(6.0)
_FORGOTTEN_GAP: Final = 10


def _features(bank: Bank) -> Floats:
    return np.concatenate((bank.floats("last"), bank.floats("smooth")[: MIDDLE + 1]))


def forecast(bank: Bank) -> Floats:
    """The next residual, from those before it."""
    result: Floats = (bank.floats("weights") * _features(bank)).sum(axis=0)
    return result


def learn_forecast(bank: Bank, moment: Moment, residual: Floats, error: Floats, ok: Floats) -> None:
    """Take in residuals and the forecast's (clipped) errors, before `remember`."""
    features = np.clip(_features(bank), -_BOUND, _BOUND)
    target = np.clip(residual, -_BOUND, _BOUND)
    keep = 1 - ok * (1 - _KEPT)
    gram, cross = bank.floats("gram"), bank.floats("cross")
    gram *= keep
    gram += ((features * ok)[:, None, :] * features).reshape(LAGS * LAGS, -1)
    cross *= keep
    cross += features * (target * ok)
    learn_spread(bank, moment, "error_dev", np.abs(error), ok)


def solve(bank: Bank) -> None:
    """Find the weights that would have forecast best."""
    gram = bank.floats("gram").T.reshape(-1, LAGS, LAGS)
    ridge = _RIDGE * np.eye(LAGS, dtype=np.float32)
    found = np.linalg.solve(gram + ridge, bank.floats("cross").T[:, :, None])
    bank.floats("weights")[:] = found[:, :, 0].T


def remember(bank: Bank, moment: Moment, residual: Floats, seen: Floats, calm: Floats) -> None:
    """Move on by one point: `residual` where `seen` is 1, in the mean over a day only where `calm` is too."""
    last, smooth = bank.floats("last"), bank.floats("smooth")
    bounded = np.clip(residual, -_BOUND, _BOUND)
    last[1] += seen * (last[0] - last[1])
    last[0] += seen * (bounded - last[0])
    for row, points in ((FAST, FAST_POINTS), (MIDDLE, MIDDLE_POINTS)):
        smooth[row] += seen * np.float32(1 / points) * (bounded - smooth[row])
    smooth[SLOW] += calm * np.float32(1 / moment.day) * (bounded - smooth[SLOW])


def forget(bank: Bank, gap: Floats) -> None:
    """After a gap the points before it say little, after a long one nothing."""
    kept = np.where(gap > 1, np.exp2(-(gap - 1) / np.float32(_FORGOTTEN_GAP)), np.float32(1)).astype(
        np.float32
    )
    bank.floats("last")[:] *= kept
    bank.floats("smooth")[:] *= kept
