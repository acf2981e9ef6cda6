"""Records what becomes of the tests that PROMISES.md names, for `taishi promises`. Loaded by conftest.py.

Only the session that reports does: with xdist that is the controller, which hears of every worker's tests.
"""

from __future__ import annotations

import time
from collections.abc import Set as AbstractSet
from pathlib import Path

import pytest

from schemas.errors import SettingsError
from taishi.promises.record import Outcome, Result, Stamp, keep, read_record, stamp_of
from taishi.promises.record import function_of as function
from taishi.promises.sheet import read_promises
from taishi.settings import load_settings

ROOT = Path(__file__).resolve().parents[1]


class Recorder:
    """Hears every report of a session, and at its end keeps what became of the promised files and functions.

    A death before that leaves the record as it was.
    """

    def __init__(self, home: Path, promised: AbstractSet[str], stamp: Stamp) -> None:
        self._home, self._promised, self._stamp = home, promised, stamp
        self._results: dict[str, Result] = {}
        self._error = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = function(report.nodeid)
        if not {name, name.partition("::")[0]} & self._promised:
            return
        before = self._results.get(report.nodeid)
        outcome: Outcome = report.outcome
        if before is not None and before.outcome != "passed":
            outcome = before.outcome  # a failed test stays so, however well it is torn down
        took_s = report.duration + (before.took_s if before else 0.0)
        self._results[report.nodeid] = Result(outcome, time.time_ns() // 1_000_000, took_s, self._stamp)

    def pytest_sessionfinish(self) -> None:
        if not self._results:
            return
        try:
            keep(self._home, self._results)
        except OSError as error:
            self._error = f"promises: the results were not recorded: {error}"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._error:
            terminalreporter.write_line(self._error, red=True)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    home = load_settings().home
    try:
        read_record(home)
    except SettingsError as error:  # told before the tests, not after them
        raise pytest.UsageError(str(error)) from error
    promised = {test for promise in read_promises(ROOT) for test in promise.tests}
    config.pluginmanager.register(Recorder(home, promised, stamp_of(ROOT)), "promises")
