"""The loop that the worker is measured beside gives the right windows, each once."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.hand_loop import Reading, Windows, fault_of

READINGS = st.builds(
    Reading,
    grid=st.sampled_from(["a", "b", "c"]),
    value=st.sampled_from([0.0, 1.0, 2.5]),
    observed_at_ms=st.integers(0, 60_000),
)


PARTITION = {"a": 0, "b": 1, "c": 2}


@given(st.lists(READINGS, max_size=80), st.randoms(use_true_random=False))
def test_each_window_is_written_once_with_what_was_in_it_however_far_partitions_are_apart(readings, rng):
    """Each partition is in the order of time; which one the next records come from is chance."""
    left = {
        grid: sorted((r for r in readings if r.grid == grid), key=lambda r: r.observed_at_ms)
        for grid in "abc"
    }
    windows, written = Windows(), []
    while any(left.values()):
        grid = rng.choice([grid for grid, rest in left.items() if rest])
        windows.fold([(PARTITION[grid], each) for each in left[grid][:7]])
        left[grid] = left[grid][7:]
        written += windows.closed()
    written += windows.closed(2**53)
    assert fault_of([value for _, value in written], len(readings)) == ""
    told = {(each["start_ms"], each["grid"]): each for each in (msgspec.json.decode(v) for _, v in written)}
    expected = {}
    for each in readings:
        key = each.observed_at_ms // 10_000 * 10_000, each.grid
        expected.setdefault(key, []).append(each.value)
    assert {key: (w["readings"], w["occupied"], w["least"]) for key, w in told.items()} == {
        key: (len(values), sum(values), min(values)) for key, values in expected.items()
    }
    assert all(abs(w["mean"] - w["occupied"] / w["readings"]) < 1e-9 for w in told.values())


def test_a_window_that_is_there_twice_and_a_reading_that_is_not_are_told():
    row = msgspec.json.encode({"start_ms": 0, "grid": "a", "readings": 2})
    assert fault_of([row], 2) == ""
    assert fault_of([row, row], 4) == "window (0, 'a') was written twice"
    assert fault_of([row], 3) == "2 readings counted of 3"
