"""Who may sign in, and the record of what they did. People are made on the command line (`taishi people`)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query

from operations.desk.messages import EntryOut, PersonOut
from operations.desk.policies import guarded
from operations.desk.state import Desk, desk_of

__all__ = ["router"]

router = APIRouter(tags=["people"])
_Desk = Annotated[Desk, Depends(desk_of)]


@router.get("/people", **guarded("people.manage"))
def list_people(desk: _Desk) -> list[PersonOut]:
    """Everybody, by id."""
    return [PersonOut(**msgspec.structs.asdict(person)) for person in desk.store.people()]


@router.get("/audit", **guarded("audit.read"))
def list_audit(
    desk: _Desk,
    who: Annotated[str, Query(max_length=100, description="of one person")] = "",
    what: Annotated[str, Query(max_length=100, description="of a verb or its beginning")] = "",
    of: Annotated[str, Query(max_length=300, description="of one thing")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[EntryOut]:
    """The newest entries of the record, the latest first. `taishi audit verify` checks the chain."""
    return [
        EntryOut(number=each.number, hash=each.hash, **msgspec.structs.asdict(each.said))
        for each in desk.store.newest(limit, who, what, of)
    ]
