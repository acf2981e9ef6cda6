"""Shift hand-over (交接班): what is left, who offers it, who signs, whose the posts are."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, HTTPException, Path, Query
from pydantic import BaseModel, Field

from operations.alerts.choose import Selection
from operations.desk.messages import In, OwnId
from operations.desk.policies import Who, guarded
from operations.desk.seen import in_places, wanted
from operations.desk.state import Desk, desk_of
from operations.handover.model import Handover, OutgoingList
from operations.handover.outgoing import Known, list_hash, outgoing_list, places_of, since_ms
from operations.handover.rules import unsigned
from operations.people.audit import Said
from operations.people.sign_in import SignedIn
from operations.store.cases import CaseSelection
from schemas.errors import Refused, SettingsError

__all__ = ["router"]

router = APIRouter(tags=["handover"])
_Desk = Annotated[Desk, Depends(desk_of)]
_HandoverId = Annotated[str, Path(max_length=64, pattern=r"^[\x21-\x7e]+$")]
_CASES_MAX: Final = 500


class OfferIn(In):
    """What one hands over, in words; the list is made by the desk. `id`: one's own identity of it."""

    post: Annotated[str, Field(max_length=100)] = ""
    notes: Annotated[str, Field(max_length=4000)] = ""
    id: OwnId = ""


class HandoverOut(BaseModel):
    """A hand-over without its list. `unsigned`: it has waited for its signature for too long."""

    id: str
    post: str
    outgoing: str
    outgoing_name: str
    offered_ms: int
    notes: str
    list_hash: str
    incoming: str
    incoming_name: str
    signed_ms: int
    withdrawn_ms: int
    unsigned: bool


class HandoverWhole(HandoverOut):
    """A hand-over with its list."""

    listed: OutgoingList


class PostOut(BaseModel):
    """A post, who holds it since when ("": nobody has signed for it yet), and the offer that waits."""

    post: str
    person: str
    name: str
    since_ms: int
    offered: str


@router.get("/posts", **guarded("alerts.read"))
def list_posts(desk: _Desk) -> list[PostOut]:
    """Whose the next alert is, at each post."""
    duty, offers = desk.store.duty(), {each.post: each.id for each in desk.store.offers()}
    found = [(post, duty.holder(post, desk.clock())) for post in desk.handover.posts]
    return [
        PostOut(
            post=post,
            person=held.person if held else "",
            name=held.name if held else "",
            since_ms=held.from_ms if held else 0,
            offered=offers.get(post, ""),
        )
        for post, held in found
    ]


@router.get("/handovers", **guarded("alerts.read"))
def list_handovers(desk: _Desk, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> list[HandoverOut]:
    """The newest hand-overs, the latest first, without their lists."""
    return [HandoverOut(**_facts(desk, each)) for each in desk.store.handovers(limit)]


@router.get("/handover-list", **guarded("handover.sign"))
def current_list(who: Who, desk: _Desk, post: Annotated[str, Query(max_length=100)] = "") -> OutgoingList:
    """What one would hand over now, of one's places."""
    return _list(desk, who, post or desk.handover.posts[0])


@router.post("/handovers", **guarded("handover.sign"))
def offer(asked: OfferIn, who: Who, desk: _Desk) -> HandoverWhole:
    """Offer one's post with the list of this moment. 409 where it is not one's own, or offered already."""
    post, person = asked.post or desk.handover.posts[0], who.person
    listed = _list(desk, who, post)
    new = Handover(
        id=asked.id or uuid.uuid4().hex,
        post=post,
        outgoing=person.id,
        outgoing_name=person.name,
        offered_ms=listed.at_ms,
        notes=asked.notes,
        listed=listed,
        list_hash=list_hash(listed),
    )
    said = _said(who, "handover.offer", new.id, f"{post} list {new.list_hash}; {new.notes}", listed.at_ms)
    try:
        return _whole(desk, desk.store.offer(new, person, desk.handover, said))
    except Refused as error:
        raise HTTPException(409, str(error)) from error


@router.get("/handovers/{handover_id}", **guarded("alerts.read"))
def show_handover(handover_id: _HandoverId, who: Who, desk: _Desk) -> HandoverWhole:
    """A hand-over with its list. 404 where one does not answer for every place of it."""
    return _whole(desk, _known(desk, handover_id, who))


@router.post("/handovers/{handover_id}/sign", **guarded("handover.sign"))
def sign(handover_id: _HandoverId, who: Who, desk: _Desk) -> HandoverWhole:
    """Take the post over: the next alert is one's own. 409 with the words of why not."""
    known = _known(desk, handover_id, who)
    detail = f"{known.post} from {known.outgoing} list {known.list_hash}"
    said = _said(who, "handover.sign", known.id, detail, desk.clock())
    try:
        return _whole(desk, desk.store.sign(known.id, who.person, said))
    except Refused as error:
        raise HTTPException(409, str(error)) from error


@router.post("/handovers/{handover_id}/withdraw", **guarded("handover.sign"))
def withdraw(handover_id: _HandoverId, who: Who, desk: _Desk) -> HandoverWhole:
    """Take one's open offer back."""
    known = _known(desk, handover_id, who)
    said = _said(who, "handover.withdraw", known.id, known.post, desk.clock())
    try:
        return _whole(desk, desk.store.withdraw_offer(known.id, who.person, said))
    except Refused as error:
        raise HTTPException(409, str(error)) from error


def _list(desk: Desk, who: SignedIn, post: str) -> OutgoingList:
    now_ms = desk.clock()
    began_ms = since_ms(desk.store.duty().holder(post, now_ms), desk.shifts, now_ms)
    due_before_ms = now_ms + desk.handover.soon_overdue_s * 1000
    due = CaseSelection(due_before_ms=due_before_ms, seen_by=who.person)
    return outgoing_list(
        Known(
            since_ms=began_ms,
            now_ms=now_ms,
            views=wanted(desk.store, Selection(), who.person, now_ms),
            hidings=desk.store.hidings(now_ms),
            cases=desk.cases.lines(due, _CASES_MAX),
            floods=desk.store.floods(began_ms),
            told=desk.store.annunciated(began_ms),
        )
    )


def _known(desk: Desk, handover_id: str, who: SignedIn) -> Handover:
    """Whole, because a signature is of the whole list: what one may not see of it makes it absent."""
    try:
        found = desk.store.handover(handover_id)
    except SettingsError as error:
        raise HTTPException(404, str(error)) from error
    if not all(in_places(who.person, place) for place in places_of(found.listed)):
        raise HTTPException(404, f"交班 hand-over: received {handover_id!r}, of places that are not yours")
    return found


def _facts(desk: Desk, handover: Handover) -> dict[str, Any]:
    facts: dict[str, Any] = {
        name: getattr(handover, name) for name in HandoverOut.model_fields if name != "unsigned"
    }
    return facts | {"unsigned": unsigned(handover, desk.handover, desk.clock())}


def _whole(desk: Desk, handover: Handover) -> HandoverWhole:
    return HandoverWhole(**_facts(desk, handover), listed=handover.listed)


def _said(who: SignedIn, what: str, of: str, detail: str, at_ms: int) -> Said:
    return Said(at_ms=at_ms, who=who.person.id, terminal=who.terminal, what=what, of=of, detail=detail)
