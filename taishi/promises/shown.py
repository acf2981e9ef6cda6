"""The verdict on each line of the sheet: pure, from the lines, the functions they name and the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from taishi.promises.record import Result, Stamp, function_of
from taishi.promises.sheet import Promise

__all__ = ["Line", "Test", "Verdict", "judged"]

Verdict = Literal["passed", "failed", "not run", "no test"]


@dataclass(frozen=True, slots=True)
class Test:
    """A function that shows a promise, and the last result of each of its cases."""

    name: str
    """Its node id."""
    cases: tuple[Result, ...]

    @property
    def verdict(self) -> Verdict:
        """Failed if a case did, passed if all did; where a case was skipped it has not run."""
        outcomes = {case.outcome for case in self.cases}
        if "failed" in outcomes:
            return "failed"
        return "passed" if outcomes == {"passed"} else "not run"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the sheet with the tests that show it."""

    promise: Promise
    tests: tuple[Test, ...]

    @property
    def verdict(self) -> Verdict:
        """As bad as its worst test; `no test` for a line that only explains."""
        verdicts = {test.verdict for test in self.tests}
        worst: tuple[Verdict, ...] = ("failed", "not run", "passed")
        return next((each for each in worst if each in verdicts), "no test")

    @property
    def ran_at_ms(self) -> int | None:
        """When its last run ended; of several the oldest: since then the whole line was not shown again."""
        return min((case.ended_at_ms for case in self._cases), default=None)

    @property
    def on(self) -> tuple[Stamp, ...]:
        """On what its tests last ran, each once: commits, machines."""
        return tuple(dict.fromkeys(case.on for case in self._cases))

    @property
    def _cases(self) -> tuple[Result, ...]:
        return tuple(case for test in self.tests for case in test.cases)


def judged(promise: Promise, functions: tuple[str, ...], record: Mapping[str, Result]) -> Line:
    """The line with the results of `functions`, which are those its tests are."""
    cases: dict[str, list[Result]] = {name: [] for name in functions}
    for case, result in record.items():
        if function_of(case) in cases:
            cases[function_of(case)].append(result)
    return Line(promise, tuple(Test(name, tuple(results)) for name, results in cases.items()))
