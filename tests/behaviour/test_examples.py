"""The example analyses, from nothing, with the one command that the documents name."""

import os
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import psutil
import pytest

from examples.__main__ import NAMES

pytestmark = pytest.mark.stack
OTHERS = {
    "TAISHI_INFLUXDB_ADDRESS": "http://127.0.0.1:9",
    "TAISHI_OPERATIONS_DATABASE": "sqlite:////nowhere/desk.db",
    "TAISHI_HOME": "/nowhere",
}
"""Somebody's own district, in which nothing may be made up."""
ROOT = Path(__file__).resolve().parents[2]


def of(folder: Path, process: psutil.Process) -> bool:
    """Whether something of the folder is in the process's command line."""
    return any(str(folder) in word for word in process.info["cmdline"] or ())


def test_one_command_draws_every_example_and_leaves_nothing_running(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples", "--days", "2", "--out", str(tmp_path / "pictures")],
        cwd=ROOT, env={**os.environ, **OTHERS, "TMPDIR": str(tmp_path)},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr
    for name in NAMES:
        picture = matplotlib.image.imread(tmp_path / "pictures" / f"{name}.png")
        assert picture.shape[1] > 1000
        assert len(set(picture[::7, ::7, 0].ravel())) > 20, f"{name} is empty"
    assert [
        process.info["cmdline"] for process in psutil.process_iter(["cmdline"]) if of(tmp_path, process)
    ] == []
    assert [path.name for path in tmp_path.iterdir()] == ["pictures"]
