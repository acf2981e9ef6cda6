"""`taishi boards` on the command line: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from schemas.errors import SettingsError
from schemas.store import KEEP_DAYS
from taishi.boards_feed import days_to_tell
from taishi.cli.boards import boards


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path / "home"))

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(boards, words)

    return invoke


def test_every_board_is_listed_with_its_file(run):
    listed = json.loads(run("list", "--json").stdout)
    assert [row["uid"] for row in listed][:2] == ["taishi-overview", "taishi-parking"]
    assert all(row["file"] == f"{row['uid']}.json" and row["queries"] > 5 for row in listed)
    assert "智慧养老 elderly care" in run("list").stdout


def test_a_stale_file_a_missing_one_and_a_stray_one_are_named(run, tmp_path):
    assert run("render", "--into", str(tmp_path)).exit_code == 0
    assert run("render", "--check", "--into", str(tmp_path)).exit_code == 0
    (tmp_path / "taishi-care.json").write_text("{}")
    (tmp_path / "taishi-parking.json").unlink()
    (tmp_path / "taishi-gone.json").write_text("{}")
    (tmp_path / "other.json").write_text("{}")
    told = run("render", "--check", "--into", str(tmp_path))
    assert told.exit_code == 1
    assert [name for name in ("care", "parking", "gone", "other") if f"{name}.json" in told.stderr] == [
        *("care", "parking", "gone"),
    ]
    mended = run("render", "--into", str(tmp_path))
    assert mended.stdout.count("wrote ") == 2
    assert not (tmp_path / "taishi-gone.json").exists()
    assert (tmp_path / "other.json").exists()


def test_the_boards_of_this_installation_pass_the_check(run):
    assert run("check").stdout == "nothing is wrong with the boards\n"
    assert json.loads(run("check", "--json").stdout) == []


def test_what_is_wrong_with_a_file_is_told_and_the_exit_code_is_1(run, tmp_path):
    run("render", "--into", str(tmp_path))
    path = tmp_path / "taishi-system.json"
    path.write_text(path.read_text().replace("taishi-prometheus", "elsewhere"))
    told = run("check", str(path))
    assert told.exit_code == 1
    assert "received 'elsewhere', allowed: taishi-influxdb" in told.stderr
    assert json.loads(run("check", "--json", str(path)).stdout)[0]["board"] == "taishi-system.json"


def test_a_file_that_is_no_json_is_refused_by_name(run, tmp_path):
    (tmp_path / "x.json").write_text("nope")
    refused = run("check", str(tmp_path / "x.json"))
    assert isinstance(refused.exception, SettingsError)
    assert str(refused.exception).startswith("x.json: received no JSON")


def test_a_sketch_is_drawn_of_every_board_with_its_panels(run, tmp_path):
    assert run("sketch", "--into", str(tmp_path)).exit_code == 0
    drawn = (tmp_path / "taishi-overview.svg").read_text()
    assert drawn.startswith("<svg ")
    assert "活动告警 active alerts" in drawn
    assert len(list(tmp_path.glob("*.svg"))) == 9


def test_rules_of_ones_own_are_on_the_boards_and_wrong_ones_refused(run, tmp_path, monkeypatch):
    shipped = Path("pipelines/rules.toml").read_text()
    own = tmp_path / "rules.toml"
    own.write_text(shipped.replace("at_least = 0.95", "at_least = 0.8"))
    monkeypatch.setenv("TAISHI_RULES_FILE", str(own))
    run("render", "--into", str(tmp_path))
    assert "parking-full ≥ 0.8" in (tmp_path / "taishi-parking.json").read_text()
    own.write_text("[[rules]]\n")
    assert "nothing, allowed" in str(run("list").exception)


def test_the_on_call_file_is_shown_with_who_is_told_in_turn(run, tmp_path, monkeypatch):
    file = tmp_path / "oncall.toml"
    file.write_text(
        '[people]\nwang = ["json://127.0.0.1:9/"]\n'
        '[[routes]]\nname = "night"\nseverity = "high"\nwhen = "non_working_hours"\n'
        'steps = [{ people = ["wang"] }]\n'
    )
    monkeypatch.setenv("TAISHI_ONCALL_FILE", str(file))
    run("render", "--into", str(tmp_path))
    text = json.loads((tmp_path / "taishi-alerts.json").read_text())
    (duty,) = (panel for panel in text["panels"] if panel["title"].startswith("值守安排"))
    assert "| night | 高 high | 非工作时间 other hours | 0 s: wang |" in duty["options"]["content"]


def test_days_are_told_as_far_back_as_alerts_are_kept_and_to_the_end_of_a_published_year():
    today = date(2026, 11, 27)
    days = days_to_tell(today)
    assert (today - days[0]).days == KEEP_DAYS["events"] - 1
    assert (days[-1].month, days[-1].day) == (12, 31)
    assert days[-1].year >= today.year
