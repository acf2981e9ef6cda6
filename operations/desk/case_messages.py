"""What the API takes about cases. Coordinates are WGS-84, as a phone gives them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from operations.alerts.actions import Outcome
from operations.cases.codes import Role
from operations.desk.messages import In, Moment, OwnId, Why

__all__ = ["CaseFromAlertIn", "CaseIn", "EvidenceIn", "MoveIn"]

_Longitude = Annotated[float, Field(ge=-180, le=180)]
_Latitude = Annotated[float, Field(ge=-90, le=90)]
_Name = Annotated[str, Field(max_length=100)]
_Code = Annotated[str, Field(max_length=60)]


class EvidenceIn(In):
    """A picture, a file, or a word about the case: what it is, and where it lies."""

    what: Annotated[str, Field(min_length=1, max_length=200)]
    reference: Annotated[str, Field(max_length=500)] = ""


_Evidence = Annotated[list[EvidenceIn], Field(max_length=20)]


class CaseIn(In):
    """What somebody reports: where it is by coordinates or a place's code, what it is in a line.

    `id`: one's own identity of the report; said again it changes nothing. `source`: as what it is told, if
    not by one's role: `resident` passes a resident's word on, whose name or pseudonym is `reporter`.
    """

    title: Annotated[str, Field(min_length=1, max_length=200)]
    category: _Code = "other"
    workflow: Annotated[str, Field(max_length=40)] = ""
    description: Annotated[str, Field(max_length=4000)] = ""
    place: Annotated[str, Field(max_length=20, pattern=r"^[0-9]*$")] = ""
    longitude: _Longitude | None = None
    latitude: _Latitude | None = None
    source: Literal["desk", "collector", "resident", "party_member", "street"] | None = None
    reporter: _Name = ""
    evidence: _Evidence = Field(default_factory=list)
    id: OwnId = ""


class CaseFromAlertIn(In):
    """How the case of an alert begins; the workflow is the category's if none is given."""

    workflow: Annotated[str, Field(max_length=40)] = ""


class MoveIn(In):
    """What a verb is given. `id`: one's own identity of the act; said again it changes nothing.

    `role`: in which of one's roles on cases. `version`: the case's that one looked at; refused where it has
    changed since. `longitude`, `latitude`: where one stands. `outcome`: what the alerts of the case were.
    """

    role: Role | None = None
    why: Why = ""
    standard: _Code = ""
    department: _Name = ""
    person: _Name = ""
    criteria: Annotated[list[Annotated[str, Field(max_length=500)]], Field(max_length=50)] = Field(
        default_factory=list
    )
    evidence: _Evidence = Field(default_factory=list)
    until_ms: Moment = 0
    result: Literal["passed", "failed"] | None = None
    satisfied: bool | None = None
    outcome: Outcome | None = None
    longitude: _Longitude | None = None
    latitude: _Latitude | None = None
    version: Annotated[int, Field(ge=1, le=2**53)] | None = None
    id: OwnId = ""
