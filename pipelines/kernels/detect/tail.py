"""How rare a statistic is by the series' own past: a start of the tail and what lies beyond it.

The start is a quantile, followed step by step; excesses over it (one a run of points: what stays high for a
day is one) are taken as generalised Pareto by their first two moments, leaning on a prior while they are few
(Siffer et al., SPOT, 2017, with moments in place of maximum likelihood, so that a point costs a few
additions). What was never nearly seen cannot be called rarer than the length of the past allows.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from pipelines.kernels.detect.bank import VIEWS, Bank, Bools, Floats

__all__ = ["EVERY", "learn_tails", "surprise"]

EVERY: Final = (1, 1, 2, 12, 8, 240, 1, 8, 4, 8)
"""Of which points each view's tail learns, in the order of `VIEWS`: slow views say the same for long."""
_BEYOND: Final = np.array([0.01, 0.01, 0.01, 0.03, 0.02, 0.1, 0.01, 0.02, 0.02, 0.03], np.float32)[:, None]
"""The share of points that lies beyond the start."""
_PACE: Final = (0.1, 0.1, 0.1, 0.4, 0.4, 0.5, 0.1, 0.4, 0.2, 0.4)
"""How far the start moves at an excess, in mean excesses, once it is found."""
_PRIOR_RATIO: Final = np.array([0.25, 0.3, 0.25, 0.25, 0.3, 0.4, 0.3, 0.25, 0.2, 0.2], np.float32)[:, None]
_PRIOR_SHAPE: Final = np.float32(0.08)
_PRIOR_WEIGHT: Final = np.float32(20.0)
_SHAPE_MAX: Final = np.float32(0.4)
_EXCESSES_MAX: Final = np.float32(250.0)
_SETTLED: Final = 2.0
"""Excesses to be expected before neighbours among them are taken as one."""
_POINTS_MAX: Final = np.float32(1e6)
_RECORDS: Final = np.float32(3.0)
"""What came so often in the past is no rarer than that."""
_RECORD_ROWS: Final = ("record_1", "record_2", "record_3")
_RECORD_HALF_POINTS: Final = 20_000.0
_STUCK: Final = VIEWS.index("stuck")
_LOG_BEYOND: Final = -np.log(_BEYOND)


def surprise(bank: Bank, statistics: Floats) -> Floats:
    """-ln of the share of the past that was at least as extreme, shape (views, series)."""
    excesses, fitted = bank.floats("tail_excesses"), _fitted(bank)
    limit = np.log(bank.floats("tail_points") + 2) + np.float32(1.2) * excesses
    limit[_STUCK] *= 2  # chances of a run multiply, it need not have been seen
    by_fit = _by_fit(bank, fitted, statistics)
    seen = bank.floats("record_3")
    known = np.log((bank.floats("tail_points") + _RECORDS) / _RECORDS)
    known += np.maximum(by_fit - _by_fit(bank, fitted, seen), 0)
    result: Floats = np.minimum(np.minimum(by_fit, limit), np.where(seen > 0, known, np.float32(np.inf)))
    return result


def _by_fit(bank: Bank, fitted: tuple[Floats, Floats], statistics: Floats) -> Floats:
    start, (scale, shape) = bank.floats("tail_start"), fitted
    above = np.maximum(statistics - start, 0) / scale
    inside = np.minimum(statistics / np.maximum(start, np.float32(1e-9)), 1)
    result: Floats = _LOG_BEYOND * inside + np.log1p(shape * above) / shape
    return result


def _fitted(bank: Bank) -> tuple[Floats, Floats]:
    """Scale and shape of the excesses."""
    excesses, mean = bank.floats("tail_excesses"), bank.floats("tail_mean")
    prior = np.maximum(_PRIOR_RATIO * bank.floats("tail_start"), np.float32(0.05))
    spread = np.maximum(bank.floats("tail_square") - mean * mean, np.float32(1e-12))
    shape = np.float32(0.5) * (1 - mean * mean / spread)
    shape = (excesses * shape + _PRIOR_WEIGHT * _PRIOR_SHAPE) / (excesses + _PRIOR_WEIGHT)
    shape = np.clip(shape, np.float32(1e-3), _SHAPE_MAX)
    shape[_STUCK] = np.float32(1e-3)
    scale = (excesses * mean + 5 * prior) / (excesses + 5) * (1 - shape)
    scale[_STUCK] = np.maximum(scale[_STUCK], 1)
    return scale.astype(np.float32), shape.astype(np.float32)


def learn_tails(bank: Bank, statistics: Floats, ok: tuple[Floats, Floats], tick: int) -> None:
    """Take in statistics (NaN: none) of the views whose turn it is.

    `ok`: 1 for the series of which the fit learns, and for those of which the records do.
    """
    quiet, seen = ok
    for view, every in enumerate(EVERY):
        if tick % every == 0:
            known = np.isfinite(statistics[view])
            if known.any():
                statistic = np.where(known, statistics[view], np.float32(0))
                _learn_tail(bank, view, statistic, quiet * known)
                _learn_records(bank, view, statistic, seen * known)


def _learn_records(bank: Bank, view: int, statistic: Floats, ok: Floats) -> None:
    """The three highest excesses, also those that were alarms; forgotten over weeks."""
    run = bank.floats("record_run")[view]
    over = statistic > bank.floats("tail_start")[view]
    ended = np.flatnonzero((ok > 0) & ~over & (run > 0))
    run[:] = np.where((ok > 0) & over, np.maximum(run, statistic), run)
    rows = [bank.floats(name)[view] for name in _RECORD_ROWS]
    kept = 1 - ok * np.float32(1 - 0.5 ** (EVERY[view] / _RECORD_HALF_POINTS))
    for row in rows:
        np.multiply(row, kept, out=row)
    if ended.size:
        four = np.sort(np.stack([run[ended], *(row[ended] for row in rows)]), axis=0)
        for row, values in zip(rows, four[:0:-1], strict=True):
            row[ended] = values
        run[ended] = 0


def _learn_tail(bank: Bank, view: int, statistic: Floats, ok: Floats) -> None:
    beyond = _BEYOND[view, 0]
    start, points = bank.floats("tail_start")[view], bank.floats("tail_points")[view]
    mean, excesses = bank.floats("tail_mean")[view], bank.floats("tail_excesses")[view]
    np.minimum(points + ok, _POINTS_MAX, out=points)
    scale = np.maximum(mean, np.maximum(_PRIOR_RATIO[view, 0] * start, np.float32(0.02)))
    over = statistic > start
    settled = points * beyond > _SETTLED
    ended, highest = _excess_ended(bank, view, statistic, over, ok, settled)
    weight = ended * settled
    np.minimum(excesses + weight, _EXCESSES_MAX, out=excesses)
    step = weight / np.maximum(excesses, 1)
    excess = np.minimum(np.maximum(highest - start, 0), 12 * scale)
    square = bank.floats("tail_square")[view]
    mean += step * (excess - mean)
    square += step * (excess * excess - square)
    pace = np.maximum(1 / (points * beyond + 1), np.float32(_PACE[view]))
    start += pace * scale * (ended * (1 - beyond) - ok * ~over * beyond)
    np.maximum(start, 0, out=start)


def _excess_ended(
    bank: Bank, view: int, statistic: Floats, over: Bools, ok: Floats, settled: Bools
) -> tuple[Floats, Floats]:
    """Which series' excess ends here, as 0 or 1, and how high it was.

    Points over the start, one after the other, are one excess; of a young tail each is one.
    """
    peak = bank.floats("tail_peak")[view]
    peak[:] = np.where(over & (ok > 0), np.maximum(peak, statistic), peak)
    ended = ok * ((peak > 0) & (~over | ~settled))
    highest = peak.copy()
    peak *= 1 - ended
    return ended, highest
