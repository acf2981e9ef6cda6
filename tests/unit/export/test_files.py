"""What is written can be read back, with what it says about itself."""

import json

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from schemas.errors import SettingsError
from taishi.analysis.masks import conceal
from taishi.analysis.table import table
from taishi.export.describe import Wholeness, description
from taishi.export.geojson import GeoJsonFile
from taishi.export.run import checked_target, default_name
from taishi.export.writers import CsvFile, ParquetFile
from tests.unit.analysis.made import LAYER, MOVED_DAY, NOW, ONE, TWO, ask, block

QUESTION = ask("occupancy", "turnover", level="street", since="2026-11-24", until="2026-11-25", window="1h")
STREETS = ("370202001", "370202002")
WINDOWS = {
    "2026-11-24T23:00": {
        "spaces": (10, 20), "occupied": (4, 5), "unknown": (2, 0), "turnover": (3, 7), "complete": (1, 0),
        "readings": (4, 0), "readings_simulated": (1, 0),
    },
    "2026-11-25T00:00": {"spaces": (10, None), "occupied": (5, None), "turnover": (4, None)},
}  # fmt: skip


def written(writer, boundaries=ONE, question=QUESTION, windows=WINDOWS, places=STREETS):
    """Two blocks, one a window; what the file says of itself, and what lies beside it."""
    whole = Wholeness()
    for at, cells in windows.items():
        made = block(question, places, {at: cells})
        made = conceal(question.domain, made, {f.name for f in question.figures}) if question.masked else made
        rows = table(question, made, boundaries)
        writer.take(made, rows)
        whole.count(made, rows, boundaries)
    said = description(question, whole, boundaries, "e" * 12, NOW)
    return said, writer.finish(said)


def test_a_parquet_file_carries_types_units_and_what_was_asked(tmp_path):
    said, beside = written(ParquetFile(tmp_path / "x.parquet", QUESTION))
    found = pq.read_table(tmp_path / "x.parquet")
    assert beside == {}
    assert json.loads(pq.read_metadata(tmp_path / "x.parquet").metadata[b"taishi"]) == json.loads(
        json.dumps(said)
    )
    assert found.schema.field("occupancy").metadata == {
        b"unit": b"1",
        b"description": b"share of the spaces whose sensors speak that are occupied",
    }
    assert found["occupancy"].to_pylist() == [0.5, 0.25, 0.5, None]
    assert found["turnover"].to_pylist() == [3, 7, 4, None]


def test_a_csv_file_reads_back_the_same_and_what_it_holds_lies_beside(tmp_path):
    said, beside = written(CsvFile(tmp_path / "x.csv", QUESTION))
    frame = pd.read_csv(tmp_path / "x.csv", dtype={"place": str, "turnover": "Int64"}, parse_dates=["start"])
    assert frame["start"].dt.tz.utcoffset(None).total_seconds() == 8 * 3600
    assert frame["turnover"].tolist() == [3, 7, 4, pd.NA]
    assert frame["place"].tolist() == [*STREETS, *STREETS]
    assert frame["missing"].tolist() == [False, False, False, True]
    metadata = json.loads(beside["-metadata.json"])
    columns = {column["name"]: column for column in metadata["tableSchema"]["columns"]}
    assert list(columns) == frame.columns.tolist()
    assert columns["start"]["datatype"] == "dateTimeStamp"
    assert columns["occupancy"]["schema:unitCode"] == "1"
    assert metadata["notes"] == [{"taishi": json.loads(json.dumps(said))}]


def test_a_file_says_how_whole_it_is_and_by_which_boundaries(tmp_path):
    said, _ = written(ParquetFile(tmp_path / "x.parquet", QUESTION), TWO)
    assert (said["rows"], said["rows_missing"], said["rows_incomplete"], said["rows_masked"]) == (4, 1, 1, 0)
    assert said["simulated_share"] == 0.25
    assert [layer["valid_from"] for layer in said["boundaries"]] == [
        LAYER.valid_from.isoformat(),
        "2026-11-25",
    ]
    assert [layer["synthetic"] for layer in said["boundaries"]] == [True, False]
    assert (said["time_zone"], said["from"]) == ("Asia/Shanghai", "2026-11-24T00:00:00+08:00")
    assert said["figures"]["turnover"]["over_time"] == "sum"


def features(path):
    return {each["id"]: each for each in json.loads(path.read_text("utf-8"))["features"]}


def test_a_map_has_the_figures_of_the_whole_period(tmp_path):
    question = ask(
        "occupancy", "turnover", "spaces", level="street", since="2026-11-24", until="2026-11-25", window="1h"
    )
    written(GeoJsonFile(tmp_path / "x.geojson", question, ONE), question=question)
    first, second = features(tmp_path / "x.geojson").values()
    assert first["geometry"]["type"] in {"Polygon", "MultiPolygon"}
    told = first["properties"]
    assert (told["occupancy"], told["turnover"], told["spaces"]) == (
        0.5,
        7,
        10,
    )  # 9 of 18; 3 + 4; as at any time
    assert (told["windows"], told["windows_missing"], told["complete"]) == (2, 0, True)
    assert (told["unknown_share"], told["simulated_share"]) == (0.1, 0.25)
    told = second["properties"]
    assert (told["turnover"], told["windows_missing"], told["complete"]) == (7, 1, False)


def test_on_a_map_a_place_is_drawn_by_each_boundary_it_had(tmp_path):
    question = ask("turnover", level="grid", since="2026-11-24", until="2026-11-25", window="1h")
    grid = LAYER.grids[0]
    windows = {"2026-11-24T23:00": {"turnover": (3,)}, "2026-11-25T00:00": {"turnover": (4,)}}
    written(GeoJsonFile(tmp_path / "x.geojson", question, TWO), TWO, question, windows, (grid.code,))
    found = features(tmp_path / "x.geojson")
    old, new = (found[f"{grid.code}@{day}"] for day in (LAYER.valid_from, MOVED_DAY))
    assert (old["properties"]["turnover"], new["properties"]["turnover"]) == (3, 4)
    assert np.isclose(
        new["geometry"]["coordinates"][0][0][0] - old["geometry"]["coordinates"][0][0][0], 0.001
    )


def test_on_a_map_a_count_hidden_in_one_window_is_hidden_for_the_period(tmp_path):
    question = ask("sos", level="district", since="2026-11-24", until="2026-11-25", window="1h")
    windows = {
        "2026-11-24T23:00": {"residents_seen": (9,), "sos": (6,)},
        "2026-11-25T00:00": {"residents_seen": (9,), "sos": (1,)},
    }
    written(
        GeoJsonFile(tmp_path / "x.geojson", question, ONE),
        question=question,
        windows=windows,
        places=("370202",),
    )
    (found,) = features(tmp_path / "x.geojson").values()
    assert (found["properties"]["sos"], found["properties"]["masked"]) == (None, True)


def test_a_file_is_named_by_what_is_in_it():
    assert default_name(QUESTION) == "parking-street-20261124-20261125.csv"
    assert default_name(ask("sos")) == "care-district-20261125.csv"


@pytest.mark.parametrize(
    ("name", "message"),
    [("x.xls", "allowed: a name that ends with .csv, .parquet, .geojson"), ("no/x.csv", "no' is no folder")],
)
def test_a_target_that_cannot_be_is_refused(tmp_path, name, message):
    with pytest.raises(SettingsError, match=message):
        checked_target(tmp_path / name, replace=False)


def test_what_is_there_is_replaced_only_when_told(tmp_path):
    (tmp_path / "x.csv").touch()
    with pytest.raises(SettingsError, match="--force"):
        checked_target(tmp_path / "x.csv", replace=False)
    assert checked_target(tmp_path / "x.csv", replace=True)
