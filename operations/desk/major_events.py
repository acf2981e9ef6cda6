"""Major-event mode (战时): set up, switched on and off, reported to, and its board."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path
from pydantic import BaseModel, Field

from operations.alerts.actions import counted_ms
from operations.alerts.view import View
from operations.cases.model import Case
from operations.desk.documents import unfit
from operations.desk.messages import In, Moment, OwnId, Why
from operations.desk.policies import Who, guarded, require
from operations.desk.seen import seen
from operations.desk.state import Desk, desk_of
from operations.major_event.board import Board, Summary, board, summary
from operations.major_event.load import load_major_event
from operations.major_event.model import MajorEvent, Report, ReportKind, Switched, within
from operations.major_event.priorities import raised
from operations.people.audit import Said
from operations.people.sign_in import SignedIn
from operations.store.cases import CaseLine, CaseSelection
from schemas.errors import Refused, SettingsError

__all__ = ["router"]

router = APIRouter(tags=["major events"])
_Desk = Annotated[Desk, Depends(desk_of)]
_EventId = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_CASES_MAX: Final = 5_000
_REPORTS_MAX: Final = 100


class SetupIn(In):
    """The event as TOML (docs/major-events.md)."""

    text: Annotated[str, Field(min_length=1, max_length=200_000)]


class SwitchIn(In):
    """Why it is switched."""

    why: Why = ""


class ReportIn(In):
    """A report. `zero`: nothing happened. `due_ms` 0: for the one that is due.

    `said_ms`: when it was said on a phone that had no connection. `id`: one's own identity of it.
    """

    unit: Annotated[str, Field(max_length=40)]
    kind: ReportKind
    text: Annotated[str, Field(max_length=4000)] = ""
    incidents: Annotated[int, Field(ge=0, le=100_000)] = 0
    due_ms: Moment = 0
    said_ms: Moment = 0
    id: OwnId = ""


class MajorEventOut(BaseModel):
    """An event in a list. Times of 0: not yet."""

    id: str
    name: str
    places: tuple[str, ...]
    from_ms: int
    until_ms: int
    added_by: str
    on_ms: int
    on_by: str
    off_ms: int
    off_by: str
    why: str
    in_effect: bool


class MajorEventWhole(MajorEventOut):
    """An event with what was set up, its board, and the newest reports, the latest first."""

    setup: MajorEvent
    board: Board
    reports: list[Report]


@router.get("/major-events", **guarded("cases.read"))
def list_events(desk: _Desk) -> list[MajorEventOut]:
    """All events, the latest to begin first."""
    return [MajorEventOut(**_facts(each, desk.clock())) for each in desk.store.events()]


@router.post("/major-events", **guarded("major.command"))
def add_event(asked: SetupIn, who: Who, desk: _Desk) -> MajorEventOut:
    """Set an event up, or anew until it is switched on. 422 with each problem by line and field."""
    try:
        event = load_major_event(asked.text, "event.toml")
    except SettingsError as error:
        raise unfit("text", str(error)) from error
    _require(who, event)
    said = _said(who, "add", event.id, event.name, desk.clock())
    try:
        return MajorEventOut(**_facts(desk.store.add_event(event, said), desk.clock()))
    except Refused as error:
        raise HTTPException(409, str(error)) from error


@router.get("/major-events/{event_id}", **guarded("cases.read"))
def show_event(event_id: _EventId, desk: _Desk) -> MajorEventWhole:
    """An event with its board as of now."""
    return _whole(desk, _known(desk, event_id))


@router.post("/major-events/{event_id}/on", **guarded("major.command"))
def switch_on(event_id: _EventId, asked: SwitchIn, who: Who, desk: _Desk) -> MajorEventWhole:
    """Switch it on: it counts within its period. 409 with the words of why not."""
    known, now_ms = _known(desk, event_id), desk.clock()
    _require(who, known.event)
    try:
        said = _said(who, "on", event_id, asked.why, now_ms)
        switched = desk.store.switch_on(event_id, who.person.name, asked.why, said)
    except Refused as error:
        raise HTTPException(409, str(error)) from error
    desk.feed.wake()
    return _whole(desk, switched)


@router.post("/major-events/{event_id}/off", **guarded("major.command"))
def switch_off(event_id: _EventId, asked: SwitchIn, who: Who, desk: _Desk) -> Summary:
    """Switch it off; answered is the summary. 409 with the words of why not."""
    known, now_ms = _known(desk, event_id), desk.clock()
    _require(who, known.event)
    try:
        said = _said(who, "off", event_id, asked.why, now_ms)
        switched = desk.store.switch_off(event_id, who.person.name, said)
    except Refused as error:
        raise HTTPException(409, str(error)) from error
    desk.feed.wake()
    return _summary(desk, switched)


@router.get("/major-events/{event_id}/summary", **guarded("cases.read"))
def show_summary(event_id: _EventId, desk: _Desk) -> Summary:
    """Reports due, given, late, missing; alerts and cases of area and period; who served. Until now."""
    return _summary(desk, _known(desk, event_id))


@router.post("/major-events/{event_id}/reports", **guarded("major.report"))
def report(event_id: _EventId, asked: ReportIn, who: Who, desk: _Desk) -> Report:
    """Report for a unit; 409 where one is none of it."""
    known, now_ms, person = _known(desk, event_id), desk.clock(), who.person
    given = Report(
        id=asked.id or uuid.uuid4().hex,
        event=known.event.id,
        unit=asked.unit,
        due_ms=asked.due_ms,
        at_ms=counted_ms(asked.said_ms or now_ms, 0, now_ms),
        by=person.id,
        by_name=person.name,
        kind=asked.kind,
        text=asked.text,
        incidents=asked.incidents,
    )
    said = _said(who, "report", event_id, f"{asked.unit} {asked.kind}: {asked.text}", now_ms)
    command = "major.command" in person.permissions
    try:
        return desk.store.report(given, person, said, command=command)
    except Refused as error:
        raise HTTPException(409, str(error)) from error


def _known(desk: Desk, event_id: str) -> Switched:
    try:
        return desk.store.event(event_id)
    except SettingsError as error:
        raise HTTPException(404, str(error)) from error


def _require(who: SignedIn, event: MajorEvent) -> None:
    for place in event.places:
        require(who, "major.command", place)


def _facts(switched: Switched, now_ms: int) -> dict[str, Any]:
    own = ("added_by", "on_ms", "on_by", "off_ms", "off_by", "why")
    facts: dict[str, Any] = {
        name: getattr(switched.event, name) for name in ("id", "name", "places", "from_ms", "until_ms")
    }
    facts |= {name: getattr(switched, name) for name in own}
    return facts | {"in_effect": switched.in_effect(now_ms)}


def _whole(desk: Desk, switched: Switched) -> MajorEventWhole:
    now_ms, reports = desk.clock(), desk.store.reports(switched.event.id)
    made = board(switched, reports, _views(desk, switched, now_ms), _open_cases(desk, switched), now_ms)
    newest = reports[: -_REPORTS_MAX - 1 : -1]
    return MajorEventWhole(**_facts(switched, now_ms), setup=switched.event, board=made, reports=newest)


def _summary(desk: Desk, switched: Switched) -> Summary:
    now_ms, start_ms = desk.clock(), switched.start_ms
    views = _views(desk, switched, start_ms if switched.on_ms else now_ms)
    cases: list[Case] = list(desk.cases.cases_between(start_ms, max(start_ms, min(switched.end_ms, now_ms))))
    return summary(switched, desk.store.reports(switched.event.id), views, cases, now_ms)


def _views(desk: Desk, switched: Switched, since_ms: int) -> Sequence[View]:
    """Alerts of the area that are open or changed since then, with the severity they had in the event."""
    area = [a for a in desk.store.alerts(since_ms) if within(a.place, switched.event.places)]
    counted = [raised(a, (switched,), max(a.onset_ms, switched.start_ms)) for a in area]
    return seen(desk.store, counted, desk.clock())


def _open_cases(desk: Desk, switched: Switched) -> list[CaseLine]:
    places = switched.event.places
    return [line for place in places for line in desk.cases.lines(CaseSelection(place=place), _CASES_MAX)]


def _said(who: SignedIn, what: str, of: str, detail: str, at_ms: int) -> Said:
    return Said(
        at_ms=at_ms, who=who.person.id, terminal=who.terminal, what=f"major.{what}", of=of, detail=detail
    )
