"""What makes two readings one: series, moment and seq, in which the things of one frame differ high up."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipelines.kernels.panes import MAX_PANE_MS, identities

COUNTERS = st.integers(min_value=0, max_value=2**32 - 1)


def identity(series: int, offset_ms: int, seq: int) -> int:
    return int(identities(*(np.array([each], np.int64) for each in (series, offset_ms, seq)))[0])


@given(COUNTERS, st.integers(min_value=1, max_value=200))
def test_the_things_of_one_frame_are_several(counter: int, number: int) -> None:
    assert identity(3, 7, counter) != identity(3, 7, counter + (number << 32))


@given(COUNTERS, st.integers(min_value=1, max_value=65_535))
def test_frames_of_one_moment_are_several(counter: int, later: int) -> None:
    assert identity(3, 7, counter) != identity(3, 7, counter + later)


@given(st.integers(min_value=0, max_value=2**32 - 2), st.integers(min_value=0, max_value=MAX_PANE_MS - 2))
def test_series_and_moments_never_meet(series: int, offset_ms: int) -> None:
    here = identity(series, offset_ms, 65_535)
    assert here != identity(series + 1, offset_ms, 65_535)
    assert here != identity(series, offset_ms + 1, 0)
