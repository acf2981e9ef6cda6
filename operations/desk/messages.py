"""What the API takes and gives. Times are milliseconds since 1970 (`_ms`), UTC."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from operations.alerts.actions import Outcome
from operations.people.roles import Permission, Role
from operations.people.sessions import Terminal
from schemas.alerts import Level, Severity

__all__ = [
    "ActionIn",
    "ActionOut",
    "AlertOut",
    "AlertWhole",
    "AtScreenIn",
    "EntryOut",
    "In",
    "Me",
    "Moment",
    "OwnId",
    "PasswordIn",
    "PersonOut",
    "PlaceOut",
    "SaidIn",
    "ScopedIn",
    "Second",
    "SignIn",
    "StateOut",
    "TransitionOut",
    "Why",
]

_Id = Annotated[str, Field(min_length=1, max_length=100)]
Why = Annotated[str, Field(max_length=2000)]
Moment = Annotated[int, Field(ge=0, le=2**53)]
OwnId = Annotated[str, Field(max_length=64, pattern=r"^[\x21-\x7e]*$")]


class In(BaseModel):
    """What a request may hold: what it names, and nothing else."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class SignIn(In):
    """Who, by which password and code, at which terminal."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)
    id: _Id
    password: Annotated[str, Field(min_length=1, max_length=200)]
    code: Annotated[str, Field(min_length=6, max_length=6, pattern=r"^[0-9]{6}$")]
    terminal: Terminal = "desk"


class AtScreenIn(In):
    """At a touch screen: a badge as it is read, or a PIN with one's id."""

    id: Annotated[str, Field(max_length=100)] = ""
    secret: Annotated[str, Field(min_length=1, max_length=100)]


class PasswordIn(In):
    """A new password for oneself."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)
    old: Annotated[str, Field(min_length=1, max_length=200)]
    new: Annotated[str, Field(min_length=1, max_length=200)]


class Me(BaseModel):
    """Who is signed in, and what they may."""

    id: str
    name: str
    roles: list[Role]
    places: list[str]
    permissions: list[Permission]
    terminal: Terminal


class Second(In):
    """Another person who stands beside and agrees, by a code of theirs."""

    id: _Id
    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class ActionIn(In):
    """An act on an alert. `id`: one's own identity of it, by which a repeat is known; made if left out.

    `outcome` of `conclude`: what the alert was; `person` of `assign`: who is to see to it, by name.
    """

    why: Why = ""
    until_ms: Moment = 0
    second: Second | None = None
    id: OwnId = ""
    outcome: Outcome | None = None
    person: Annotated[str, Field(max_length=100)] = ""


class SaidIn(ActionIn):
    """An act that may wait for a connection. `said_ms`: when it was said; left out, now."""

    said_ms: Moment = 0


class ScopedIn(ActionIn):
    """An act on a device, or on a rule in a place and below it."""

    kind: Literal["suppress", "unsuppress", "out_of_service", "in_service"]
    rule: Annotated[str, Field(max_length=100)] = ""
    place: Annotated[str, Field(max_length=20, pattern=r"^[0-9A-Za-z]*$")] = ""
    device: Annotated[str, Field(max_length=200)] = ""


class ActionOut(BaseModel):
    """What somebody did. `until_ms` is left out where nothing ends by itself."""

    id: str
    kind: str
    alert: str
    rule: str
    place: str
    device: str
    by: str
    second: str
    at: str
    at_ms: int
    why: str
    until_ms: int = 0
    outcome: str = ""
    person: str = ""


class _Suppression(BaseModel):
    model_config = ConfigDict(extra="allow")
    parent: str = ""


class StateOut(BaseModel):
    """Each part of the state with its own who, when and why (OPC UA Part 9, 5.8)."""

    active: bool
    latched: bool
    hidden: bool
    shelving: Literal["unshelved", "timed", "one_shot"]
    acknowledged: ActionOut | None
    reset: ActionOut | None
    shelved: ActionOut | None
    suppressed: list[_Suppression]
    out_of_service: list[ActionOut]
    assigned: ActionOut | None
    concluded: ActionOut | None


class AlertOut(BaseModel):
    """An alert with its state. `subject`, a pseudonym, is "" but for who cares for people."""

    id: str
    rule: str
    severity: Severity
    domain: str
    level: Level | str
    place: str
    title: str
    explanation: str
    onset_ms: int
    told_ms: int
    cleared_ms: int
    active: bool
    latched: bool
    count: int
    chattering: bool
    device: str
    subject: str
    simulated: bool
    observed: float | None
    expected: float | None
    threshold: float | None
    cause: str
    children: int
    children_ids: list[str]
    state: StateOut


class TransitionOut(BaseModel):
    """One change of an alert."""

    at_ms: int
    what: str
    by: str
    why: str = ""
    second: str = ""
    until_ms: int = 0
    outcome: str = ""
    person: str = ""


class PlaceOut(BaseModel):
    """A place by its name."""

    code: str
    name: str
    level: Level


class AlertWhole(AlertOut):
    """An alert with its history, the last three like it, and the case it belongs to ("": none).

    `path`: the places it lies in, from the district down; [] where its place is unknown. What became of those
    alike is in their `state`: who acknowledged it, and what it was said to be.
    """

    case: str
    path: list[PlaceOut]
    history: list[TransitionOut]
    similar: list[AlertOut]


class PersonOut(BaseModel):
    """Somebody who may sign in."""

    id: str
    name: str
    roles: list[Role]
    places: list[str]
    department: str
    disabled: bool


class EntryOut(BaseModel):
    """One entry of the record."""

    number: int
    at_ms: int
    who: str
    terminal: str
    what: str
    of: str
    detail: str
    hash: str
