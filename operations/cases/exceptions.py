"""Exceptions from the limits: extension 延期, suspension 挂账, appeal 申诉. Pure.

Each takes a case, and gives it changed or raises MoveRefused with the words.
"""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from operations.cases.codes import Role
from operations.cases.conditions import Facts
from operations.cases.model import Appeal, Case, Command, ExtensionRequest, Suspension
from operations.cases.refusals import MoveRefused
from operations.cases.runs import EXTENSIONS_MOST, Run, is_overdue

__all__ = ["HANDLING", "appeal", "ask_extension", "grant_appeal", "grant_extension", "pass_extension",
           "refuse_appeal", "refuse_extension", "resume", "suspend", "was_overdue"]  # fmt: skip

HANDLING: Final = "handling"
"""The clock that extensions and appeals are about."""
_REVIEWERS: Final[tuple[Role, ...]] = ("dispatcher", "receiver")


def ask_extension(case: Case, command: Command, role: Role, facts: Facts) -> Case:
    """A person's request goes to the department first, a department's own straight to the dispatcher."""
    run = _handling(case)
    if case.suspension is not None:
        raise MoveRefused("挂账中不能申请延期 suspended: no extension meanwhile")
    if case.extension is not None:
        raise MoveRefused(f"已有延期申请 a request of {case.extension.by} is open")
    if is_overdue(run, facts.time, facts.now_ms):
        raise MoveRefused("已超时，不能申请延期 overdue: no extension any more")
    if run.extended >= EXTENSIONS_MOST:
        times = f"已延期 {run.extended} 次 extended {run.extended} times"
        raise MoveRefused(f"{times}, allowed: {EXTENSIONS_MOST}")
    asked = ExtensionRequest(by=command.actor.name, at_ms=facts.now_ms, passed=role == "department")
    return replace(case, extension=asked)


def pass_extension(case: Case, _command: Command, _role: Role, _facts: Facts) -> Case:
    """The department agrees: the dispatcher decides."""
    request = _request(case)
    if request.passed:
        raise MoveRefused("部门已同意 passed on already: the dispatcher decides")
    return replace(case, extension=replace(request, passed=True))


def grant_extension(case: Case, _command: Command, _role: Role, facts: Facts) -> Case:
    """One original limit more, on the current deadline; also when that has passed since the request."""
    if not _request(case).passed:
        raise MoveRefused("部门尚未同意 the department has not passed it on yet")
    run = _handling(case).extend(facts.now_ms)
    runs = tuple(run if each is case.run(HANDLING) else each for each in case.runs)
    return replace(case, runs=runs, extension=None)


def refuse_extension(case: Case, _command: Command, role: Role, _facts: Facts) -> Case:
    """Refused, by whose turn it is; that uses no extension up."""
    turn: Role = "dispatcher" if _request(case).passed else "department"
    if role != turn:
        raise MoveRefused(f"延期申请 the request: received a refusal of {role}, allowed now: {turn}")
    return replace(case, extension=None)


def suspend(case: Case, command: Command, _role: Role, facts: Facts) -> Case:
    """Parked until the chosen date; an open request for an extension lapses."""
    parked = Suspension(from_ms=facts.now_ms, until_ms=command.until_ms, before=case.state)
    return replace(case, suspension=parked, extension=None)


def resume(case: Case, _command: Command, _role: Role, _facts: Facts) -> Case:
    """No longer parked."""
    return replace(case, suspension=None)


def was_overdue(case: Case, facts: Facts) -> bool:
    """Whether handling or the whole took longer than allowed: the fact that no appeal takes away."""
    return any(
        is_overdue(run, facts.time, facts.now_ms) for run in case.runs if run.clock in {HANDLING, "total"}
    )


def appeal(case: Case, command: Command, _role: Role, facts: Facts) -> Case:
    """Once, and only against overdue."""
    if case.appeal is not None:
        raise MoveRefused(f"已申诉过 appealed once before, by {case.appeal.by}: a case is appealed once")
    if not was_overdue(case, facts):
        raise MoveRefused("未超时 it was in time: only an overdue case is appealed")
    return replace(case, appeal=Appeal(by=command.actor.name, at_ms=facts.now_ms))


def grant_appeal(case: Case, command: Command, role: Role, _facts: Facts) -> Case:
    """First the dispatcher, then the receiver; both agree and it is granted."""
    asked = _review(case, role)
    reviews = (*asked.reviews, command.actor.name)
    outcome = "granted" if len(reviews) == len(_REVIEWERS) else "open"
    return replace(case, appeal=replace(asked, reviews=reviews, outcome=outcome))


def refuse_appeal(case: Case, command: Command, role: Role, _facts: Facts) -> Case:
    """Any refusal is final."""
    asked = _review(case, role)
    return replace(
        case, appeal=replace(asked, reviews=(*asked.reviews, command.actor.name), outcome="refused")
    )


def _review(case: Case, role: Role) -> Appeal:
    if case.appeal is None:
        raise MoveRefused("没有申诉 nobody appealed")
    if case.appeal.outcome != "open":
        raise MoveRefused(f"申诉已定 the appeal was {case.appeal.outcome}: that is final")
    turn = _REVIEWERS[len(case.appeal.reviews)]
    if role != turn:
        raise MoveRefused(f"申诉审核 review: received one of {role}, allowed now: {turn}")
    return case.appeal


def _handling(case: Case) -> Run:
    run = case.run(HANDLING)
    if run is None or not run.open:
        raise MoveRefused("处置时限未在计时 the handling clock does not run")
    return run


def _request(case: Case) -> ExtensionRequest:
    if case.extension is None:
        raise MoveRefused("没有延期申请 nobody asked for an extension")
    return case.extension
