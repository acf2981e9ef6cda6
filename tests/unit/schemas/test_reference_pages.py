"""The generated reference pages: complete, and fresh in the tree."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.kinds import METRICS
from schemas.quarantine import Reason
from taishi.cli.schemas import generated_files, schemas
from taishi.reference import TELEMETRY, pages
from taishi.settings import Settings

ROOT = Path(__file__).resolve().parents[3]
DECLARES = re.compile(r"\b(Counter|Gauge|Histogram|Summary)\(\s*f?\"taishi_")


def test_every_module_that_declares_metrics_is_on_the_page():
    folders = ("connectors", "operations", "pipelines", "simulation", "deploy", "taishi")
    declaring = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if DECLARES.search(path.read_text(encoding="utf-8"))
    }
    assert declaring == set(TELEMETRY)


def test_every_setting_reason_and_kind_is_on_its_page():
    texts = pages()
    for name in Settings.model_fields:
        assert f"| `{name}` |" in texts["settings.md"]
    for reason in Reason:
        assert f"| `{reason}` | " in texts["quarantine-reasons.md"]
    assert texts["kinds-and-measures.md"].count("…") >= len(METRICS)


def test_no_page_names_the_home_of_who_wrote_it():
    assert not any(str(Path.home()) in text for text in pages().values())


@pytest.mark.parametrize("name", sorted(map(str, generated_files())))
def test_the_written_file_is_fresh(name):
    written = (ROOT / name).read_text(encoding="utf-8")
    assert written == generated_files()[Path(name)], "run `taishi schemas write`"


def test_write_makes_what_check_wants_and_check_tells_what_is_not_so(tmp_path):
    run = CliRunner().invoke
    assert run(schemas, ["check", "--into", str(tmp_path)]).exit_code == 1
    assert run(schemas, ["write", "--into", str(tmp_path)]).exit_code == 0
    assert run(schemas, ["check", "--into", str(tmp_path)]).exit_code == 0
    (tmp_path / "schemas" / "generated" / "signal.json").write_text("{}")
    (tmp_path / "schemas" / "generated" / "stray.json").write_text("{}")
    (tmp_path / "docs" / "reference" / "settings.md").unlink()
    checked = run(schemas, ["check", "--into", str(tmp_path), "--json"])
    assert checked.exit_code == 1
    states = json.loads(checked.stdout)
    assert {name: state for name, state in states.items() if state != "fresh"} == {
        "schemas/generated/signal.json": "stale",
        "schemas/generated/stray.json": "unknown",
        "docs/reference/settings.md": "missing",
    }


def test_a_fresh_file_is_not_touched(tmp_path):
    CliRunner().invoke(schemas, ["write", "--into", str(tmp_path)])
    assert CliRunner().invoke(schemas, ["write", "--into", str(tmp_path)]).output == ""
