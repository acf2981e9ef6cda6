"""The referee of the peers' table: its result by another way, and each fault of rows called by its name."""

import json

import numpy as np
import pytest

from benchmarks.hand_loop import Reading, Windows
from benchmarks.peers.catalogue import ENGINES, named
from benchmarks.peers.load import Shape, load_of, records
from benchmarks.peers.reference import expected_of, judge
from benchmarks.peers.run import Run
from benchmarks.peers.table import row_of, table
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.plan import plan_for
from pipelines.kernels.state import FoldSettings, ShardState

SHAPE = Shape(readings=6_000, grids=23, devices=300, partitions=2, rate_per_s=200)


@pytest.fixture(scope="module")
def load():
    return load_of(SHAPE)


@pytest.fixture(scope="module")
def expected(load):
    return expected_of(load)


def every_record(load):
    return [row for part in (load.warm_up, load.readings, load.closers) for row in records(SHAPE, part)]


def test_the_same_shape_is_the_same_load_and_append_times_only_grow(load):
    again = load_of(SHAPE)
    assert every_record(again) == every_record(load)
    times = [append_ms for *_, append_ms in every_record(load)]
    assert times == sorted(times)


def test_no_reading_is_later_than_engines_wait(load):
    for part in (load.warm_up, load.readings):
        newest = np.maximum.accumulate(part.observed_ms)
        assert (newest - part.observed_ms < 5_000).all()


def test_the_loop_by_hand_says_what_is_expected(load, expected):
    windows, rows = Windows(range(SHAPE.partitions)), {}
    for partition, _, value, _ in every_record(load):
        told = json.loads(value)
        reading = Reading(told["grid"], told["value"], told["observed_at_ms"])
        windows.fold([(partition, reading)])
        for _, row in windows.closed():
            said = json.loads(row)
            key = said["grid"], said["start_ms"]
            assert key not in rows
            rows[key] = (said["readings"], said["occupied"], said["mean"], said["least"])
    asked = {key: figures for key, figures in rows.items() if key in expected.engine}
    assert str(judge(expected.engine, asked, 0)) == "right"


def test_the_products_fold_says_what_is_expected(load, expected):
    by_partition = {number: [] for number in range(SHAPE.partitions)}
    for partition, _, value, append_ms in every_record(load):
        by_partition[partition].append((value, append_ms))
    rows = {}
    for number, held in by_partition.items():
        shard = f"readings.parking/{number}"
        batch = ShardBatch(
            shard, 0, len(held), np.arange(len(held)), np.array([at for _, at in held]), [v for v, _ in held]
        )
        rows |= product_rows(fold(FoldSettings(), ShardState("parking"), batch))
    asked = {key: figures for key, figures in rows.items() if key in expected.product}
    assert str(judge(expected.product, asked, 0)) == "right"


def product_rows(output):
    names = plan_for("parking").measures
    at = [names.index(name) for name in ("readings", "devices", "occupied")]
    return {
        (grid, block.start_ms): tuple(float(values[column]) / 1e6 for column in at)
        for flush in output.flushes
        for block in flush.blocks
        if block.window_s == 10
        for grid, values in zip(block.grids, block.values, strict=True)
    }


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [
        (lambda rows, key: rows.pop(key), "1 missing, {n} lost"),
        (lambda rows, key: rows.update({key: (rows[key][0], rows[key][1] + 1, *rows[key][2:])}), "1 wrong"),
        (lambda rows, key: rows.update({key: (rows[key][0] - 1, *rows[key][1:])}), "1 wrong, 1 lost"),
        (lambda rows, _: rows.update({("x", 0): (0.0, 0.0, 0.0, 0.0)}), "1 wrong"),
    ],
)
def test_a_spoiled_row_is_called_what_it_is(expected, spoil, verdict):
    rows = dict(expected.engine)
    key = next(iter(rows))
    count = int(rows[key][0])
    spoil(rows, key)
    assert str(judge(expected.engine, rows, 0)) == verdict.format(n=count)


def test_a_row_there_twice_is_doubled(expected):
    assert str(judge(expected.engine, expected.engine, 2)) == "2 doubled"


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(ValueError, match="received storm, allowed: consume, decode, hand, ours"):
        named("ours,storm")
    assert [engine.name for engine in named("ours, hand")] == ["ours", "hand"]
    assert named("") == ENGINES


def test_the_table_tells_medians_and_the_first_fault(expected):
    engine = named("hand")[0]
    good = judge(expected.engine, expected.engine, 0)
    bad = judge(expected.engine, expected.engine, 1)
    runs = [Run(10, rate, 2.0, 0.1, 1.0, 99.0, verdict) for rate, verdict in ((1, good), (3, bad), (2, good))]
    row = row_of(engine, runs)
    assert (row.per_s, row.least_per_s, row.most_per_s, row.verdict) == (2, 1, 3, "1 doubled")
    assert table([row]).splitlines()[-1].startswith("| loop by hand, 1 process | 10 | 2 | 1 to 3 | 2.00 |")
