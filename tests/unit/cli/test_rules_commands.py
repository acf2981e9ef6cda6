"""`taishi rules`: what is in force, and what is wrong with a file."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from taishi.cli.rules import rules


@pytest.fixture(autouse=True)
def _shipped(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")


def run(*words):
    result = CliRunner().invoke(rules, words, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_the_list_shows_every_rule_with_its_condition():
    shown = run("list")
    for text in ("parking-full", "停车位基本饱和", "occupancy ≥ 0.95", "触发延时 10 分钟", "22:00-06:00"):
        assert text in shown


def test_as_json_the_list_is_whole():
    rows = {row["name"]: row for row in json.loads(run("list", "--json"))}
    assert rows["intrusion-night"]["hours"] == ["22:00-06:00"]
    assert rows["fire-evacuation"]["members"] == ["fire-signal", "crowd-outflow"]
    assert rows["fire-cluster"]["condition"][1].endswith("within 10 min ≥ 3")


def test_check_says_what_is_in_force(tmp_path):
    assert "规则有效 well" in run("check")
    (tmp_path / "mine.toml").write_text("rules = []", encoding="utf-8")
    assert "mine.toml\n0 条规则 rules" in run("check", str(tmp_path / "mine.toml"))


def test_the_file_of_the_settings_is_the_one_in_force(tmp_path, monkeypatch):
    (tmp_path / "mine.toml").write_text("rules = []", encoding="utf-8")
    monkeypatch.setenv("TAISHI_RULES_FILE", str(tmp_path / "mine.toml"))
    assert json.loads(run("list", "--json")) == []


def test_a_wrong_file_goes_to_stderr_and_fails(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[[rules]]\nname = "x"\nseverity = "urgent"', encoding="utf-8")
    words = [sys.executable, "-m", "taishi.cli.main", "rules", "check", str(path)]
    result = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (1, "")
    assert f"{path}:3: rule 'x', severity: received 'urgent', allowed: low, medium, high" in result.stderr
