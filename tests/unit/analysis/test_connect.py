"""The door for analysts: light to import, and of the right database."""

import subprocess
import sys

import pytest

import taishi.analysis
from schemas.errors import SettingsError
from taishi.settings import Settings


def test_importing_it_loads_nothing_heavy():
    heavy = "{'pandas', 'pyarrow', 'numpy', 'duckdb', 'httpx', 'pydantic'} & set(sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, taishi.analysis; print({heavy})"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "set()"


def test_care_is_read_from_its_own_database_where_it_has_one(tmp_path):
    with taishi.analysis.connect(Settings(home=tmp_path, influxdb_care_database="people")) as district:
        assert (district._store("care").database, district._store("parking").database) == ("people", "taishi")


def test_small_counts_are_refused_where_the_installation_gives_none(tmp_path):
    with pytest.raises(SettingsError, match="export_small_counts"):
        taishi.analysis.connect(Settings(home=tmp_path), small_counts=True)
    settings = Settings(home=tmp_path, export_small_counts=True)
    with taishi.analysis.connect(settings, small_counts=True) as district:
        assert district.small_counts
