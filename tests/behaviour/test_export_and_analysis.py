"""An analyst at a real InfluxDB: files, frames and SQL over them say what the situation job wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

import taishi.analysis
from operations.oncall.store import Store as Desk
from pipelines.kernels.plan import SCALE, plan_for
from schemas.kinds import Domain
from schemas.places.model import DEFAULT_SCHEME
from taishi.settings import Settings
from tests.analysts import BEGIN_MS, FULL, GRIDS, LOST, MINUTES, SOS, commands, filled, sums_of

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def settings(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return filled(stack.influxdb_url, tmp_path_factory.mktemp("analyst"))


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    return commands(settings, monkeypatch, tmp_path)


def expected(domain: Domain, measure: str, place: str) -> list[float]:
    column = plan_for(domain).measures.index(measure)
    return [sums_of(domain, n)[place][column] / SCALE for n in range(MINUTES) if n != LOST]


def test_the_districts_day_is_one_command_away(run) -> None:
    done = run("export", "occupancy", "turnover")
    assert done.returncode == 0, done.stderr
    (file,) = Path().glob("parking-district-*.csv")
    frame = pd.read_csv(file)
    assert len(frame) == 24 * 60
    there = frame[~frame["missing"]]
    assert there["turnover"].tolist() == expected("parking", "turnover", "370202")
    assert (there["complete"].sum(), len(there)) == (MINUTES - 2, MINUTES - 1)
    assert "1,411 缺失 missing" in done.stdout
    assert Path(f"{file}-metadata.json").is_file()


def test_streets_add_up_to_the_district_in_parquet_and_sql_tells_so(run) -> None:
    for level in ("street", "district"):
        done = run("export", "turnover", "spaces", "--level", level, "--out", f"{level}.parquet")
        assert done.returncode == 0, done.stderr
    told = json.loads(pq.read_metadata("street.parquet").metadata[b"taishi"])
    assert (told["window"], told["time_zone"], told["figures"]["turnover"]["unit"]) == (
        "1m",
        "Asia/Shanghai",
        "1",
    )
    query = "SELECT level, sum(turnover) AS t, sum(spaces) AS s FROM parking GROUP BY level ORDER BY level"
    done = run("sql", query, "--json")
    district, street = json.loads(done.stdout)
    assert (district["t"], district["s"]) == (street["t"], street["s"])
    assert district["t"] == sum(expected("parking", "turnover", "370202"))
    assert run("sql", "COPY parking TO 'x.csv'").returncode == 1
    assert "allowed: one SELECT" in run("sql", "COPY parking TO 'x.csv'").stderr


def test_a_map_has_every_grid_with_its_outline(run) -> None:
    done = run("export", "occupancy", "--level", "grid", "--out", "grids.geojson", "--json")
    assert json.loads(done.stdout)["rows"] == 24 * 60 * len(GRIDS)
    found = json.loads(Path("grids.geojson").read_text("utf-8"))
    assert {each["properties"]["place"] for each in found["features"]} == set(GRIDS)
    assert all(each["geometry"]["type"] in {"Polygon", "MultiPolygon"} for each in found["features"])


def test_of_few_residents_nothing_leaves_and_a_permission_leaves_a_trace(
    run, monkeypatch, stack: Stack
) -> None:
    assert run("export", "residents_seen", "--level", "grid", "--out", "masked.parquet").returncode == 0
    masked = pq.read_table("masked.parquet").to_pandas()
    assert masked["residents_seen"].dropna().isin([0, *range(5, 9)]).all()
    assert masked["masked"].sum() > 0
    asked = ("export", "residents_seen", "--level", "grid", "--out", "all.parquet", "--small-counts")
    assert run(*asked).returncode == 2
    assert "export_small_counts" in run(*asked, "--reason", "study 12").stderr
    monkeypatch.setenv("TAISHI_EXPORT_SMALL_COUNTS", "true")
    assert run(*asked, "--reason", "study 12").returncode == 0
    whole = pq.read_table("all.parquet").to_pandas()
    assert whole["residents_seen"].dropna().isin(range(1, 5)).any()
    history = json.loads(run("export", "--history", "--json").stdout)
    assert [(each["result"], each["small_counts"], each["reason"]) for each in history[-2:]] == [
        ("written", False, ""),
        ("written", True, "study 12"),
    ]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("occupancy", "--from", "2h"), "nothing from .*; there is"),
        (("occupancy", "--window", "1h"), "windows of 1h: nothing from .*; there is none at any time"),
        (("nonsense",), "metric: received 'nonsense', allowed: "),
    ],
)
def test_what_there_is_not_is_told_with_what_there_is(run, words, message) -> None:
    done = run("export", *words)
    assert done.returncode == 1
    assert pd.Series([done.stderr]).str.contains(message).all(), done.stderr
    assert list(Path().iterdir()) == []


def test_frames_have_types_times_and_units(settings: Settings) -> None:
    with taishi.analysis.connect(settings) as district:
        frame = district.windows("parking", ["occupancy", "turnover"], level="street")
    assert str(frame.index.dtype) == "datetime64[ms, Asia/Shanghai]"
    assert frame.attrs["units"] == {"occupancy": "1", "turnover": "1"}
    assert {str(frame[name].dtype) for name in ("place", "name")} == {"category"}
    assert (str(frame["turnover"].dtype), str(frame["occupancy"].dtype)) == ("Int64", "float64")
    street = DEFAULT_SCHEME.ancestor(GRIDS[0], "street")
    told = frame[(frame["place"] == street) & ~frame["missing"]]
    assert told["turnover"].tolist() == expected("parking", "turnover", street)
    sums = {name: np.array(expected("parking", name, street)) for name in ("occupied", "spaces", "unknown")}
    np.testing.assert_allclose(told["occupancy"], sums["occupied"] / (sums["spaces"] - sums["unknown"]))


def test_a_period_without_windows_is_an_empty_frame_of_the_same_columns(settings: Settings) -> None:
    with taishi.analysis.connect(settings) as district:
        empty = district.windows("parking", "turnover", since="2h")
        full = district.windows("parking", "turnover")
    assert len(empty) == 0
    assert empty.dtypes.drop(["place", "name"]).equals(full.dtypes.drop(["place", "name"]))


def test_alerts_say_when_they_began_were_taken_and_ended_and_of_people_only_the_community(
    settings: Settings,
) -> None:
    desk = Desk(settings.operations_url)
    desk.take("alerts", [SOS, FULL], 2, BEGIN_MS)
    assert desk.acknowledge(SOS.id, "王", "", BEGIN_MS + 40_000)
    desk.close()
    with taishi.analysis.connect(settings) as district:
        frame = district.alerts().set_index("rule")
        (rule,) = district.alerts(rule="rule.", place=GRIDS[1])["rule"]
    sos, full = frame.loc["signal.sos"], frame.loc["rule.full"]
    assert [sos["place"], sos["level"]] == [GRIDS[0][:12], "community"]
    assert pd.isna(sos["device"])
    assert (full["place"], full["active"]) == (GRIDS[1], True)
    assert pd.isna(full["acknowledged"]) and pd.isna(full["cleared"])  # noqa: PT018
    assert sos["cleared"] - sos["acknowledged"] == pd.Timedelta(seconds=50)
    assert rule == "rule.full"


def test_places_devices_and_sources_are_frames_too(settings: Settings) -> None:
    (settings.home / "devices.csv").write_text(
        "device,model,kind,grid,longitude,latitude,crs,subject,capacity,simulated,vendor\n"
        f"p1,m,parking.space,{GRIDS[0]},120.3,36.05,WGS-84,,,true,acme\n"
        f"b1,m,care.emergency,{GRIDS[0]},120.3,36.05,WGS-84,somebody,,true,acme\n",
        "utf-8",
    )
    with taishi.analysis.connect(settings) as district:
        places, devices, sources = district.places(), district.devices(), district.sources()
    assert places["level"].value_counts().to_dict() == {
        "grid": 573,
        "community": 50,
        "street": 11,
        "district": 1,
    }
    assert places.loc[GRIDS[0], "parent"] == GRIDS[0][:12]
    assert places.attrs["synthetic"] is True
    assert devices.loc["p1", ["longitude", "domain", "vendor"]].tolist() == [120.3, "parking", "acme"]
    assert pd.isna(devices.loc["b1", "longitude"])
    assert not devices.astype(str).eq("somebody").any(axis=None)
    assert sources[["source", "vendor", "late_share"]].iloc[0].tolist() == ["mqtt.native", "acme", 0.1]
