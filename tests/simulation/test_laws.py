"""Metamorphic laws: what may be changed about a log of readings while the figures of every place stay."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.jobs.aggregate import windows_of
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.rollup import fold_windows
from pipelines.kernels.rollup_state import RollupSettings, RollupState
from pipelines.kernels.state import FoldSettings, ShardState
from schemas.windows import Progress

T0 = 1_795_392_000_000
LONGEST_MS = 240_000
FOLD = FoldSettings(window_s=(30, 60, 240), delay_ms=5_000, lateness_ms=300_000, long_s=60)
ROLLUP = RollupSettings(kept_ms=FOLD.final_after_ms)
GRIDS = ("370202001001001", "370202001001002", "370202002001001")
SETTINGS = settings(max_examples=25, deadline=None)

Log = list[dict[str, Any]]
Figures = dict[tuple[object, ...], tuple[int, ...]]


def reading(device: int, at_s: int, value: int, seq: int) -> dict[str, Any]:
    return {
        "kind": "parking.space", "metric": "occupied", "value": value, "device": f"d{device}",
        "grid": GRIDS[device % 3], "source": "mqtt.x", "observed_at_ms": T0 + at_s * 1000, "seq": seq,
    }  # fmt: skip


READINGS = st.lists(
    st.builds(reading, st.integers(0, 5), st.integers(0, 179), st.integers(0, 1), st.integers(0, 1)),
    min_size=1,
    max_size=25,
    unique_by=lambda each: (each["device"], each["observed_at_ms"], each["seq"]),
)


def figures(*logs: Log, begin_ms: int = T0) -> Figures:
    """What the readings of each shard come to in the end, in every place and window; nothing is zero."""
    records: list[bytes] = []
    for number, log in enumerate(logs):
        shard, state = f"readings.parking/{number}", ShardState("parking")
        values = [msgspec.json.encode(each) for each in log]
        times = [begin_ms + 180_000] * len(values)
        batch = batch_of(shard, [None, *values, None], [begin_ms, *times, begin_ms + 250_000])
        for flush in fold(FOLD, state, batch).flushes:
            windows = windows_of("parking", shard, flush)
            mark = Progress(
                domain="parking", shard=shard, shards=len(logs), closed_through_ms=flush.closed_through_ms,
                revision=flush.revision,
            )  # fmt: skip
            records += [msgspec.json.encode(each) for each in (*windows, mark)]
    batch = batch_of("windows/0", records, [begin_ms] * len(records))
    last = {}
    for each in fold_windows(ROLLUP, RollupState(), batch).windows:
        last[each.level, each.place, each.window_s, each.start_ms - begin_ms] = tuple(each.values.tolist())
    return {key: values for key, values in last.items() if any(values)}


def batch_of(shard: str, values: list[bytes | None], times: list[int]) -> ShardBatch:
    count = len(values)
    return ShardBatch(shard, 0, count, np.arange(count), np.array(times, np.int64), values)


@SETTINGS
@given(READINGS, st.randoms(use_true_random=False))
def test_any_order_within_lateness_is_the_same(log: Log, dice: Any) -> None:
    assert figures(dice.sample(log, len(log))) == figures(log)


@SETTINGS
@given(READINGS, st.data())
def test_each_reading_once_or_often_is_the_same(log: Log, data: st.DataObject) -> None:
    times = data.draw(st.lists(st.integers(1, 3), min_size=len(log), max_size=len(log)))
    often = [each for each, count in zip(log, times, strict=True) for _ in range(count)]
    again = data.draw(st.permutations(often))
    assert figures(list(again)) == figures(log)


@SETTINGS
@given(READINGS, st.integers(2, 3))
def test_one_partition_or_several_are_the_same(log: Log, shards: int) -> None:
    split = [[each for each in log if GRIDS.index(each["grid"]) % shards == n] for n in range(shards)]
    assert figures(*split) == figures(log)


@SETTINGS
@given(READINGS, st.integers(-3, 3))
def test_a_shift_by_whole_windows_shifts_the_figures_and_nothing_else(log: Log, windows: int) -> None:
    by_ms = windows * LONGEST_MS
    shifted = [each | {"observed_at_ms": each["observed_at_ms"] + by_ms} for each in log]
    assert figures(shifted, begin_ms=T0 + by_ms) == figures(log)


@SETTINGS
@given(READINGS, st.text(max_size=20), st.integers(0, 2**53))
def test_fields_that_no_figure_is_made_of_change_nothing(log: Log, word: str, number: int) -> None:
    other = [
        {"id": word, "received_at_ms": number, "note": {word: [number]}} | dict(reversed(each.items()))
        for each in log
    ]
    assert figures(other) == figures(log)


def test_the_figures_that_are_compared_are_there() -> None:
    found = figures([reading(0, 1, 1, 0)])
    assert {key[0] for key in found} == {"grid", "community", "street", "district"}
    assert {key[2] for key in found} == {30, 60, 240}
    assert found != figures([reading(0, 1, 0, 0)])
