"""What an evaluation looks at of a case, as it was at the end of the period. Pure.

What came later (a hand-back, an extension granted, a closing) is not looked at, so a month stays what it was.
An appeal that was granted counts whenever it was: it exempts, and the fact stays.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from operations.cases.clocks import WorkingTime
from operations.cases.model import Case
from operations.cases.runs import Pause, Run, deadline

__all__ = ["Measured", "Timed", "measured"]


@dataclass(frozen=True, slots=True)
class Timed:
    """The runs of one clock: the first start, the newest deadline and stop.

    `late`: whether the newest run was, that of who has it now; `ever_late`: whether any was.
    """

    started_ms: int = 0
    due_ms: int = 0
    stopped_ms: int = 0
    late: bool = False
    ever_late: bool = False

    @property
    def known(self) -> bool:
        """Whether the clock ever ran."""
        return self.started_ms > 0


@dataclass(frozen=True, slots=True)
class Measured:
    """A case as measures see it, at the moment `at_ms`. `exempt`: an appeal was granted."""

    case: Case
    at_ms: int
    filing: Timed
    dispatch: Timed
    handling: Timed
    total: Timed
    pre_check: Timed
    post_check: Timed
    closed: bool
    exempt: bool

    @property
    def late(self) -> bool:
        """The fact that no appeal takes away."""
        return self.handling.ever_late or self.total.ever_late

    def count(self, name: str) -> int:
        """How often something had happened to the case by then."""
        return sum(moment <= self.at_ms for moment in self.case.happened.get(name, ()))

    @property
    def rejected(self) -> bool:
        """Whether it had been found to be no case by then."""
        return self.case.state == "rejected" and self.case.closed_ms <= self.at_ms


def measured(case: Case, time: WorkingTime, at_ms: int) -> Measured:
    """The case as it was at that moment."""

    def timed(*clocks: str) -> Timed:
        runs = [_as_of(run, at_ms) for run in case.runs if run.clock in clocks and run.started_ms <= at_ms]
        if not runs:
            return Timed()
        ends_ms = [deadline(run, time, at_ms).at_ms for run in runs]
        late = [run.ran_until(at_ms) > end_ms for run, end_ms in zip(runs, ends_ms, strict=True)]
        return Timed(runs[0].started_ms, ends_ms[-1], runs[-1].stopped_ms, late=late[-1], ever_late=any(late))

    return Measured(
        case=case,
        at_ms=at_ms,
        filing=timed("filing"),
        dispatch=timed("dispatch"),
        handling=timed("handling"),
        total=timed("total"),
        pre_check=timed("pre_check"),
        post_check=timed("post_check"),
        closed=0 < case.closed_ms <= at_ms and case.state != "rejected",
        exempt=case.appeal is not None and case.appeal.outcome == "granted",
    )


def _as_of(run: Run, at_ms: int) -> Run:
    """The run without what came after the moment."""
    pauses = [pause for pause in run.pauses if pause.from_ms <= at_ms]
    stopped_ms = run.stopped_ms if run.stopped_ms <= at_ms else 0
    if pauses and pauses[-1].until_ms > at_ms:
        last = pauses.pop()
        if last.done:  # what is a pause since the rework was a hand-back then
            stopped_ms = last.from_ms
        else:
            pauses.append(Pause(last.from_ms))
    extensions = tuple(moment for moment in run.extensions if moment <= at_ms)
    return replace(run, pauses=tuple(pauses), stopped_ms=stopped_ms, extensions=extensions)
