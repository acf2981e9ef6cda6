"""A case as it is shown: labels with their meaning, clocks, alerts, and what may be done now. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from operations.cases.codes import STAGE_NAMES, STATES, Role, Stage
from operations.cases.conditions import Facts
from operations.cases.config import CaseConfig
from operations.cases.decide import allowed_moves, hindrance
from operations.cases.model import Actor, Case
from operations.cases.runs import accumulated_ms, due, is_overdue, used_ms
from schemas.alerts import Alert
from schemas.calendar import local

__all__ = ["AlertState", "CaseView", "ClockView", "MoveView", "case_view", "stage_of"]


_STAGE_OF_RETURN: Final[dict[Role, Stage]] = {"receiver": "file", "dispatcher": "dispatch"}
"""Of a case that was sent back, by whom it was sent back to."""


class ClockView(msgspec.Struct, frozen=True):
    """One run of a clock. `left_ms`: of its own time, negative when over; `used_ms` of this run alone."""

    clock: str
    label: str
    limit: str
    started_at: str
    stopped_at: str
    due_at: str
    due_ms: int
    provisional: bool
    standing: bool
    overdue: bool
    extended: int
    used_ms: int
    accumulated_ms: int
    left_ms: int


class AlertState(msgspec.Struct, frozen=True):
    """A linked alert: active, or cleared since when; that closes nothing."""

    id: str
    title: str
    active: bool
    cleared_ms: int


class MoveView(msgspec.Struct, frozen=True):
    """Something the actor may do, what it is called and needs. `hindrance`: why not at this moment."""

    verb: str
    label: str
    label_en: str
    kind: str
    needs: tuple[str, ...]
    hindrance: str = ""


class CaseView(msgspec.Struct, frozen=True):
    """The case whole. `meaning` is what the state means everywhere, whatever the city calls it."""

    case: Case
    label: str
    meaning: str
    stage: str
    stage_label: str
    workflow_title: str
    category_name: str
    overdue: bool
    clocks: tuple[ClockView, ...]
    alerts: tuple[AlertState, ...]
    allowed: tuple[MoveView, ...]


def case_view(
    case: Case, config: CaseConfig, alerts: Iterable[Alert], actor: Actor | None, now_ms: int
) -> CaseView:
    """Everything a person needs to see of it, and what the actor may do."""
    workflow = config.workflows[case.workflow]
    stage = stage_of(case)
    known = tuple(alerts)
    clocks = tuple(_clock(case, at, config, now_ms) for at in range(len(case.runs)))
    category = config.categories.get(case.category)
    return CaseView(
        case=case,
        label=config.label(case.state, case.workflow),
        meaning=config.tooltip(case.state),
        stage=stage,
        stage_label=STAGE_NAMES[stage],
        workflow_title=workflow.title,
        category_name=category.name if category else case.category,
        overdue=any(clock.overdue for clock in clocks),
        clocks=clocks,
        alerts=tuple(AlertState(a.id, a.title, a.active, a.cleared_ms) for a in known),
        allowed=tuple(_moves(case, Facts(workflow, now_ms, config.time, alerts=known), actor))
        if actor
        else (),
    )


def stage_of(case: Case) -> Stage:
    """The stage its state is of; of one that was sent back, that of whom it was sent back to."""
    return STATES[case.state].stage or _STAGE_OF_RETURN.get(case.returned_to or "system", "report")


def _moves(case: Case, facts: Facts, actor: Actor) -> Iterator[MoveView]:
    for move, role in allowed_moves(case, actor, facts.workflow):
        words = hindrance(case, move, role, actor, facts)
        yield MoveView(move.verb, move.label, move.label_en, move.kind, move.needs, words)


def _clock(case: Case, at: int, config: CaseConfig, now_ms: int) -> ClockView:
    run, time = case.runs[at], config.time
    clock = config.workflows[case.workflow].clocks.get(run.clock)
    end = due(run, time, now_ms, config.warn_share)
    passed_ms = run.stopped_ms or now_ms
    return ClockView(
        clock=run.clock,
        label=clock.label if clock else run.clock,
        limit=str(run.limit),
        started_at=_moment(run.started_ms),
        stopped_at=_moment(run.stopped_ms),
        due_at=_moment(end.at_ms),
        due_ms=end.at_ms,
        provisional=end.provisional,
        standing=run.standing,
        overdue=is_overdue(run, time, now_ms),
        extended=run.extended,
        used_ms=used_ms(run, time, now_ms),
        accumulated_ms=accumulated_ms(case.runs[: at + 1], run.clock, time, now_ms),
        left_ms=time.elapsed(passed_ms, end.at_ms, run.limit.unit)
        - time.elapsed(end.at_ms, passed_ms, run.limit.unit),
    )


def _moment(at_ms: int) -> str:
    return local(at_ms).isoformat() if at_ms else ""
