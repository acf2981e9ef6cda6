"""`taishi devices`: what is imported, what is refused and where, and what a running registry sees of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from connectors.base import Device, Location
from connectors.enrolment import checked, csv_rows, geojson_rows, to_csv
from connectors.registry import COLUMNS, DeviceRegistry, parse_rows
from schemas.errors import SettingsError
from taishi.cli.devices import devices
from taishi.places import load_registry
from taishi.settings import load_settings

HEADER = ",".join(COLUMNS)


class Square:
    """One grid, a degree wide, around 120 E 36 N."""

    def locate(self, lon: float, lat: float) -> str | None:
        return "g" if 119.5 < lon < 120.5 and 35.5 < lat < 36.5 else None

    def has_grid(self, code: str) -> bool:
        return code == "g"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("TAISHI_DEVICES_FILE", raising=False)
    return tmp_path / "home"


@pytest.fixture
def grid(home: Path) -> str:
    return load_registry(load_settings(home=home)).grid_codes[0]


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(devices, [str(word) for word in words])


def row(device: str, grid: str, kind: str = "parking.space") -> str:
    return f"{device},,{kind},{grid},,,,,,false"


def written(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([HEADER, *rows, ""]), "utf-8")
    return path


def feature(**properties: object) -> dict:
    point = {"type": "Point", "coordinates": [120.0, 36.0]}
    return {"type": "Feature", "geometry": point, "properties": properties}


def collection(*features: dict) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features}).encode()


def test_what_is_written_is_read_as_the_same_devices() -> None:
    at = Location(120.1, 36.2, "GCJ-02")
    every = Device('a,"b"', "m", "parking.lot", "g", at, "p", 0, True, 60, "Asia/Urumqi", "V")
    least = Device("b", "", "parking.space", "g", None, "", None, False)
    assert parse_rows(to_csv([every, least]).splitlines()) == ({every.device: every, "b": least}, ())


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x,,parking.space,h,,,,,,false", "'h'"),
        ("x,,parking.space,,130,36,WGS-84,,,false", "inside a grid"),
        ("x,,parking.space,,1200,36,WGS-84,,,false", "-180 to 180"),
        ("x,,parking.plane,g,,,,,,false", "parking.plane"),
        ("x,,parking.space,,120,36,,,,false", "crs together"),
        ("x,,parking.space,,east,36,WGS-84,,,false", "longitude: received 'east', allowed: degrees"),
        ("x,,parking.space,,120,3_6,WGS-84,,,false", "latitude: received '3_6', allowed: degrees"),
        ("x,,parking.space", "number of cells"),
        ("a,,parking.space,g,,,,,,false", "each device once"),
    ],
)
def test_a_bad_row_is_refused_with_its_line(line: str, said: str) -> None:
    text = "\n".join([HEADER, row("a", "g"), line])
    found, (problem,) = checked(csv_rows(text), Square())
    assert set(found) == {"a"}
    assert problem.startswith("line 3: ")
    assert said in problem


def test_points_become_devices_with_the_datum_that_is_declared() -> None:
    data = collection(feature(device="a", kind="parking.lot", capacity=12, simulated=True, crs="GCJ-02"),
                      feature(device="b", kind="parking.space", vendor=None))  # fmt: skip
    found, problems = checked(geojson_rows(data, "WGS-84"), Square())
    assert problems == ()
    assert (found["a"].capacity, found["a"].simulated) == (12, True)
    assert [found[name].location for name in "ab"] == [Location(120, 36, crs) for crs in ("GCJ-02", "WGS-84")]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (feature(device="a", kind="parking.space"), "crs together"),
        (feature(device="a", kind="parking.space", crs="WGS-84", colour="red"), "colour"),
        (feature(device=["a"], kind="parking.space", crs="WGS-84"), "a list"),
        (
            feature(device="a") | {"geometry": {"type": "LineString", "coordinates": [[0, 0], [1, 1]]}},
            "Point",
        ),
        (feature(device="a") | {"geometry": {"type": "Point", "coordinates": [None, 1]}}, "received"),
        (
            feature(device="a", kind="parking.space", crs="WGS-84")
            | {"geometry": {"type": "Point", "coordinates": [120, "x"]}},
            "latitude: received 'x', allowed: degrees",
        ),
        (feature(device="a") | {"properties": 7}, "properties"),
        ("no feature", "Point"),
    ],
)
def test_a_bad_feature_is_refused_with_its_number(bad: object, said: str) -> None:
    good = feature(device="z", kind="parking.space", crs="WGS-84")
    found, (problem,) = checked(geojson_rows(collection(good, bad)), Square())
    assert set(found) == {"z"}
    assert problem.startswith("feature 2: ")
    assert said in problem


@pytest.mark.parametrize("data", [b"\xff", b"[]", b'{"type":"Feature"}', b'{"type":"x","features":[]}'])
def test_what_is_no_collection_is_refused_whole(data: bytes) -> None:
    with pytest.raises(SettingsError, match="GeoJSON"):
        list(geojson_rows(data))


def test_an_import_is_seen_by_a_registry_that_is_held(home: Path, grid: str, tmp_path: Path) -> None:
    result = run("import", written(tmp_path / "one.csv", row("a", grid)))
    assert result.exit_code == 0, result.output
    registry = DeviceRegistry(home / "devices.csv")
    assert run("import", written(tmp_path / "two.csv", row("b", grid))).exit_code == 0
    assert registry.refresh()
    assert {device.device for device in registry} == {"a", "b"}
    assert run("import", tmp_path / "two.csv", "--replace").exit_code == 0
    assert registry.refresh()
    assert {device.device for device in registry} == {"b"}


def test_nothing_is_written_if_a_row_is_refused_unless_told(home: Path, grid: str, tmp_path: Path) -> None:
    file = written(tmp_path / "x.csv", row("a", grid), row("b", "1"), row("c", grid, "no.kind"))
    result = run("import", file)
    assert isinstance(result.exception, SettingsError)
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["line 3", "line 4"]
    assert not (home / "devices.csv").exists()
    assert run("import", file, "--skip-bad").exit_code == 0
    assert [device.device for device in DeviceRegistry(home / "devices.csv")] == ["a"]


def test_a_merge_refuses_to_drop_rows_it_cannot_read(home: Path, grid: str, tmp_path: Path) -> None:
    home.mkdir()
    before = written(home / "devices.csv", row("old", grid), "broken").read_bytes()
    result = run("import", written(tmp_path / "x.csv", row("a", grid)))
    assert isinstance(result.exception, SettingsError)
    assert (home / "devices.csv").read_bytes() == before


def test_the_list_is_filtered_and_the_check_names_what_is_wrong(home: Path, grid: str) -> None:
    home.mkdir()
    written(
        home / "devices.csv", row("b", grid), row("a", grid), row("c", grid, "parking.lot"), row("d", "9")
    )
    listed = json.loads(run("list", "--json", "--kind", "parking.space", "--grid", grid[:12]).stdout)
    assert [each["device"] for each in listed] == ["a", "b"]
    assert run("list", "--vendor", "nobody").exit_code == 0
    result = run("check", "--json")
    said = json.loads(result.stdout)
    assert (result.exit_code, said["devices"]) == (1, 3)
    assert said["problems"][0].startswith("line 5: grid")


def test_another_suffix_is_refused_naming_what_is_allowed(home: Path, tmp_path: Path) -> None:
    result = run("import", tmp_path / "x.xlsx")
    assert "geojson" in str(result.exception)
    assert not home.exists()


@pytest.mark.parametrize("place", ["file/devices.csv", "folder"])
def test_a_registry_that_cannot_be_written_is_said_and_not_a_fault_of_ours(
    grid: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    monkeypatch.setenv("TAISHI_DEVICES_FILE", str(tmp_path / place))
    result = run("import", written(tmp_path / "x.csv", row("a", grid)))
    assert isinstance(result.exception, SettingsError), result.exception
    assert str(tmp_path / place) in str(result.exception)
