"""What was kept back and sent again counts, in a backfill, as if it had been taken at once."""

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.received import kept_back, put_back
from pipelines.kernels.settled import Range, settled_windows
from pipelines.kernels.state import FoldSettings, ShardState

T0 = 1_790_000_000_000
GRIDS = ["370202001001001", "370202001001002"]
ALL = Range(0, 2**53)


def reading(second, n):
    at_ms = T0 + second * 1000
    return msgspec.json.encode(
        {"kind": "parking.space", "metric": "occupied", "value": float(n % 2), "device": f"d{n}",
         "grid": GRIDS[n % 2], "source": "http.x", "observed_at_ms": at_ms,
         "received_at_ms": at_ms, "id": "x"}
    )  # fmt: skip


def batches(records, size):
    for start in range(0, len(records), size):
        part = records[start : start + size]
        offsets = np.arange(start, start + len(part), dtype=np.int64)
        times = np.array([at for at, _ in part], np.int64)
        yield ShardBatch("readings.parking/0", start, start + len(part), offsets, times, [v for _, v in part])


def windows(log):
    """Values of every settled window by (size, start, grid); revisions are another log's."""
    found = settled_windows(FoldSettings(), ShardState("parking"), log, ALL)
    return {
        (w.window_s, w.start_ms, grid): values.tolist()
        for w in found
        for grid, (_, values) in w.grids.items()
        if any(values.tolist())
    }


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_windows_are_those_of_a_log_in_which_nothing_was_refused(data):
    seconds = sorted(data.draw(st.lists(st.integers(1, 1800), min_size=3, max_size=40, unique=True)))
    held = data.draw(st.sets(st.integers(0, len(seconds) - 1), max_size=10))
    readings = [(T0 + s * 1000, reading(s, n)) for n, s in enumerate(seconds)]
    tick_s = data.draw(st.sampled_from((20, 60)))
    ticks = [(T0 + s * 1000, None) for s in range(0, 7300, tick_s)]
    good = sorted([*readings, *ticks], key=lambda r: r[0])
    again = [(T0 + 7_200_000 + n, readings[n][1]) for n in held]
    refused = sorted(
        [*(r for n, r in enumerate(readings) if n not in held), *again, *ticks], key=lambda r: r[0]
    )
    size = data.draw(st.integers(1, 200))
    kept = [record for batch in batches(refused, size) for record in kept_back(batch)]
    assert len(kept) == len(held)
    assert windows(put_back(batches(refused, size), kept)) == windows(batches(good, size))


def test_what_is_no_reading_stays_where_it_is():
    log = [(T0, b"?"), (T0 + 1, b'{"received_at_ms": "x"}'), (T0 + 2, None)]
    (batch,) = put_back(batches(log, 10), [])
    assert batch.values == [value for _, value in log]
    assert kept_back(batch) == []
