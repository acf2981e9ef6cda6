"""The sheet as data, the record of what ran, and the verdict on a line."""

import json
import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from schemas.errors import SettingsError
from taishi.cli import promises as command
from taishi.promises.record import FILE, Result, Stamp, forget, keep, read_record
from taishi.promises.sheet import functions, promises_of, selected
from taishi.promises.shown import judged

ROOT = Path(__file__).resolve().parents[3]
SHEET = """# Promises

- not a line of a part

## Kept
- **Taken means kept**, also
  over a crash.
  `tests/test_a.py::test_kept`
  `tests/test_a.py::test_again`
- **The rest too.**
  `tests/test_b.py`

## Late
- A window waits 5 s.
"""
ON = Stamp("0123456789abcdef", False, "here, 2 cores")


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "tests").mkdir()
    (tmp_path / "PROMISES.md").write_text(SHEET, "utf-8")
    (tmp_path / "tests/test_a.py").write_text("def test_kept():\n    pass\n\ndef test_again():\n    pass\n")
    (tmp_path / "tests/test_b.py").write_text("async def test_one():\n    pass\n\ndef helper():\n    pass\n")
    return tmp_path


def result(outcome="passed", at_ms=1_000, on=ON):
    return Result(outcome, at_ms, 0.5, on)


def line(record, number=1, names=("tests/test_a.py::test_kept", "tests/test_a.py::test_again")):
    return judged(promises_of(SHEET)[number - 1], names, record)


def test_every_line_of_a_part_is_read_with_its_tests():
    kept, rest, late = promises_of(SHEET)
    assert (kept.number, kept.part, kept.text) == (1, "Kept", "Taken means kept, also over a crash.")
    assert kept.tests == ("tests/test_a.py::test_kept", "tests/test_a.py::test_again")
    assert rest.tests == ("tests/test_b.py",)
    assert (late.part, late.text, late.tests) == ("Late", "A window waits 5 s.", ())


def test_lines_are_chosen_by_number_or_words_and_others_are_refused_with_what_is_allowed():
    promises = promises_of(SHEET)
    assert selected(promises, None) == promises
    assert [each.number for each in selected(promises, "2")] == [2]
    assert [each.number for each in selected(promises, "TAKEN means")] == [1]
    assert [each.number for each in selected(promises, "late")] == [3]
    for asked in ("0", "4", "nothing of it"):
        with pytest.raises(
            SettingsError, match=rf"received '{asked}', allowed: a number from 1 to 3, or words"
        ):
            selected(promises, asked)


def test_a_file_is_its_functions_and_what_does_not_exist_is_refused_with_what_does(tree):
    assert functions(["tests/test_b.py", "tests/test_b.py::test_one"], tree) == ("tests/test_b.py::test_one",)
    with pytest.raises(
        SettingsError, match=r"test_a.py: received 'test_gone', allowed: test_kept, test_again"
    ):
        functions(["tests/test_a.py::test_gone"], tree)
    with pytest.raises(
        SettingsError, match=r"received tests/test_c\.py, allowed: a file of tests/ that exists"
    ):
        functions(["tests/test_c.py"], tree)


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        ({}, "not run"),
        ({"tests/test_a.py::test_kept": "passed"}, "not run"),
        ({"tests/test_a.py::test_kept": "passed", "tests/test_a.py::test_again": "passed"}, "passed"),
        ({"tests/test_a.py::test_kept": "failed"}, "failed"),
        ({"tests/test_a.py::test_kept[1]": "passed", "tests/test_a.py::test_kept[2]": "failed"}, "failed"),
        ({"tests/test_a.py::test_kept": "passed", "tests/test_a.py::test_again": "skipped"}, "not run"),
        ({"tests/test_a.py::test_kept_not": "failed"}, "not run"),
    ],
)
def test_a_line_is_as_bad_as_its_worst_test(record, verdict):
    assert line({case: result(outcome) for case, outcome in record.items()}).verdict == verdict


def test_a_line_without_a_test_has_none():
    assert line({}, number=3, names=()).verdict == "no test"


def test_a_line_is_as_old_as_its_oldest_test_and_tells_each_commit_once():
    other = Stamp("ffff", True, "there")
    shown = line({"tests/test_a.py::test_kept": result(at_ms=2_000),
                  "tests/test_a.py::test_again[1]": result(at_ms=1_000),
                  "tests/test_a.py::test_again[2]": result(at_ms=3_000, on=other)})  # fmt: skip
    assert (shown.ran_at_ms, shown.on) == (1_000, (ON, other))


def test_the_record_keeps_what_other_sessions_wrote_and_forgets_what_is_asked(tmp_path):
    assert read_record(tmp_path / "none") == {}
    keep(tmp_path, {"a::x[1]": result(), "a::x[2]": result(), "a::y": result("failed")})
    keep(tmp_path, {"a::y": result()})
    assert {case: each.outcome for case, each in read_record(tmp_path).items()} == dict.fromkeys(
        ("a::x[1]", "a::x[2]", "a::y"), "passed"
    )
    forget(tmp_path, ["a::x"])
    assert list(read_record(tmp_path)) == ["a::y"]


def _keep_many(home, session):
    for number in range(10):
        keep(home, {f"a::t[{session}-{number}]": result()})


def test_sessions_side_by_side_lose_nothing_of_each_other(tmp_path):
    sessions = [
        multiprocessing.get_context("fork").Process(target=_keep_many, args=(tmp_path, n)) for n in "abc"
    ]
    for session in sessions:
        session.start()
    for session in sessions:
        session.join()
    assert [session.exitcode for session in sessions] == [0, 0, 0]
    assert len(read_record(tmp_path)) == 30


def test_a_death_before_the_replacement_leaves_the_old_record_whole(tmp_path):
    keep(tmp_path, {"a::x": result()})
    (tmp_path / f".{FILE}.part").write_text('{"a::x": {"outc', "utf-8")
    assert list(read_record(tmp_path)) == ["a::x"]
    keep(tmp_path, {"a::y": result()})
    assert list(read_record(tmp_path)) == ["a::x", "a::y"]


def test_a_file_that_is_no_record_is_refused_by_its_name(tmp_path):
    (tmp_path / FILE).write_text('{"a": {"outcome": "well"}}', "utf-8")
    with pytest.raises(SettingsError, match=rf"{FILE}: .*'well'.*allowed: what a test session wrote"):
        read_record(tmp_path)


TESTS = """
import pytest

@pytest.fixture
def broken():
    raise ValueError

@pytest.fixture
def ends_badly():
    yield
    raise ValueError

def test_well(): pass
@pytest.mark.parametrize("n", [1, 2])
def test_cases(n): assert n == 1
def test_skipped(): pytest.skip("no such machine")
def test_broken(broken): pass
def test_ends_badly(ends_badly): pass
def test_not_promised(): pass
"""


CONFTEST = """
from pathlib import Path
from taishi.promises.record import Stamp
from tests.promises_plugin import Recorder

def pytest_configure(config):
    stamp = Stamp("0123456789abcdef", False, "here, 2 cores")
    config.pluginmanager.register(Recorder(Path({home!r}), {promised!r}, stamp))
"""


def test_a_session_records_what_became_of_the_promised_tests_and_of_no_other(tmp_path):
    (tmp_path / "test_it.py").write_text(TESTS, "utf-8")
    names = ("test_well", "test_cases", "test_skipped", "test_broken", "test_ends_badly")
    promised = {f"test_it.py::{name}" for name in names} | {"test_whole.py"}
    (tmp_path / "test_whole.py").write_text("def test_any(): pass", "utf-8")
    (tmp_path / "conftest.py").write_text(CONFTEST.format(home=str(tmp_path), promised=promised), "utf-8")
    words = [sys.executable, "-m", "pytest", str(tmp_path), f"--rootdir={tmp_path}", "-c", "/dev/null"]
    alone = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, env=os.environ | alone, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    record = read_record(tmp_path)
    assert {case.removeprefix("test_it.py::"): each.outcome for case, each in record.items()} == {
        "test_well": "passed", "test_cases[1]": "passed", "test_cases[2]": "failed",
        "test_skipped": "skipped", "test_broken": "failed", "test_ends_badly": "failed",
        "test_whole.py::test_any": "passed",
    }  # fmt: skip
    assert {each.on for each in record.values()} == {ON}


@pytest.fixture
def home(tree, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "_ROOT", tree)
    monkeypatch.setenv("TAISHI_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def run(*words):
    return CliRunner().invoke(command.promises, words, catch_exceptions=False)


def test_the_command_shows_each_line_with_its_verdict_and_fails_when_one_did(home, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    both = ("tests/test_a.py::test_kept", "tests/test_a.py::test_again")
    keep(home, dict.fromkeys(both, result(at_ms=1_795_824_000_000)))
    shown = run()
    assert shown.exit_code == 0
    sums = "1 passed · 0 failed · 1 not run · 1 no test"
    for text in ("1  通过 passed", "2026-11-28 00:00", "012345678", "Taken means kept", *both,
                 "2  未运行 not run", "3  说明 no test", sums, "here, 2 cores"):  # fmt: skip
        assert text in shown.output
    keep(home, {both[0]: result("failed")})
    assert run("1").exit_code == 1
    assert run("2").exit_code == 0


def test_as_json_a_line_is_an_object(home):
    keep(home, {"tests/test_b.py::test_one[a]": result(at_ms=1_795_824_000_000)})
    (row,) = json.loads(run("2", "--json").output)
    assert row["tests"] == [
        {"name": "tests/test_b.py::test_one", "verdict": "passed", "cases": 1, "took_s": 0.5,
         "ran_at": "2026-11-28T00:00:00+00:00"}
    ]  # fmt: skip
    assert (row["verdict"], row["text"]) == ("passed", "The rest too.")
    assert row["on"] == [{"commit": ON.commit, "modified": False, "machine": ON.machine, "form": ""}]


def test_run_forgets_then_runs_what_is_named_and_fails_when_something_has_not_run(home, monkeypatch):
    keep(home, {"tests/test_b.py::test_one": result(), "tests/test_a.py::test_kept": result()})
    ran = []

    class Ended:
        returncode = 5

    def nothing(words, **_):
        ran.append(words)
        assert list(read_record(home)) == ["tests/test_a.py::test_kept"]
        return Ended

    monkeypatch.setattr(command.subprocess, "run", nothing)
    shown = run("2", "--run", "--json")
    assert [words[-1] for words in ran] == ["tests/test_b.py::test_one"] * 2
    assert (shown.exit_code, json.loads(shown.output)[0]["verdict"]) == (1, "not run")
    Ended.returncode = 4
    with pytest.raises(SettingsError, match="pytest ended with 4"):
        run("2", "--run")
    with pytest.raises(SettingsError, match="received lines that name no test"):
        run("3", "--run")
