"""智慧养老: residents at risk by pseudonym; who somebody is only with a reason, and in the record."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Depends, HTTPException, Path
from msgspec.structs import replace
from pydantic import Field

from operations.desk.messages import In
from operations.desk.policies import Who, guarded
from operations.desk.recorded import note, record_first
from operations.desk.seen import in_places
from operations.desk.state import Desk, desk_of
from operations.people.audit import Said
from operations.people.sign_in import SignedIn
from operations.scenarios.care import AtRisk, PlaceAtRisk, at_risk, by_place
from operations.scenarios.identity import Resident
from schemas.errors import TaishiError

__all__ = ["router"]

router = APIRouter(tags=["care"])
_Desk = Annotated[Desk, Depends(desk_of)]
_Subject = Annotated[str, Path(pattern=r"^[0-9A-Za-z-]{1,64}$")]
_SINCE_MS: Final = 7 * 24 * 3_600_000


class ReasonIn(In):
    """Why one has to know who it is; it stands in the record."""

    why: Annotated[str, Field(min_length=4, max_length=500)]


@router.get("/care/places", **guarded("alerts.read"))
def list_places(desk: _Desk) -> list[PlaceAtRisk]:
    """How many residents are at risk by community, street and district; fewer than five are not told."""
    return by_place(_at_risk(desk))


@router.get("/care/residents", **guarded("care.identity"))
def list_residents(who: Who, desk: _Desk) -> list[AtRisk]:
    """Residents at risk in one's places, by pseudonym, the most urgent first."""
    return [each for each in _at_risk(desk) if in_places(who.person, each.place)]


@router.post("/care/residents/{subject}/identity", **guarded("care.identity"))
def identify(subject: _Subject, asked: ReasonIn, who: Who, desk: _Desk) -> Resident:
    """Who it is. The asking is in the record before it is answered, whatever the answer.

    404 where they are not at risk in one's places, or the register has nobody; 503 where the desk has none,
    where it cannot be read, and while the record takes nothing, but for who calls for help.
    """
    theirs = any(each.subject == subject for each in list_residents(who, desk))
    said = _said(who, subject, asked.why, desk.clock(), theirs=theirs)
    record_first(desk, said, life_safety=theirs and _calls_for_help(desk, who, subject))
    if not theirs:
        raise HTTPException(404, f"老人 resident: received {subject}, who is not at risk in your places")
    if desk.identify is None:
        raise HTTPException(503, "此值班台无老人名册 this desk has no register of residents (residents_file)")
    try:
        found = desk.identify(subject)
    except TaishiError as error:
        note(desk, _unanswered(said, str(error)))
        raise HTTPException(503, f"名册不可用 the register cannot be read: {error}") from error
    if found is None:
        raise HTTPException(404, f"老人 resident: received {subject}, whom the register does not have")
    return found


def _at_risk(desk: Desk) -> list[AtRisk]:
    now_ms = desk.clock()
    since_ms = now_ms - _SINCE_MS
    return at_risk(desk.store.alerts(since_ms), now_ms, since_ms)


def _calls_for_help(desk: Desk, who: SignedIn, subject: str) -> bool:
    """Whether an alert of life safety of theirs stands, in one's places."""
    alerts = desk.store.alerts(desk.clock())
    own = (each for each in alerts if each.subject == subject and in_places(who.person, each.place))
    return any(each.active and each.severity == "life_safety" for each in own)


def _unanswered(said: Said, why: str) -> Said:
    return replace(said, what="care.identity_unanswered", detail=f"{said.detail}; {why}")


def _said(who: SignedIn, subject: str, why: str, at_ms: int, *, theirs: bool) -> Said:
    what = "care.identity" if theirs else "care.identity_refused"
    return Said(at_ms=at_ms, who=who.person.id, terminal=who.terminal, what=what, of=subject, detail=why)
