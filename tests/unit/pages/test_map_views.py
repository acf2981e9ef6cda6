"""Bands, colours and outlines of the map."""

import gzip
import json
from itertools import pairwise

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from operations.pages.metrics import ALERTS_METRIC, MAP_METRICS
from operations.pages.views.bands import BANDS, band, limits
from operations.pages.views.map import colours, map_metric
from operations.pages.views.outlines import Outlines
from schemas.calendar import local
from schemas.errors import Refused
from schemas.places.datum import to_wgs84
from tests.unit.pages.situations import GEOGRAPHY, GRIDS, NOW_MS, PLACES, alert, cells, parking, rows

OUTLINES = Outlines(PLACES, GEOGRAPHY)


@given(st.lists(st.integers(0, 10_000_000), max_size=50))
def test_limits_grow_and_every_count_has_a_band(values):
    lower = limits(map(float, values))
    assert len(lower) == BANDS - 1
    assert lower[0] >= 1
    assert all(a < b and b.is_integer() for a, b in pairwise(lower))
    assert {band(float(value), lower) for value in values} <= set(range(BANDS))
    assert band(0.0, lower) == 0
    if max(values, default=0) >= 5:
        assert band(float(max(values)), lower) >= BANDS - 2, "the most is near the top of the scale"


def test_no_data_is_no_band():
    assert band(None, (1.0, 2.0)) is None


def test_grids_are_coloured_by_occupancy_and_those_without_spaces_are_not():
    busy, calm, blind = GRIDS[:3]
    now = rows(
        "parking", {busy: parking(100.0, 97.0), calm: parking(100.0, 10.0), blind: parking(5.0, 0.0, 5.0)}
    )
    found = colours(cells(now={"parking": now}), "grid", "parking.occupancy")
    assert len(found.values) == len(GRIDS) == 573
    assert found.bands[:3] == [5, 0, None]
    assert found.values[:3] == [0.97, 0.1, None]
    assert set(found.bands[3:]) == {None}
    assert found.labels == ["<30%", "30–50%", "50–70%", "70–85%", "85–95%", "≥95%"]


def test_counts_have_whole_round_limits_that_the_legend_says():
    hour = rows("security", {grid: {"people_entered": float(n)} for n, grid in enumerate(GRIDS)})
    found = colours(cells(hour={"security": hour}), "grid", "security.people_entered")
    assert found.limits == [15.0, 60.0, 150.0, 250.0, 400.0]
    assert found.labels == ["<15", "15–59", "60–149", "150–249", "250–399", "≥400"]
    assert (found.bands[0], found.bands[14], found.bands[15], found.bands[572]) == (0, 0, 1, 5)


def test_few_people_have_no_value_and_are_told_apart_from_no_data():
    hour = rows("governance", {GRIDS[0]: {"patrols": 3.0}, GRIDS[1]: {"patrols": 0.0}})
    found = colours(cells(hour={"governance": hour}), "grid", "governance.patrols")
    assert (found.values[:3], found.bands[:3], found.masked) == ([None, 0.0, None], [None, 0, None], [0])


def test_alerts_are_counted_in_all_places_above():
    grid = GRIDS[0]
    found = cells(alerts=(alert(1, grid), alert(2, grid), alert(3, grid[:9], level="street")))
    assert colours(found, "grid", ALERTS_METRIC).values[0] == 2
    assert colours(found, "street", ALERTS_METRIC).values[0] == 3
    assert colours(cells(), "grid", ALERTS_METRIC).values[0] is None, "not read yet is not none"


def test_another_metric_is_refused_with_what_is_allowed():
    with pytest.raises(Refused, match=r"metric: received 'weather', allowed: parking\.occupancy"):
        map_metric("weather")
    assert [map_metric(key) for key in MAP_METRICS][-1] is None


def collection(level, datum="WGS-84", found=None):
    return json.loads(OUTLINES.collection(level, datum, found))


@pytest.mark.parametrize(("level", "count"), [("grid", 573), ("community", 50), ("street", 11)])
def test_every_place_of_a_level_is_a_feature_with_its_outline(level, count):
    found = collection(level)
    assert (found["crs"], found["synthetic"], len(found["features"])) == ("WGS-84", True, count)
    assert [f["properties"]["code"] for f in found["features"]] == [place.code for place in PLACES.at(level)]
    assert all(shapely.is_valid(shapely.geometry.shape(f["geometry"])) for f in found["features"])


def test_the_simplified_grids_still_cover_the_district_without_gaps_or_overlaps():
    shapes = [shapely.geometry.shape(f["geometry"]) for f in collection("grid")["features"]]
    union = shapely.union_all(shapes)
    assert sum(shape.area for shape in shapes) == pytest.approx(union.area, rel=1e-4)
    assert union.area == pytest.approx(GEOGRAPHY.outline("370202").area, rel=1e-3)


def test_values_and_bands_are_those_of_the_map():
    now = rows("parking", {GRIDS[0]: parking(10.0, 9.0)})
    found = collection("grid", found=colours(cells(now={"parking": now}), "grid", "parking.occupancy"))
    assert (found["metric"], found["unit"], found["limits"]) == (
        "parking.occupancy",
        "%",
        [0.3, 0.5, 0.7, 0.85, 0.95],
    )
    first, second = (feature["properties"] for feature in found["features"][:2])
    assert (first["value"], first["unit"], first["band"], first["kind"]) == (0.9, "%", 4, "base")
    assert (second["value"], second["band"]) == (None, None)


def test_another_datum_is_declared_and_half_a_kilometre_away():
    here, there = collection("street"), collection("street", "GCJ-02")
    assert there["crs"] == "GCJ-02"
    ours = shapely.geometry.shape(here["features"][0]["geometry"]).exterior.coords[0]
    theirs = shapely.geometry.shape(there["features"][0]["geometry"]).exterior.coords[0]
    assert abs(ours[0] - theirs[0]) > 0.003
    assert to_wgs84("GCJ-02", *theirs) == pytest.approx(ours, abs=2e-5)


def test_the_grids_of_a_district_are_small_enough_for_a_first_paint():
    body = OUTLINES.collection("grid", "WGS-84", None)
    assert len(body) < 200_000
    assert len(gzip.compress(body, 6)) < 30_000


def test_the_moment_is_the_one_the_other_tests_assume():
    assert f"{local(NOW_MS):%a %H:%M}" == "Fri 15:11"
