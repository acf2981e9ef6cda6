"""What a client needs to speak of cases: names, verbs, a city's standards, and whom one may name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Response

from operations.cases.codes import ROLE_NAMES, STAGE_NAMES, STATES, Role, Source, Stage, StateCode
from operations.cases.config import CaseConfig
from operations.cases.model import Standard
from operations.cases.people import sources_of
from operations.cases.workflow import Move, Workflow
from operations.desk.documents import answers, written
from operations.desk.policies import Who, guarded
from operations.desk.state import Desk, desk_of
from operations.people.roles import Person
from operations.people.roles import Role as PersonRole

__all__ = ["CaseWords", "Colleagues", "Standards", "router"]

router = APIRouter(tags=["cases"])
_Desk = Annotated[Desk, Depends(desk_of)]


class StateWords(msgspec.Struct, frozen=True):
    """A state: what this city calls it, and what it means everywhere."""

    code: StateCode
    stage: Stage | None
    label: str
    meaning: str
    open: bool


class CategoryWords(msgspec.Struct, frozen=True):
    """What a case may be about, and the workflow that it takes."""

    code: str
    name: str
    workflow: str


class VerbWords(msgspec.Struct, frozen=True):
    """A verb of a workflow: from where to where, who may say it, what it needs."""

    verb: str
    label: str
    label_en: str
    kind: str
    from_states: tuple[StateCode, ...]
    to: str
    roles: tuple[Role, ...]
    needs: tuple[str, ...]


class WorkflowWords(msgspec.Struct, frozen=True):
    """A workflow, with its own names for states."""

    name: str
    title: str
    title_en: str
    reporters: tuple[Role, ...]
    labels: dict[StateCode, str]
    verbs: list[VerbWords]


class CaseWords(msgspec.Struct, frozen=True):
    """Everything that has a name. `sources`: as what one may report oneself."""

    states: list[StateWords]
    stages: dict[Stage, str]
    roles: dict[Role, str]
    categories: list[CategoryWords]
    workflows: list[WorkflowWords]
    sources: tuple[Source, ...]


class Standards(msgspec.Struct, frozen=True):
    """Standards of the city; `total` may be more than are here."""

    standards: list[Standard]
    total: int


class Colleague(msgspec.Struct, frozen=True):
    """Somebody who may be named in an act, by `name`."""

    name: str
    department: str
    roles: tuple[PersonRole, ...]


class Colleagues(msgspec.Struct, frozen=True):
    """People one may name, and the departments there are."""

    people: list[Colleague]
    departments: list[str]


@router.get("/case-words", **guarded("cases.read"), **answers(CaseWords))
def case_words(who: Who, desk: _Desk) -> Response:
    """Names of states, stages, categories, workflows and their verbs, as this city has them."""
    config = desk.cases.config
    return written(
        CaseWords(
            states=list(_states(config)),
            stages=STAGE_NAMES,
            roles=ROLE_NAMES,
            categories=[CategoryWords(c.code, c.name, c.workflow) for c in config.categories.values()],
            workflows=[_workflow(each) for each in config.workflows.values()],
            sources=sources_of(who.person),
        )
    )


@router.get("/standards", **guarded("cases.read"), **answers(Standards))
def standards(
    desk: _Desk,
    category: Annotated[str, Query(max_length=60)] = "",
    text: Annotated[str, Query(max_length=100, description="in its name, code or filing criterion")] = "",
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Response:
    """The city's standards, by code: under which a case is filed."""
    found = [
        each
        for each in desk.cases.standards(category)
        if not text or any(text in words for words in (each.name, each.code, each.filing))
    ]
    return written(Standards(found[:limit], len(found)))


@router.get("/colleagues", **guarded("cases.read"), **answers(Colleagues))
def colleagues(who: Who, desk: _Desk) -> Response:
    """Whom one may name in an act: one's department; for who dispatches, all of one's places too."""
    active = [each for each in desk.store.people() if not each.disabled]
    known = [Colleague(p.name, p.department, p.roles) for p in active if _named_by(who.person, p)]
    return written(Colleagues(known, sorted({each.department for each in active if each.department})))


def _named_by(person: Person, other: Person) -> bool:
    same = bool(person.department) and other.department == person.department
    meets = any(a.startswith(b) or b.startswith(a) for a in person.places for b in other.places)
    return same or ("cases.dispatch" in person.permissions and meets)


def _states(config: CaseConfig) -> Iterator[StateWords]:
    for code, state in STATES.items():
        yield StateWords(code, state.stage, config.label(code), state.meaning, state.open)


def _workflow(workflow: Workflow) -> WorkflowWords:
    return WorkflowWords(
        workflow.name,
        workflow.title,
        workflow.title_en,
        workflow.reporters,
        workflow.labels,
        [_verb(move) for move in workflow.moves.values()],
    )


def _verb(move: Move) -> VerbWords:
    return VerbWords(
        verb=move.verb,
        label=move.label,
        label_en=move.label_en,
        kind=move.kind,
        from_states=move.from_,
        to=move.to,
        roles=move.roles,
        needs=move.needs,
    )
