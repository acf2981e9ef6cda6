"""The roles of the desk's people (`operations/people/roles.py`) as the roles of cases. Pure."""

from __future__ import annotations

from typing import Final

from operations.cases.codes import Role
from operations.cases.model import Actor
from operations.people.roles import Person
from operations.people.roles import Role as PersonRole

__all__ = ["CASE_ROLES", "actor_of"]

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
}
"""An administrator manages people and moves no case."""


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
