"""The desk's people (`operations/people/roles.py`) as who acts on cases, and what they see of them. Pure."""

from __future__ import annotations

from typing import Final, Protocol

from operations.cases.codes import Role, Source
from operations.cases.conditions import Called, within_reach
from operations.cases.model import Actor
from operations.people.roles import Person, in_places
from operations.people.roles import Role as PersonRole

__all__ = ["CASE_ROLES", "NAMED", "SOURCE_OF_ROLE", "Named", "actor_of", "holds", "sees", "sources_of"]

CASE_ROLES: Final[dict[PersonRole, tuple[Role, ...]]] = {
    "operator": ("receiver", "dispatcher"),
    "shift_leader": ("shift_leader", "receiver", "dispatcher"),
    "department": ("department", "handler"),
    "street": ("street",),
    "community": ("community",),
    "grid_worker": ("collector",),
    "party_member": ("party_member",),
    "care_worker": ("collector",),
    "analyst": ("evaluator",),
    "administrator": (),
    "screen": (),
}
"""An administrator manages people and moves no case."""
SOURCE_OF_ROLE: Final[dict[PersonRole, Source]] = {
    "operator": "desk",
    "shift_leader": "desk",
    "street": "street",
    "community": "resident",
    "grid_worker": "collector",
    "party_member": "party_member",
    "care_worker": "collector",
}
"""As what somebody reports. A community reports what residents tell it."""
NAMED: Final = ("person", "receiver", "checker", "closer", "reporter")
"""Fields of a case that name somebody."""


class Named(Called, Protocol):
    """A case or a line of a list, as far as it says who may see it; it has the fields of `NAMED` too."""

    @property
    def department(self) -> str: ...  # noqa: D102 - as of a case


def actor_of(person: Person, terminal: str) -> Actor:
    """The person as who acts on a case, by name, from that terminal."""
    roles = dict.fromkeys(role for each in person.roles for role in CASE_ROLES[each])
    return Actor(
        name=person.name,
        roles=tuple(roles),
        department=person.department,
        places=person.places,
        terminal=terminal,
    )


def sources_of(person: Person) -> tuple[Source, ...]:
    """As what they may report, the first by default; a resident's word anybody may pass on."""
    own = (SOURCE_OF_ROLE[role] for role in person.roles if role in SOURCE_OF_ROLE)
    return tuple(dict.fromkeys((*own, "resident")))


def sees(person: Person, case: Named) -> bool:
    """Whether the case is there for them: of their places, theirs, or called so far they may claim it."""
    called = "cases.claim" in person.permissions and bool(case.reach)
    return (
        in_places(person, case.place) or holds(person, case) or (called and within_reach(case, person.places))
    )


def holds(person: Person, case: Named) -> bool:
    """Whether the case names them, or is with their department."""
    named = any(getattr(case, field) == person.name for field in NAMED)
    return named or (bool(person.department) and case.department == person.department)
