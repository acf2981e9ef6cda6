"""Arrays at rest come back bit by bit, and take little room while they rest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from pipelines.kernels.gauges import GaugeState
from pipelines.kernels.packed import pack, unpack
from pipelines.kernels.panes import Pane, identities

SHAPES = arrays_of.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=5)
ARRAYS = st.sampled_from([np.int64, np.uint64, np.float64, np.bool_]).flatmap(
    lambda dtype: arrays_of.arrays(dtype, SHAPES)
)


@given(st.lists(ARRAYS, max_size=4))
def test_what_was_packed_comes_back_equal_and_writable(given_arrays):
    again = unpack(pack(*given_arrays))
    assert len(again) == len(given_arrays)
    for before, after in zip(given_arrays, again, strict=True):
        assert (before.dtype, before.shape) == (after.dtype, after.shape)
        assert before.tobytes() == after.tobytes()
        assert after.flags.writeable


def filled_pane(readings=2_500):
    random = np.random.default_rng(1)
    series, at = random.integers(0, 7_000, readings), np.sort(random.integers(0, 10_000, readings))
    pane = Pane(143, 24)
    pane.seen.add(np.unique(identities(series, at, np.zeros_like(at))))
    pane.gauges.add(series, at + 1_795_392_000_000, np.zeros_like(at), random.integers(0, 2, readings))
    pane.sums[0, :, 3] = 17
    return pane


def test_a_pane_at_rest_takes_a_sixth_of_the_room():
    pane = filled_pane()
    awake = sum(array.nbytes for array in unpack(pane.packed()))
    assert len(pane.packed()) < awake / 6


def test_a_pane_wakes_as_it_was_and_changes_only_when_it_says_so():
    pane, same = filled_pane(), filled_pane()
    pane.rest()
    assert (pane.sums == same.sums).all()
    assert (pane.seen.sorted() == same.seen.sorted()).all()
    resting = pane.packed()
    pane.change()
    pane.sums[0, 0, 0] += 1
    pane.rest()
    assert pane.packed() != resting
    assert pane.sums[0, 0, 0] == same.sums[0, 0, 0] + 1
    with pytest.raises(AttributeError):
        pane.sums = same.sums


def test_a_pane_packed_in_the_order_of_an_earlier_release_moves_gauges_alike():
    sums, seen, series, time_ms, seq, value = unpack(filled_pane().packed())
    order = np.lexsort((series, seq, time_ms))
    earlier = pack(sums, seen, *(column[order] for column in (series, time_ms, seq, value)))
    moved = []
    for pane in (filled_pane(), Pane.of_packed(earlier)):
        state = GaugeState()
        state.fit(7_000)
        moved.append([*state.advance(pane.gauges), state.value, state.time_ms])
    for mine, its in zip(*moved, strict=True):
        np.testing.assert_array_equal(mine, its)
