"""The model of many districts: its counts are the product's, its tables are the document's."""

import math
import statistics
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.aggregate_load import readings
from benchmarks.rollup import windows_log
from benchmarks.scale_model import (
    DAY_S,
    Costs,
    District,
    Machine,
    Needs,
    cores_of,
    limits_of_one_stack,
    log_bytes,
    machines,
    needs,
    store_bytes,
    tables,
)

ONE, COSTS = District(), Costs()


def test_a_district_has_the_points_and_the_disk_that_were_measured():
    by_size = [ONE.series * DAY_S / size for size in (10, 60, 3600)]  # decision 0013
    assert [round(each / 1e6, 2) for each in by_size] == [21.95, 3.66, 0.06]
    assert ONE.points_per_s * DAY_S == pytest.approx(sum(by_size))
    assert store_bytes(ONE, COSTS) == pytest.approx(0.9e9 + 2.4e9 + 0.7e9, rel=0.05)


def test_records_weigh_what_the_benchmarks_make():
    sent = statistics.fmean(len(key) + len(value) for key, value in readings(500))
    said = statistics.fmean(len(value) for _, value in windows_log(1))
    assert (sent, said) == (
        pytest.approx(COSTS.reading_bytes, rel=0.05),
        pytest.approx(COSTS.window_bytes, rel=0.05),
    )


def test_many_districts_cost_as_many_times_as_much():
    one, many = needs(1, ONE, COSTS), needs(3_000, ONE, COSTS)
    for name in Needs.__slots__:
        assert getattr(many, name) == pytest.approx(3_000 * getattr(one, name))
    assert one.cores == pytest.approx(sum(cores_of(ONE, COSTS).values()))
    louder = replace(ONE, readings_per_s=2 * ONE.readings_per_s)
    assert cores_of(louder, COSTS)["situation"] == cores_of(ONE, COSTS)["situation"]  # windows do not grow
    assert log_bytes(louder, COSTS) - log_bytes(ONE, COSTS) == pytest.approx(
        100 * COSTS.reading_bytes * 72 * 3600
    )


@pytest.mark.parametrize("scarce", ["cores", "memory", "disk"])
def test_machines_are_as_many_as_the_scarcest_thing_asks_for(scarce):
    need, ample = needs(100, ONE, COSTS), Machine(1e9, 1e9, 1e9, 0.5)
    name = {"cores": "cores", "memory": "memory_gib", "disk": "disk_gb"}[scarce]
    amount = {"cores": need.cores, "memory": need.memory_gib, "disk": need.log_gb + need.store_gb}[scarce]
    assert machines(need, replace(ample, **{name: amount / 7})) == (14, scarce)
    assert machines(needs(1, ONE, COSTS), ample)[0] == 1


def test_the_least_limit_of_one_stack_comes_first_and_follows_its_cost():
    limits = limits_of_one_stack(ONE, COSTS, Machine())
    assert [each.districts for each in limits] == sorted(each.districts for each in limits)
    lighter = limits_of_one_stack(ONE, replace(COSTS, detector_bytes=COSTS.detector_bytes / 100), Machine())
    assert math.isclose(
        next(each.districts for each in lighter if "learned" in each.what), 100 * limits[0].districts
    )
    assert "learned" in limits[0].what
    assert "learned" not in lighter[0].what


def test_the_document_holds_the_tables_as_they_are_printed():
    document = (Path(__file__).parents[3] / "docs" / "scale.md").read_text("utf-8")
    for table in "\n".join(tables()).split("\n\n"):
        assert table in document, "python -m benchmarks.scale_model prints what docs/scale.md should hold"
