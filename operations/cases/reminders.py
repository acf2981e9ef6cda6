"""What the system does by itself: warn before a limit ends, tell when it is over, resume from 挂账. Pure.

`next_look_ms` says when there is something to do next; `due_steps` does all that is due, one entry each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from msgspec.structs import replace

from operations.cases.codes import STATES
from operations.cases.conditions import Facts
from operations.cases.config import CaseConfig
from operations.cases.decide import SYSTEM, decide
from operations.cases.model import Case, Command, Entry
from operations.cases.refusals import MoveRefused
from operations.cases.runs import Due, Run, due
from schemas.calendar import local

__all__ = ["Clocked", "clocked", "due_steps", "next_look_ms", "noted"]


@dataclass(frozen=True, slots=True)
class Clocked:
    """A running clock of a case, and when it is due."""

    run: Run
    due: Due


def clocked(case: Case, config: CaseConfig, now_ms: int) -> list[Clocked]:
    """The clocks that run now, the first that is due first; none of a case that is over or parked."""
    if not STATES[case.state].open:
        return []
    found = [
        Clocked(run, due(run, config.time, now_ms, config.warn_share))
        for run in case.runs
        if run.open and not run.standing
    ]
    return sorted(found, key=lambda each: each.due.at_ms)


def next_look_ms(case: Case, config: CaseConfig, now_ms: int) -> int:
    """When there is something to do by itself next; 0 if nothing is."""
    moments = [
        (each.due.at_ms + 1) if each.run.warned else each.due.warn_ms
        for each in clocked(case, config, now_ms)
        if not each.run.told
    ]
    if case.suspension is not None:
        moments.append(case.suspension.until_ms)
    return min(moments, default=0)


def due_steps(case: Case, facts: Facts, config: CaseConfig) -> Iterator[tuple[Case, Entry]]:
    """The case after each step that is due now, with its entry."""
    if case.suspension is not None and facts.now_ms >= case.suspension.until_ms:
        case, entry = decide(
            case, Command(verb="resume", actor=SYSTEM, why="挂账到期 the date has come"), facts
        )
        yield case, entry
    for each in clocked(case, config, facts.now_ms):
        for case, entry in _of_clock(case, each, facts):  # noqa: B020 - each step goes on from the one before
            yield case, entry


def _of_clock(case: Case, clock: Clocked, facts: Facts) -> Iterator[tuple[Case, Entry]]:
    run, at_ms = clock.run, clock.due.at_ms
    over = facts.now_ms > at_ms
    if not over and not run.warned and facts.now_ms >= clock.due.warn_ms:
        yield _noted(case, run, "warn", clock, facts, warned=True)
    if not over or run.told:
        return
    case, entry = _noted(case, run, "overdue", clock, facts, warned=True, told=True)
    yield case, entry
    verb = facts.workflow.clocks[run.clock].overdue if run.clock in facts.workflow.clocks else ""
    if not verb:
        return
    label = facts.workflow.clocks[run.clock].label
    try:
        yield decide(case, Command(verb=verb, actor=SYSTEM, why=f"{label}超时 overdue"), facts)
    except MoveRefused:
        return  # the case has gone on, or nobody further can be called: that it is over has been told


def _noted(
    case: Case, run: Run, verb: str, clock: Clocked, facts: Facts, **flags: bool
) -> tuple[Case, Entry]:
    runs = tuple(replace(each, **flags) if each is run else each for each in case.runs)
    given = {"clock": run.clock, "due": local(clock.due.at_ms).isoformat(), "limit": str(run.limit)}
    return noted(replace(case, runs=runs), verb, given, facts.now_ms)


def noted(case: Case, verb: str, given: dict[str, str], now_ms: int) -> tuple[Case, Entry]:
    """The case one version further, and an entry of the system that says why."""
    changed = replace(case, version=case.version + 1)
    entry = Entry(
        case_id=case.id,
        version=changed.version,
        verb=verb,
        from_state=case.state,
        to_state=case.state,
        by=SYSTEM.name,
        role="system",
        at_ms=now_ms,
        given=given,
    )
    return changed, entry
