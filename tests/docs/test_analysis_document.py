"""What docs/analysis.md tells analysts to type and to run, does so on a real InfluxDB."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from taishi.analysis.table import BEFORE, BEHIND
from tests.analysts import commands, filled

if TYPE_CHECKING:
    from tests.conftest import Stack

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "analysis.md").read_text(encoding="utf-8")
DRAWN = 1
"""Blocks that tests/behaviour/test_examples.py runs: `make examples`."""
EXAMPLES = re.findall(r"<!-- example -->\n```(sh|python)\n(.*?)```", DOCUMENT, re.DOTALL)


def test_every_column_is_explained() -> None:
    assert [name for name in (*BEFORE, *BEHIND) if f"`{name}`" not in DOCUMENT] == []


def test_every_block_is_an_example() -> None:
    assert len(EXAMPLES) == len(re.findall(r"^```(?:sh|python)$", DOCUMENT, re.MULTILINE)) - DRAWN > 3


@pytest.mark.stack
def test_the_examples_run(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = filled(stack.influxdb_url, tmp_path / "home")
    (tmp_path / "work").mkdir()
    run = commands(settings, monkeypatch, tmp_path / "work")
    names: dict[str, object] = {}
    for language, text in EXAMPLES:
        if language == "python":
            exec(compile(text, "docs/analysis.md", "exec"), names)  # noqa: S102 - our own document
            continue
        for line in text.splitlines():
            done = run(*shlex.split(line)[1:])
            assert done.returncode == 0, f"{line}: {done.stderr}"
            assert done.stdout.strip(), line
    assert len(names["frame"]) > 0
    assert len(names["alerts"]) == 2
    names["district"].close()
