"""When a condition begins and ends: on-delay, off-delay and what cannot be judged (OPC UA Part 9, 5.8).

A condition becomes active once it has held for the on-delay, from the first minute it held (its onset), and
is over once it has not held for the off-delay. A minute in which a place cannot be judged decides nothing
about it: what was begun goes on. Out of the rule's hours it is over at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.kernels.rules.model import Bound, Rule
from pipelines.kernels.rules.state import NEVER, Bools, Floats, Track

__all__ = ["Judged", "Step", "compared", "step"]

Rows = npt.NDArray[np.intp]
_COMPARE: Final = {
    "above": np.greater,
    "below": np.less,
    "at_least": np.greater_equal,
    "at_most": np.less_equal,
}
_UPWARD: Final = ("above", "at_least")


@dataclass(frozen=True, slots=True)
class Judged:
    """One minute, by row: `holds` by the threshold, `stays` by the threshold less the deadband, `known`."""

    holds: Bools
    stays: Bools
    known: Bools


@dataclass(frozen=True, slots=True)
class Step:
    """Rows whose condition began and is over; `onset_ms` of those that are over, which the track forgot."""

    raised: Rows
    cleared: Rows
    onset_ms: npt.NDArray[np.int64]


def compared(bound: Bound, threshold: float, deadband: float, observed: Floats, known: Bools) -> Judged:
    """Compare what was observed; NaN is never known."""
    looser = threshold - deadband if bound in _UPWARD else threshold + deadband
    compare = _COMPARE[bound]
    return Judged(compare(observed, threshold), compare(observed, looser), known & ~np.isnan(observed))


def step(rule: Rule, track: Track, now_ms: int, judged: Judged, *, applies: bool) -> Step:
    """Take a minute into the track and say what began and what is over."""
    before = track.active.copy()
    if not applies:
        cleared = before
        track.onset_ms[~before] = NEVER
    else:
        known = judged.known & track.scope
        _begin(rule, track, now_ms, known & ~before, judged.holds)
        cleared = _end(rule, track, now_ms, known & before, judged.stays)
    track.active &= ~cleared
    over = np.flatnonzero(cleared)
    onsets = track.onset_ms[over]
    track.onset_ms[over] = NEVER
    track.clearing_ms[over] = NEVER
    return Step(np.flatnonzero(track.active & ~before), over, onsets)


def _begin(rule: Rule, track: Track, now_ms: int, rows: Bools, holds: Bools) -> None:
    track.onset_ms[rows & ~holds] = NEVER
    track.onset_ms[rows & holds & (track.onset_ms == NEVER)] = now_ms
    track.active |= rows & holds & (now_ms - track.onset_ms >= rule.on_delay_s * 1000)


def _end(rule: Rule, track: Track, now_ms: int, rows: Bools, stays: Bools) -> Bools:
    track.clearing_ms[rows & stays] = NEVER
    track.clearing_ms[rows & ~stays & (track.clearing_ms == NEVER)] = now_ms
    return rows & ~stays & (now_ms - track.clearing_ms >= rule.off_delay_s * 1000)
