"""How cases begin at the desk: from an alert in one action, or from what somebody reports."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Response
from msgspec.structs import replace

from operations.cases.codes import Source
from operations.cases.model import Evidence
from operations.cases.opening import Report
from operations.cases.people import actor_of, sources_of
from operations.desk.case_answers import CaseOpened
from operations.desk.case_messages import CaseFromAlertIn, CaseIn
from operations.desk.cases import evidence_of, whole
from operations.desk.documents import answers, unfit, written
from operations.desk.policies import Who, guarded
from operations.desk.seen import alert_of
from operations.desk.state import Desk, desk_of
from operations.people.audit import Said
from operations.people.sign_in import SignedIn
from operations.store.casebook import Opened
from schemas.errors import Refused, received_allowed

__all__ = ["router"]

router = APIRouter(tags=["cases"])
_Desk = Annotated[Desk, Depends(desk_of)]
_AlertId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]


@router.post("/alerts/{alert_id}/case", **guarded("cases.report"), **answers(CaseOpened))
def open_case_for_alert(alert_id: _AlertId, asked: CaseFromAlertIn, who: Who, desk: _Desk) -> Response:
    """The alert's case, in one action; it keeps the alert and its explanation. Again: the same case."""
    alert, now_ms = alert_of(desk.store, alert_id, who.person), desk.clock()
    actor = actor_of(who.person, who.terminal)
    try:
        opened = desk.cases.open_for_alert(
            alert.id, actor, now_ms, asked.workflow, _said(who, now_ms, alert.id)
        )
    except Refused as error:
        raise HTTPException(409, str(error)) from error
    return _told(desk, opened, who)


@router.post("/cases", **guarded("cases.report"), **answers(CaseOpened))
def report_case(asked: CaseIn, who: Who, desk: _Desk) -> Response:
    """Report something, anywhere in the district; what is about an open case joins it.

    422 where it is in no place of the district, 409 where one may not begin such a workflow.
    """
    now_ms, report = desk.clock(), _report(asked, who, desk)
    try:
        opened = desk.cases.open(
            report, actor_of(who.person, who.terminal), now_ms, _said(who, now_ms, report.title)
        )
    except Refused as error:
        raise HTTPException(409, str(error)) from error
    return _told(desk, opened, who)


def _report(asked: CaseIn, who: SignedIn, desk: Desk) -> Report:
    return Report(
        key=f"{who.person.id}/{asked.id or uuid.uuid4().hex}",
        source=_source(asked, who),
        category=asked.category,
        place=_place(asked, desk),
        title=asked.title,
        description=asked.description,
        workflow=asked.workflow,
        reporter=asked.reporter or who.person.name,
        longitude=asked.longitude,
        latitude=asked.latitude,
        evidence=_evidence(asked, who, desk.clock()),
    )


def _source(asked: CaseIn, who: SignedIn) -> Source:
    allowed = sources_of(who.person)
    if asked.source is not None and asked.source not in allowed:
        raise unfit("source", received_allowed("来源 source", asked.source, allowed))
    if asked.reporter and (asked.source or allowed[0]) != "resident":
        raise unfit("reporter", "上报人 reporter: received one, allowed where the source is resident")
    return asked.source or allowed[0]


def _place(asked: CaseIn, desk: Desk) -> str:
    """The grid that holds the point, else the place of the code."""
    if asked.longitude is None or asked.latitude is None:
        if desk.city.places.place(asked.place) is None:
            raise unfit("place", f"地点 place: received {asked.place!r}, allowed: a code of this district")
        return asked.place
    grid = desk.city.places.locate(asked.longitude, asked.latitude)
    if grid is None or not grid.startswith(asked.place):
        point = f"{asked.longitude:.6f},{asked.latitude:.6f}"
        where = f"grid of {asked.place or desk.district}"
        raise unfit("longitude", f"坐标 point: received {point}, allowed: a point in a {where} (WGS-84)")
    return grid


def _evidence(asked: CaseIn, who: SignedIn, now_ms: int) -> tuple[Evidence, ...]:
    return tuple(replace(each, by=who.person.name, at_ms=now_ms) for each in evidence_of(asked.evidence))


def _said(who: SignedIn, at_ms: int, detail: str) -> Said:
    return Said(at_ms=at_ms, who=who.person.id, terminal=who.terminal, what="cases.open", detail=detail)


def _told(desk: Desk, opened: Opened, who: SignedIn) -> Response:
    desk.feed.wake()
    return written(CaseOpened(opened.how, whole(desk, opened.case.id, who)))
