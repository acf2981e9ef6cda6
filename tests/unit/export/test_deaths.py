"""An export that fails or is killed leaves no half of a file, and who began it is known."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from operations.influxql import InfluxQl
from schemas.errors import TaishiError
from taishi.analysis.district import District
from taishi.analysis.question import Wish
from taishi.export import run
from taishi.export.audit import Audit
from taishi.settings import Settings
from tests.unit.analysis.made import NOW, at_ms

WISH = Wish(["turnover"], since="2026-11-25T08:00", until="2026-11-25T08:02", window="1m")


def a_district(home: Path, counted: int = 2) -> District:
    """One whose InfluxDB has two windows and says it has `counted`."""
    district = District(Settings(home=home), clock=lambda: NOW)
    rows = [f"parking,place=370202,{at_ms(f'2026-11-25T08:0{n}')},1,0,0,10,{n},0" for n in range(2)]
    header = "name,tags,time,complete,readings,readings_simulated,spaces,turnover,unknown"

    def answer(request: httpx.Request) -> httpx.Response:
        if "count(" not in request.url.params["q"]:
            return httpx.Response(200, text="\n".join([header, *rows]))
        series = {"tags": {"place": "370202"}, "columns": ["time", "windows"], "values": [[0, counted]]}
        return httpx.Response(200, json={"results": [{"series": [series]}]})

    district._influx = InfluxQl("http://influxdb", "", transport=httpx.MockTransport(answer))
    return district


def an_export(home: Path, target: Path, counted: int = 2) -> run.Exported:
    district = a_district(home, counted)
    return run.export(district, district.question(WISH), target)


def results(home: Path) -> list[str]:
    return [each["result"] for each in Audit(Settings(home=home)).exports()]


def test_an_export_is_one_file_with_what_it_holds_beside_and_is_written_down(tmp_path):
    done = an_export(tmp_path, tmp_path / "x.csv")
    assert (done.described["rows"], done.size_bytes) == (2, (tmp_path / "x.csv").stat().st_size)
    assert results(tmp_path) == ["written"]
    assert sorted(path.name for path in tmp_path.glob("*x.csv*")) == ["x.csv", "x.csv-metadata.json"]


def test_one_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    (tmp_path / "x.parquet").write_text("old")
    with pytest.raises(TaishiError, match="fewer than"):
        an_export(tmp_path, tmp_path / "x.parquet", counted=3)
    assert (tmp_path / "x.parquet").read_text() == "old"
    assert list(tmp_path.glob(".x*")) == []
    assert results(tmp_path) == ["failed"]


KILLED = """
import os, signal, sys
from pathlib import Path
from taishi.export import run
from tests.unit.export.test_deaths import an_export

home, where = Path(sys.argv[1]), sys.argv[2]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

if where == "writing":
    run.CsvFile.take = die
elif where == "rename":
    Path.replace = die
else:
    run.Audit.written = die
an_export(home, home / "x.csv")
"""


@pytest.mark.parametrize(("where", "there"), [("writing", False), ("rename", False), ("audit", True)])
def test_one_that_is_killed_leaves_a_whole_file_or_none_and_who_began_it(tmp_path, where, there):
    root = Path(__file__).resolve().parents[3]
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path), where],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
        capture_output=True,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert (tmp_path / "x.csv").exists() == there
    assert not there or (tmp_path / "x.csv").read_text("utf-8").count("\n") == 3
    assert results(tmp_path) == ["killed"]
    an_export(tmp_path, tmp_path / "x.csv")
    assert results(tmp_path) == ["killed", "written"]
