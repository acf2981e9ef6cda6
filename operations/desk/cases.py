"""Cases at the desk: the list, one whole, and what people do with them.

What one may do is the workflow's word (`operations/cases/workflows/`): roles, whose turn it is, what a verb
needs. A refusal is 409 with the reason and what is allowed. A case that one does not see is not there (404).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Query, Response

from operations.cases.codes import Stage, StateCode
from operations.cases.model import Case, Command, Evidence
from operations.cases.people import actor_of, sees
from operations.desk.case_answers import CasePage, CaseWhole, page_of
from operations.desk.case_messages import EvidenceIn, MoveIn
from operations.desk.documents import answers, written
from operations.desk.policies import Who, guarded
from operations.desk.state import Desk, desk_of
from operations.people.audit import Said
from operations.people.sign_in import SignedIn
from operations.store.cases import CaseSelection
from schemas.errors import Refused, SettingsError

__all__ = ["evidence_of", "router", "whole"]

router = APIRouter(tags=["cases"])
_Desk = Annotated[Desk, Depends(desk_of)]
_CaseId = Annotated[str, Path(pattern=r"^[0-9]{8}-[0-9]{6,12}$")]
_Verb = Annotated[str, Path(pattern=r"^[a-z_]{1,40}$", description="one of the case's workflow")]


def selection(  # noqa: PLR0913 - the filters of a list
    who: Who,
    desk: _Desk,
    *,
    state: Annotated[list[StateCode], Query(description="may be repeated")] = [],  # noqa: B006 - of a query
    stage: Annotated[Stage | None, Query()] = None,
    over: Annotated[bool, Query(description="those that are over too")] = False,
    overdue: Annotated[bool, Query(description="only those with a clock that is over")] = False,
    mine: Annotated[bool, Query(description="that name one, or are with one's department")] = False,
    place: Annotated[str, Query(description="a place and all within it", max_length=20)] = "",
    department: Annotated[str, Query(max_length=100)] = "",
    category: Annotated[str, Query(max_length=60)] = "",
    workflow: Annotated[str, Query(max_length=40)] = "",
    text: Annotated[str, Query(max_length=100, description="in the title, or how the id begins")] = "",
) -> CaseSelection:
    """What a list is asked for: of what is there for the person, what all filters hold for."""
    return CaseSelection(
        open=None if over else True,
        states=tuple(state),
        stage=stage or "",
        due_before_ms=desk.clock() if overdue else 0,
        place=place,
        department=department,
        category=category,
        workflow=workflow,
        text=text,
        seen_by=who.person,
        held_by=who.person if mine else None,
    )


@router.get("/cases", **guarded("cases.read"), **answers(CasePage))
def list_cases(
    wanted: Annotated[CaseSelection, Depends(selection)],
    desk: _Desk,
    after: Annotated[
        str, Query(description="`next` of the page before", pattern=r"^([0-9]{1,16}\.[0-9-]{1,32})?$")
    ] = "",
    limit: Annotated[int, Query(ge=1, le=10_000)] = 100,
) -> Response:
    """A page of the cases of one's places, and of those one may claim: what is due first comes first."""
    now_ms = desk.clock()
    due_ms, _, last = after.partition(".")
    lines = desk.cases.lines(wanted, limit + 1, after=(int(due_ms), last) if after else None)
    return written(page_of(lines, limit, desk.cases.tally(wanted, now_ms), desk.cases.config, now_ms))


@router.get("/cases/{case_id}", **guarded("cases.read"), **answers(CaseWhole))
def show_case(case_id: _CaseId, who: Who, desk: _Desk) -> Response:
    """One case whole: clocks, alerts, flow log, and what one may do now, and what hinders the rest."""
    _seen(desk, case_id, who)
    return written(whole(desk, case_id, who))


@router.post("/cases/{case_id}/claim", **guarded("cases.claim"), **answers(CaseWhole))
def claim_case(case_id: _CaseId, asked: MoveIn, who: Who, desk: _Desk) -> Response:
    """Take up a call (党员领单): of many at once one gets it, the others are told by whom (409)."""
    return _done(desk, case_id, "claim", asked, who)


@router.post("/cases/{case_id}/{verb}", **guarded("cases.read"), **answers(CaseWhole))
def act_on_case(case_id: _CaseId, verb: _Verb, asked: MoveIn, who: Who, desk: _Desk) -> Response:
    """Do what the workflow lets one do; 409 with the reason and what is allowed instead."""
    return _done(desk, case_id, verb, asked, who)


def whole(desk: Desk, case_id: str, who: SignedIn) -> CaseWhole:
    """The case as the person sees it."""
    view = desk.cases.view(case_id, actor_of(who.person, who.terminal), desk.clock())
    facts = {name: getattr(view, name) for name in view.__struct_fields__}
    return CaseWhole(**facts, flow=desk.cases.flow(case_id))


def evidence_of(asked: list[EvidenceIn]) -> tuple[Evidence, ...]:
    """What was shown, as a case keeps it."""
    return tuple(Evidence(what=each.what, reference=each.reference) for each in asked)


def _seen(desk: Desk, case_id: str, who: SignedIn) -> Case:
    """404 also where the person does not see it: what one may not see is not there."""
    try:
        case = desk.cases.case(case_id)
    except SettingsError as error:
        raise HTTPException(404, str(error)) from error
    if not sees(who.person, case):
        raise HTTPException(404, f"case: received {case_id!r}, which the desk does not know")
    return case


def _done(desk: Desk, case_id: str, verb: str, asked: MoveIn, who: SignedIn) -> Response:
    _seen(desk, case_id, who)
    now_ms = desk.clock()
    said = Said(
        at_ms=now_ms,
        who=who.person.id,
        terminal=who.terminal,
        what=f"cases.{verb}",
        of=case_id,
        detail=asked.why,
    )
    try:
        desk.cases.do(case_id, _command(verb, asked, who), now_ms, asked.version, said)
    except Refused as error:
        raise HTTPException(409, str(error)) from error
    desk.feed.wake()
    return written(whole(desk, case_id, who))


def _command(verb: str, asked: MoveIn, who: SignedIn) -> Command:
    given = asked.model_dump(exclude={"id", "version", "criteria", "evidence"})
    return Command(
        verb=verb,
        actor=actor_of(who.person, who.terminal),
        key=f"{who.person.id}/{asked.id}" if asked.id else "",
        criteria=tuple(asked.criteria),
        evidence=evidence_of(asked.evidence),
        **given,
    )
