"""Patrols (巡逻): rounds of points, and check-ins at them."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path
from pydantic import Field

from operations.alerts.actions import counted_ms
from operations.desk.messages import In, Moment, OwnId
from operations.desk.policies import Who, guarded
from operations.desk.state import Desk, desk_of
from operations.people.audit import Said
from operations.scenarios.metres import distances_m
from operations.scenarios.patrol import CheckIn, RoundState, check_in_refusal, round_state

__all__ = ["router"]

router = APIRouter(tags=["patrols"])
_Desk = Annotated[Desk, Depends(desk_of)]


class CheckInIn(In):
    """Where one stands (WGS-84), and what there is to say. `id`: one's own identity of it.

    `said_ms`: when it was said on a phone that had no connection.
    """

    longitude: Annotated[float, Field(ge=-180, le=180)]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    note: Annotated[str, Field(max_length=2000)] = ""
    said_ms: Moment = 0
    id: OwnId = ""


@router.get("/patrols", **guarded("cases.read"))
def list_rounds(desk: _Desk) -> list[RoundState]:
    """Every round in its running period: who was where, what is left, what was missed before."""
    now_ms, rounds = desk.clock(), desk.scenarios.rounds
    longest_ms = 2000 * max((each.every_s for each in rounds), default=0)
    check_ins = desk.store.check_ins(now_ms - longest_ms)
    return [round_state(each, desk.scenarios.points, check_ins, now_ms) for each in rounds]


@router.post("/patrols/{point}/check-in", **guarded("cases.check"))
def check_in(point: Annotated[str, Path(max_length=60)], asked: CheckInIn, who: Who, desk: _Desk) -> CheckIn:
    """Say that one is at a point. 404 for a point that is none, 409 where one is too far away."""
    known, at = desk.scenarios.points.get(point), (asked.longitude, asked.latitude)
    now_ms = desk.clock()
    if words := check_in_refusal(known, point, at, desk.scenarios.points):
        raise HTTPException(409 if known else 404, words)
    assert known is not None  # noqa: S101 - or refused above
    given = CheckIn(
        id=f"{who.person.id}/{asked.id or uuid.uuid4().hex}",
        point=point,
        person=who.person.id,
        name=who.person.name,
        at_ms=counted_ms(asked.said_ms or now_ms, 0, now_ms),
        longitude=asked.longitude,
        latitude=asked.latitude,
        distance_m=round(float(distances_m(known.point, [at])[0]), 1),
        note=asked.note,
    )
    said = Said(
        at_ms=given.at_ms,
        who=who.person.id,
        terminal=who.terminal,
        what="patrols.check_in",
        of=point,
        detail=asked.note,
    )
    return desk.store.check_in(given, said)
