"""SQL over exported files: every export is a row of its domain's table, and nothing else can be reached."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from schemas.errors import SettingsError, TaishiError
from taishi.export.sql import SqlDoor, exported_files, overlaps
from taishi.export.writers import ParquetFile
from tests.unit.analysis.made import ask
from tests.unit.export.test_files import written


@pytest.fixture
def folder(tmp_path):
    """Two exports of parking, one of care, a Parquet file of somebody else, and a secret."""
    asked = {"level": "street", "since": "2026-11-24", "until": "2026-11-25", "window": "1h"}
    for name, question in {
        "one": ask("occupancy", **asked),
        "two": ask("turnover", **asked),
        "care": ask("sos", **asked),
    }.items():
        windows = {"2026-11-24T23:00": {}} if name == "care" else None
        written(
            ParquetFile(tmp_path / f"{name}.parquet", question),
            question=question,
            **({"windows": windows} if windows else {}),
        )
    pq.write_table(pa.table({"x": [1]}), tmp_path / "other.parquet")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1")
    (tmp_path / "secret.csv").write_text("a\nknown to nobody\n", "utf-8")
    return tmp_path


@pytest.fixture
def door(folder):
    with SqlDoor(exported_files(folder)[0]) as opened:
        yield opened


def rows(door, query):
    return door.ask(query).read_all().to_pylist()


def test_only_exports_are_taken(folder):
    found, others = exported_files(folder)
    assert [file.path.name for file in found] == ["care.parquet", "one.parquet", "two.parquet"]
    assert [path.name for path in others] == ["broken.parquet", "other.parquet"]


def test_a_table_has_the_rows_and_columns_of_all_its_files(door):
    query = "SELECT file, count(*) AS n, max(occupancy) AS o, max(turnover) AS t FROM parking GROUP BY ALL"
    assert rows(door, f"{query} ORDER BY file") == [
        {"file": "one.parquet", "n": 4, "o": 0.5, "t": None},
        {"file": "two.parquet", "n": 4, "o": None, "t": 7},
    ]


def test_hours_are_the_districts(door):
    assert rows(door, "SELECT DISTINCT extract(hour FROM start) AS h FROM care") == [{"h": 23}]


def test_files_with_the_same_rows_are_told(folder):
    found, _ = exported_files(folder)
    assert [(a.path.name, b.path.name) for a, b in overlaps(found)] == [("one.parquet", "two.parquet")]


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="allowed: a folder"):
        exported_files(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "query",
    [
        "", "SELECT 1; SELECT 2", "COPY (SELECT 1) TO '{folder}/new.csv'",
        "COPY parking TO '{folder}/one.parquet'",
        "CREATE TABLE t AS SELECT 1", "INSERT INTO parking SELECT * FROM parking", "DELETE FROM parking",
        "DROP VIEW parking", "ATTACH '{folder}/new.db'", "EXPORT DATABASE '{folder}/new'",
        "INSTALL httpfs", "LOAD icu",
        "SET enable_external_access = true", "PRAGMA database_list", "CALL pragma_version()", "CHECKPOINT",
        "IMPORT DATABASE '{folder}'",
    ],
)  # fmt: skip
def test_nothing_but_one_select_is_taken(door, folder, query):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(SettingsError, match="allowed: one SELECT"):
        door.ask(query.format(folder=folder))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM '{folder}/secret.csv'", "SELECT * FROM read_csv('{folder}/secret.csv')",
        "SELECT * FROM read_text('{folder}/secret.csv')", "SELECT * FROM read_blob('{folder}/*')",
        "SELECT * FROM read_parquet('{folder}/other.parquet')", "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM sniff_csv('{folder}/secret.csv')",
        "SELECT * FROM read_text('/proc/self/environ')",
        "SELECT * FROM query('COPY (SELECT 1) TO ''{folder}/new.csv''')", "SELECT getenv('HOME')",
        "SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')",
    ],
)  # fmt: skip
def test_nothing_but_the_exports_is_read(door, folder, query):
    before = {path.name for path in folder.iterdir()}
    with pytest.raises(TaishiError, match="sql: "):
        rows(door, query.format(folder=folder))
    assert {path.name for path in folder.iterdir()} == before


def test_the_locks_hold_behind_the_check_of_statements(door, folder):
    """As if the check let everything through: DuckDB itself refuses."""
    for query in (
        "COPY (SELECT 1) TO '{folder}/new.csv'",
        "ATTACH '{folder}/new.db'",
        "SET enable_external_access = true",
    ):
        with pytest.raises(Exception, match=r"disabled|Cannot change"):
            door._connection.execute(query.format(folder=folder))
    assert not list(folder.glob("new*"))


def test_a_wrong_query_says_what_is_wrong(door):
    with pytest.raises(TaishiError, match=r'sql: .*"nope" not found'):
        door.ask("SELECT nope FROM parking")
