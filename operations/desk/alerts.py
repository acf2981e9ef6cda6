"""Alerts, and what people do with them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Depends, HTTPException, Path, Query

from operations.alerts.actions import Action, ActionKind, Target, counted_ms
from operations.alerts.choose import Selection
from operations.alerts.transitions import transitions
from operations.alerts.view import said as action_facts
from operations.desk.messages import (
    ActionIn,
    ActionOut,
    AlertOut,
    AlertWhole,
    PlaceOut,
    SaidIn,
    ScopedIn,
    TransitionOut,
)
from operations.desk.policies import Who, guarded, require
from operations.desk.seen import alert_of, for_person, seen, wanted
from operations.desk.state import Desk, desk_of
from operations.people.audit import Said
from operations.people.roles import Permission
from operations.people.sign_in import SignedIn, SignInRefusedError
from schemas.alerts import Severity
from schemas.errors import Refused, SettingsError

__all__ = ["VERBS", "router"]

router = APIRouter(tags=["alerts"])
_Desk = Annotated[Desk, Depends(desk_of)]
_AlertId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]

VERBS: Final[dict[ActionKind, Permission]] = {
    "acknowledge": "alerts.answer",
    "assign": "alerts.answer",
    "conclude": "alerts.answer",
    "comment": "alerts.answer",
    "reset": "alerts.answer",
    "shelve": "alerts.shelve",
    "shelve_once": "alerts.shelve",
    "unshelve": "alerts.shelve",
    "suppress": "alerts.suppress",
    "unsuppress": "alerts.suppress",
}
"""What may be done with one alert -> what one needs for it."""
_LATE_MS: Final = 1_000
_MAY_WAIT: Final = frozenset({"acknowledge", "comment"})
"""What a phone may say without a connection, and count from when it was said."""


@router.get("/alerts", **guarded("alerts.read"))
def list_alerts(
    who: Who,
    desk: _Desk,
    severity: Annotated[Severity | None, Query(description="this and above")] = None,
    place: Annotated[str, Query(description="a place and all within it", max_length=20)] = "",
    hidden: Annotated[
        bool, Query(description="those that are shelved, suppressed or out of service too")
    ] = False,
    limit: Annotated[int, Query(ge=1, le=5000)] = 500,
) -> list[AlertOut]:
    """The operators' list, of one's places: the most urgent first, of those the newest first."""
    selection = Selection(active=None, severity=severity, place=place)
    found = wanted(desk.store, selection, who.person, desk.clock())
    listed = [view for view in found if view.state.listed and (hidden or not view.state.hidden)]
    return [AlertOut(**for_person(view, who.person)) for view in listed[:limit]]


@router.get("/alerts/{alert_id}", **guarded("alerts.read"))
def show_alert(alert_id: _AlertId, who: Who, desk: _Desk) -> AlertWhole:
    """Everything known of an alert: why and where it is, its history, and what became of those like it."""
    alert, now_ms = alert_of(desk.store, alert_id, who.person), desk.clock()
    (view,) = seen(desk.store, [alert], now_ms)
    history = transitions(alert, desk.store.actions_of(alert), now_ms)
    similar = [for_person(each, who.person) for each in seen(desk.store, desk.store.similar(alert), now_ms)]
    return AlertWhole(
        **for_person(view, who.person),
        case=_case(desk, alert_id, who),
        path=[PlaceOut(code=p.code, name=p.name, level=p.level) for p in desk.city.places.path(alert.place)],
        history=[TransitionOut(**msgspec.structs.asdict(each)) for each in history],
        similar=[AlertOut(**each) for each in similar],
    )


def _case(desk: Desk, alert_id: str, who: SignedIn) -> str:
    """The number of its case, for who may read cases."""
    may = "cases.read" in who.person.permissions
    return (desk.cases.case_of_alert(alert_id) if may else None) or ""


def _verb(kind: ActionKind, permission: Permission) -> Callable[..., ActionOut]:
    def act(alert_id: _AlertId, asked: ActionIn, who: Who, desk: _Desk) -> ActionOut:
        alert = alert_of(desk.store, alert_id, who.person)
        require(who, permission, alert.place)
        return _done(desk, who, _action(desk, who, kind, Target.of(alert), asked))

    act.__doc__ = (
        f"{kind.replace('_', ' ').capitalize()}. 409 with the words of who was first, or of what is so."
    )
    act.__name__ = f"{kind}_alert"
    if kind in _MAY_WAIT:
        act.__annotations__["asked"] = SaidIn
    return act


for _kind, _permission in VERBS.items():
    _add = router.post(f"/alerts/{{alert_id}}/{_kind}", **guarded(_permission))
    _add(_verb(_kind, _permission))


@router.get("/hidings", **guarded("alerts.read"))
def list_hidings(desk: _Desk) -> list[ActionOut]:
    """What hides alerts now, by whom, why and until when; for everybody to see, whatever their places."""
    return [_told(each) for each in desk.store.hidings(desk.clock())]


@router.post("/hidings", **guarded("alerts.suppress"))
def act_on_scope(asked: ScopedIn, who: Who, desk: _Desk) -> ActionOut:
    """Suppress a rule in a place, take a device out of service, or end that."""
    require(who, "alerts.suppress", asked.place or desk.district)
    target = Target("", asked.rule, asked.place, asked.device)
    return _done(desk, who, _action(desk, who, asked.kind, target, asked))


def _action(desk: Desk, who: SignedIn, kind: ActionKind, target: Target, asked: ActionIn) -> Action:
    now_ms, second = desk.clock(), ""
    if asked.second is not None:
        try:
            person = desk.door.second_person(asked.second.id, asked.second.code, target.words(), now_ms)
        except SignInRefusedError as error:
            raise HTTPException(403, str(error)) from error
        second = _called(person.name, person.id)
    return Action(
        id=asked.id or uuid.uuid4().hex,
        kind=kind,
        target=target,
        by=_called(who.person.name, who.person.id),
        at_ms=_at_ms(desk, target.alert_id, asked, now_ms),
        why=asked.why,
        second=second,
        until_ms=asked.until_ms,
        outcome=asked.outcome or "",
        person=asked.person,
    )


def _at_ms(desk: Desk, alert_id: str, asked: ActionIn, now_ms: int) -> int:
    """When it counts as said."""
    said_ms = asked.said_ms if isinstance(asked, SaidIn) else 0
    if not said_ms:
        return now_ms
    (known,) = desk.store.find(alert_id)
    return counted_ms(said_ms, known.first_seen_ms, now_ms)


def _done(desk: Desk, who: SignedIn, action: Action) -> ActionOut:
    now_ms = desk.clock()
    late = f"said {action.at_ms} ms" if now_ms - action.at_ms > _LATE_MS else ""
    said = Said(
        at_ms=now_ms,
        who=who.person.id,
        terminal=who.terminal,
        what=f"alerts.{action.kind}",
        of=action.target.alert_id or action.target.words(),
        detail="; ".join(filter(None, (action.why, action.second and f"second {action.second}", late))),
    )
    try:
        written = desk.store.act(action, now_ms, said=said)
    except Refused as error:
        raise HTTPException(409, str(error)) from error
    except SettingsError as error:
        raise HTTPException(404, str(error)) from error
    desk.feed.wake()
    return _told(written)


def _told(action: Action) -> ActionOut:
    return ActionOut(**(action_facts(action) or {}))


def _called(name: str, identity: str) -> str:
    return name if name == identity else f"{name}（{identity}）"
