"""One command on one case: the case changed and the line of the flow log, or a refusal with the reason. Pure.

The store writes both in one transaction; nothing else changes a case.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from operations.cases.codes import ROLE_NAMES, STATES, Role, StateCode
from operations.cases.conditions import CONDITIONS, OF_CASE, Facts
from operations.cases.effects import APPLY
from operations.cases.exceptions import HANDLING
from operations.cases.model import Actor, Case, Command, Entry, Evidence
from operations.cases.refusals import MoveRefused
from operations.cases.runs import Run
from operations.cases.workflow import BEFORE, Clock, Move, Workflow
from schemas.calendar import local

__all__ = ["SYSTEM", "allowed_moves", "begin_run", "decide", "hindrance"]

SYSTEM: Final = Actor(name="system", roles=("system",))
"""Who acts when a date has come or a limit is over."""


def decide(case: Case, command: Command, facts: Facts) -> tuple[Case, Entry]:
    """The case as it is then, and the entry that says so; MoveRefused says why not, and what is allowed."""
    move, role = _permitted(case, command, facts.workflow)
    for need in move.needs:
        if words := CONDITIONS[need](case, command, facts):
            verbs = _verbs(case, command.actor, facts.workflow)
            raise MoveRefused(f"{move.label} {move.verb}: {words}", verbs)
    changed = _with_evidence(case, command, facts.now_ms)
    for effect in move.effects:
        changed = APPLY[effect](changed, command, role, facts)
    changed = _with_clocks(changed, move, facts)
    state = _target(case, move)
    happened = dict(case.happened)
    for name in move.counts:
        happened[name] = (*happened.get(name, ()), facts.now_ms)
    changed = replace(
        changed,
        state=state,
        returned_to=_returned_to(case, move),
        happened=happened,
        version=case.version + 1,
    )
    return _ended(changed, facts.now_ms), _entry(case, changed, command, role, facts.now_ms)


def allowed_moves(case: Case, actor: Actor, workflow: Workflow) -> list[tuple[Move, Role]]:
    """What the actor may say now, with the role they say it in; needs are not looked at."""
    found = ((move, _role(case, move, actor.roles, actor)) for move in workflow.from_(case.state))
    return [(move, role) for move, role in found if role is not None]


def hindrance(case: Case, move: Move, role: Role, actor: Actor, facts: Facts) -> str:
    """Why a move the actor may say would be refused now, whatever is given with it; "" if it would not."""
    command = Command(verb=move.verb, actor=actor)
    for need in move.needs:
        if need in OF_CASE and (words := CONDITIONS[need](case, command, facts)):
            return words
    try:
        for effect in move.effects:
            APPLY[effect](case, command, role, facts)
    except MoveRefused as refusal:
        return str(refusal)
    return ""


def begin_run(clock: Clock, case: Case, now_ms: int) -> Run | None:
    """A run of the clock from now; None where neither the standard nor the workflow has a limit."""
    limit = clock.limit
    if clock.of_standard and case.standard is not None:
        of_standard = case.standard.total if clock.name == "total" else case.standard.limit
        limit = of_standard or limit
    return Run(clock=clock.name, limit=limit, started_ms=now_ms) if limit is not None else None


def _verbs(case: Case, actor: Actor, workflow: Workflow) -> tuple[str, ...]:
    return tuple(move.verb for move, _ in allowed_moves(case, actor, workflow))


def _permitted(case: Case, command: Command, workflow: Workflow) -> tuple[Move, Role]:
    """The move and the role, by state, role and whose turn it is."""
    actor, move = command.actor, workflow.moves.get(command.verb)
    verbs = _verbs(case, actor, workflow)
    here = f"{workflow.label(case.state)} {case.state}"
    may = f"allowed for {_named(actor.roles)}: {', '.join(verbs) or 'nothing now'}"
    if move is None:
        raise MoveRefused(f"动作 verb: received {command.verb!r} in {here}, {may}", verbs)
    roles = (command.role,) if command.role else actor.roles
    if command.role and command.role not in actor.roles:
        raise MoveRefused(f"角色 role: received {command.role!r}, allowed: {', '.join(actor.roles)}", verbs)
    if case.state not in move.from_:
        words = f"{_taken(case, move)}received in {here}, possible in {', '.join(move.from_)}; {may}"
        raise MoveRefused(f"{move.label} {move.verb}: {words}", verbs)
    if not set(roles) & set(move.roles):
        raise MoveRefused(
            f"{move.label} {move.verb}: received from {_named(roles)}, allowed: {_named(move.roles)}", verbs
        )
    role = _role(case, move, roles, actor)
    if role is None:
        raise MoveRefused(f"{move.label} {move.verb}: {_whose(case, move, roles)}; {may}", verbs)
    return move, role


def _taken(case: Case, move: Move) -> str:
    """By whom, where somebody else was first and the case has gone on."""
    claims = "unclaimed" in move.needs and case.person
    return f"已被领取 already claimed by {case.person}; " if claims else ""


def _role(case: Case, move: Move, roles: Iterable[Role], actor: Actor) -> Role | None:
    """The first of the roles in which the actor may say it."""
    return next(
        (r for r in roles if r in move.roles and _may(case, move, r) and _holds(case, move, r, actor)), None
    )


def _may(case: Case, move: Move, role: Role) -> bool:
    """A case that was sent back is that role's to correct; side acts are open to others."""
    return case.state != "returned" or move.kind == "side" or role == case.returned_to


def _holds(case: Case, move: Move, role: Role, actor: Actor) -> bool:
    field = move.holders.get(role)
    if field is None:
        return True
    held_by = getattr(case, field)
    return held_by in {"", actor.department if field == "department" else actor.name}


def _whose(case: Case, move: Move, roles: Iterable[Role]) -> str:
    """Why it is not this actor's turn."""
    role = next(role for role in roles if role in move.roles)
    if not _may(case, move, role):
        return f"已退回 it was sent back to {_named((case.returned_to,) if case.returned_to else ())}"
    holder = getattr(case, move.holders[role])
    return f"由 {holder} 办理 it is {holder}'s"


def _named(roles: Iterable[Role]) -> str:
    return ", ".join(f"{ROLE_NAMES[role]} {role}" for role in roles) or "nobody"


def _target(case: Case, move: Move) -> StateCode:
    if move.to == BEFORE:
        return case.suspension.before if case.suspension else case.state
    return move.to or case.state  # type: ignore[return-value]  # the checker knows only states


def _returned_to(case: Case, move: Move) -> Role | None:
    return case.returned_to if not move.to else move.returned_to


def _with_evidence(case: Case, command: Command, now_ms: int) -> Case:
    stamped: tuple[Evidence, ...] = tuple(
        replace(each, by=command.actor.name, at_ms=now_ms) for each in command.evidence
    )
    return replace(case, evidence=(*case.evidence, *stamped)) if stamped else case


def _with_clocks(case: Case, move: Move, facts: Facts) -> Case:
    """Stopped, paused, resumed, begun, in this order; a request for an extension ends with its clock."""
    runs = list(case.runs)
    for names, act in ((move.stops, Run.stop), (move.pauses, Run.pause), (move.resumes, Run.go_on)):
        for name in names:
            at = _newest(runs, name)
            if at is not None:
                runs[at] = act(runs[at], facts.now_ms)
    for name in move.starts:
        begun, at = begin_run(facts.workflow.clocks[name], case, facts.now_ms), _newest(runs, name)
        if begun is None:
            continue
        if at is not None and runs[at].open:
            runs[at] = replace(runs[at], limit=begun.limit)
        else:
            runs.append(begun)
    changed = replace(case, runs=tuple(runs))
    handling = changed.run(HANDLING)
    return changed if handling is not None and handling.open else replace(changed, extension=None)


def _newest(runs: list[Run], clock: str) -> int | None:
    return next((at for at in reversed(range(len(runs))) if runs[at].clock == clock), None)


def _ended(case: Case, now_ms: int) -> Case:
    """A case that is done has no clock that runs."""
    if STATES[case.state].open or case.closed_ms:
        return case
    return replace(case, runs=tuple(run.stop(now_ms) for run in case.runs), closed_ms=now_ms)


def _entry(before: Case, after: Case, command: Command, role: Role, now_ms: int) -> Entry:
    return Entry(
        case_id=before.id,
        version=after.version,
        verb=command.verb,
        from_state=before.state,
        to_state=after.state,
        by=command.actor.name,
        role=role,
        at_ms=now_ms,
        why=command.why.strip(),
        terminal=command.actor.terminal,
        key=command.key,
        given=_given(command),
    )


def _given(command: Command) -> dict[str, str]:
    """What the verb was given, by name, in words."""
    facts = msgspec.structs.asdict(command)
    plain = {
        name: facts[name] for name in ("standard", "department", "person", "result", "outcome") if facts[name]
    }
    if command.criteria:
        plain["criteria"] = "; ".join(command.criteria)
    if command.evidence:
        plain["evidence"] = "; ".join(" ".join((e.what, e.reference)).strip() for e in command.evidence)
    if command.until_ms:
        plain["until"] = local(command.until_ms).isoformat()
    if command.satisfied is not None:
        plain["satisfied"] = "yes" if command.satisfied else "no"
    if command.longitude is not None and command.latitude is not None:
        plain["at"] = f"{command.longitude:.6f},{command.latitude:.6f}"
    return plain
