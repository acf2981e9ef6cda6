"""The loop that the worker is measured beside gives the right windows, each once."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.hand_loop import Reading, Windows

READINGS = st.builds(
    Reading,
    grid=st.sampled_from(["a", "b", "c"]),
    value=st.sampled_from([0.0, 1.0, 2.5]),
    observed_at_ms=st.integers(0, 60_000),
)


@given(st.lists(st.lists(READINGS, max_size=20), max_size=6))
def test_each_window_is_written_once_with_what_was_in_it(batches):
    readings = sorted((each for batch in batches for each in batch), key=lambda each: each.observed_at_ms)
    windows, written = Windows(), []
    for first in range(0, len(readings), 7):
        windows.fold(readings[first : first + 7])
        written += windows.closed()
    written += windows.closed(2**53)
    told = {(each["start_ms"], each["grid"]): each for each in (msgspec.json.decode(v) for _, v in written)}
    assert len(told) == len(written)
    expected = {}
    for each in readings:
        key = each.observed_at_ms // 10_000 * 10_000, each.grid
        expected.setdefault(key, []).append(each.value)
    assert {key: (w["readings"], w["occupied"], w["least"]) for key, w in told.items()} == {
        key: (len(values), sum(values), min(values)) for key, values in expected.items()
    }
    assert all(abs(w["mean"] - w["occupied"] / w["readings"]) < 1e-9 for w in told.values())
