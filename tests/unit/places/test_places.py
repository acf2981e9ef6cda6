"""Places: the real tables, the synthetic layer, and what an imported one is refused for."""

import csv
import json
from datetime import date
from pathlib import Path

import coordTransform
import numpy as np
import pytest
import shapely
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from schemas.errors import SettingsError
from schemas.places.check import check_features
from schemas.places.datum import DATUMS, to_wgs84
from schemas.places.geojson import layer_to_geojson, read_features
from schemas.places.layer import OUTSIDE, Grid, GridHistory, GridLayer
from schemas.places.model import DEFAULT_SCHEME, CodeScheme
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import OUTLINE, synthetic_layer
from taishi.cli.places import places

SHARED = Path(__file__).parents[4] / "shared" / "data" / "shinan"
LAYER = synthetic_layer()
PLACES = known_places("370202")
REGISTRY = PlaceRegistry(PLACES, LAYER)


@pytest.mark.parametrize(
    ("file", "level"), [("streets_370202.csv", "street"), ("communities_370202.csv", "community")]
)
def test_the_shipped_table_is_the_official_one(file, level):
    if not SHARED.is_dir():
        pytest.skip("the official tables of ../shared/data/shinan are not here")
    with (SHARED / file).open(encoding="utf-8") as rows:
        official = {row["code"]: row["name"] for row in csv.DictReader(rows)}
    assert {place.code: place.name for place in REGISTRY.at(level)} == official


def test_eleven_streets_fifty_communities_and_as_many_grids_as_the_real_district():
    assert [len(REGISTRY.at(level)) for level in ("district", "street", "community", "grid")] == [
        1,
        11,
        50,
        573,
    ]
    kinds = [grid.kind for grid in LAYER.grids]
    assert (kinds.count("base"), kinds.count("dedicated")) == (505, 68)


def test_the_synthetic_layer_says_so_and_passes_its_own_check():
    assert LAYER.synthetic
    assert all("模拟" in grid.name for grid in LAYER.grids)
    features, members = read_features(layer_to_geojson(LAYER))
    assert members["synthetic"] is True
    assert check_features(features, PLACES, "370202") == []


def test_every_child_is_found_under_its_parent():
    below = [child.code for street in REGISTRY.children("370202") for child in REGISTRY.children(street.code)]
    assert len(below) == 50
    assert sum(len(REGISTRY.children(code)) for code in below) == 573


@given(st.floats(120.27, 120.43), st.floats(36.03, 36.10))
def test_a_point_of_the_district_lies_in_exactly_one_grid_and_any_other_in_none(longitude, latitude):
    inside = bool(shapely.intersects_xy(OUTLINE, longitude, latitude))
    assert (REGISTRY.locate(longitude, latitude) is not None) == inside


def test_a_point_on_a_shared_border_belongs_to_the_smallest_code():
    west = Grid("370202001001001", "w", "base", shapely.box(0, 0, 1, 1))
    east = Grid("370202001001002", "e", "base", shapely.box(1, 0, 2, 1))
    layer = GridLayer((west, east), date(2024, 1, 1), synthetic=True)
    found = layer.locate(np.array([0.5, 1.0, 1.5, 3.0]), np.array([0.5, 0.5, 0.5, 0.5]))
    assert found.tolist() == [0, 0, 1, OUTSIDE]


@given(st.floats(120.28, 120.43), st.floats(36.04, 36.10), st.sampled_from(["GCJ-02", "BD-09"]))
def test_a_datum_is_turned_back_within_a_decimetre(longitude, latitude, datum):
    shifted = coordTransform.wgs84_to_gcj02(longitude, latitude)
    if datum == "BD-09":
        shifted = coordTransform.gcj02_to_bd09(*shifted)
    back = to_wgs84(datum, *shifted)
    tolerance_deg = 1e-6 if datum == "GCJ-02" else 1e-5  # BD-09's published inverse is an approximation
    assert back == pytest.approx((longitude, latitude), abs=tolerance_deg)


def test_the_published_vector_of_gcj02():
    assert to_wgs84("GCJ-02", 120.384731, 36.062272) == pytest.approx((120.3796, 36.0620), abs=2e-6)


def feature(code="370202001001001", name="n", kind="base", box=(0, 0, 1, 1)):
    shape = None if box is None else json.loads(shapely.to_geojson(shapely.box(*box)))
    return {"type": "Feature", "properties": {"code": code, "name": name, "kind": kind}, "geometry": shape}


def collection(*features, **members):
    head = {"type": "FeatureCollection", "crs": "WGS-84", "valid_from": "2026-01-01"}
    return head | members | {"features": list(features)}


TWO = "370202001001002"
RING = [feature(f"37020200100100{n}", box=box) for n, box in enumerate(
    [(0, 0, 3, 1), (0, 2, 3, 3), (0, 1, 1, 2), (2, 1, 3, 2)], 1)]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (collection(feature(), crs=None), "no datum is declared"),
        (collection(feature(), crs="EPSG:4326"), "received 'EPSG:4326', allowed: WGS-84, GCJ-02, BD-09"),
        (collection(), "no features"),
        ([], "allowed: a FeatureCollection"),
        (collection(feature(), valid_from=None), "valid_from"),
        (collection(feature(), valid_from="2026-13-41"), "valid_from"),
        (collection(feature(code=370202001001001)), "feature 1 (code 370202001001001): code: received a int"),
        (collection(feature(code="3702020010")), "allowed: 6 digits, 9 digits, 12 digits, 15 digits"),
        (collection(feature(code="370202001001")), "a community's code"),
        (collection(feature(code="370203001001001")), "codes that begin with 370202"),
        (collection(feature(code="370202003001001")), "orphan: its community 370202003001"),
        (collection(feature(kind="big")), "received 'big', allowed: base, dedicated"),
        (collection(feature(name="")), "name: received ''"),
        (collection(feature(box=None)), "geometry: received none"),
        (collection(feature(), feature(box=(1, 0, 2, 1))), "received 2 times, allowed: once"),
        (collection(feature(), feature(TWO, box=(0.5, 0, 2, 1))), f"overlaps feature 2 (code '{TWO}')"),
        (collection(*RING), "a hole of"),
    ],
)
def test_an_unfit_layer_is_refused_naming_the_feature_and_what_is_allowed(data, told, tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path / "home"))
    file = tmp_path / "layer.geojson"
    file.write_text(json.dumps(data), "utf-8")
    result = CliRunner().invoke(places, ["import", str(file)])
    assert isinstance(result.exception, SettingsError)
    assert told in str(result.exception)
    assert not (tmp_path / "home" / "places").exists()


def test_an_invalid_polygon_is_refused_with_the_reason():
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    features, _ = read_features(json.dumps(collection(feature() | {"geometry": bow})).encode())
    assert "Self-intersection" in check_features(features, PLACES, "370202")[0].what


def test_an_imported_layer_is_in_force_from_its_day_and_the_earlier_one_stays(tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    runner = CliRunner()
    for day in ("2026-01-01", "2026-06-01"):
        file = tmp_path / "layer.geojson"
        file.write_bytes(layer_to_geojson(LAYER))
        result = runner.invoke(places, ["import", str(file), "--valid-from", day], catch_exceptions=False)
        assert "573 grids (505 base, 68 dedicated), SYNTHETIC" in result.output
    assert len(list((tmp_path / "places").iterdir())) == 2
    located = runner.invoke(places, ["locate", "120.35", "36.06", "--crs", "WGS-84"], catch_exceptions=False)
    assert located.output.split()[0] == REGISTRY.locate(120.35, 36.06)


def test_a_wrong_datum_puts_a_device_in_another_grid():
    assert REGISTRY.locate(*to_wgs84("GCJ-02", 120.35, 36.06)) != REGISTRY.locate(120.35, 36.06)
    assert DATUMS == ("WGS-84", "GCJ-02", "BD-09")


def test_no_layer_before_the_first_is_made_up():
    with pytest.raises(SettingsError, match="layers begin on: 2024-01-01"):
        GridHistory((LAYER,)).at(date(2020, 1, 1))


def test_codes_know_their_level_and_parent_and_are_never_counted():
    assert DEFAULT_SCHEME.parent("370202001001001") == "370202001001"
    assert DEFAULT_SCHEME.parent("370202") is None
    assert CodeScheme((6, 9, 12, 14)).level("37020200100101") == "grid"
    with pytest.raises(SettingsError, match="allowed: 6 digits"):
        DEFAULT_SCHEME.level("37020２")
    with pytest.raises(SettingsError, match="four growing lengths"):
        CodeScheme((6, 6, 12, 15))
