"""Roles, what each may do, and where. Pure data and one decision.

A person has roles and places they answer for (code prefixes: `370202` the district, `370202001` a street). A
permission counts in those places and below them. What is not in the table is refused.
"""

from __future__ import annotations

from typing import Final, Literal, get_args

import msgspec

from schemas.errors import SettingsError, received_allowed

__all__ = [
    "GRANTS",
    "PERMISSIONS",
    "ROLES",
    "ROLE_WORDS",
    "Permission",
    "Person",
    "PersonAtScreen",
    "Role",
    "checked_roles",
    "denial",
    "in_places",
]

Role = Literal[
    "operator", "shift_leader", "department", "street", "community", "grid_worker", "party_member",
    "care_worker", "analyst", "administrator", "screen",
]  # fmt: skip
ROLES: Final[tuple[Role, ...]] = get_args(Role)
ROLE_WORDS: Final[dict[Role, str]] = {
    "operator": "值班员",
    "shift_leader": "值班长",
    "department": "处置部门",
    "street": "街道",
    "community": "社区",
    "grid_worker": "网格员",
    "party_member": "党员",
    "care_worker": "养老专员",
    "analyst": "分析员",
    "administrator": "管理员",
    "screen": "屏幕",
}

Permission = Literal[
    "alerts.read",  # see alerts and their history
    "alerts.answer",  # acknowledge, comment, reset
    "alerts.shelve",  # hide one alarm for a while
    "alerts.suppress",  # hide by rule and place; take devices out of service
    "handover.sign",  # hand a shift over, take one
    "cases.read",
    "cases.report",  # open a case: a patrol, a citizen's word, an alert
    "cases.dispatch",  # file, reject, dispatch, close
    "cases.handle",  # accept, handle, hand back
    "cases.claim",  # take up a call
    "cases.check",  # field checks before filing and after disposal
    "cases.supervise",  # urge, extend, suspend, decide appeals
    "major.command",  # set up, switch on and off a major event
    "major.report",  # report for one's unit
    "export",
    "care.identity",  # who a pseudonym is; with a reason, recorded
    "people.manage",
    "audit.read",
]
PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

_Grant = frozenset[Permission]
_READ: Final[_Grant] = frozenset({"alerts.read", "cases.read"})
_AT_THE_DESK: Final[_Grant] = frozenset(
    {"alerts.answer", "alerts.shelve", "handover.sign", "cases.report", "cases.dispatch", "major.report"}
)
_OF_A_LEADER: Final[_Grant] = frozenset(
    {"alerts.suppress", "cases.supervise", "major.command", "audit.read", "export"}
)
_OF_A_PLACE: Final[_Grant] = frozenset({"cases.report", "cases.dispatch", "cases.check", "major.report"})
_ON_THE_SPOT: Final[_Grant] = frozenset(
    {"alerts.answer", "cases.report", "cases.handle", "cases.check", "major.report"}
)
GRANTS: Final[dict[Role, _Grant]] = {
    "operator": _READ | _AT_THE_DESK,
    "shift_leader": _READ | _AT_THE_DESK | _OF_A_LEADER,
    "department": _READ | _Grant({"cases.handle", "major.report"}),
    "street": _READ | _OF_A_PLACE,
    "community": _READ | _OF_A_PLACE,
    "grid_worker": _READ | _ON_THE_SPOT,
    "party_member": frozenset({"cases.read", "cases.report", "cases.claim"}),
    "care_worker": _READ | _Grant({"alerts.answer", "cases.report", "care.identity"}),
    "analyst": _READ | _Grant({"export"}),
    "administrator": frozenset({"people.manage", "audit.read"}),
    "screen": _READ,
}
"""An administrator manages people and handles no alert: who can make accounts does not act as one.
A screen is a wall or a touch screen: it shows, and who acts at it says who they are."""


_NOT_AT_A_SCREEN: Final[_Grant] = frozenset({"export", "care.identity", "people.manage", "audit.read"})


class Person(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody who may sign in. `id` is what they sign in with; `places` are code prefixes."""

    id: str
    name: str
    roles: tuple[Role, ...]
    places: tuple[str, ...]
    department: str = ""
    disabled: bool = False

    @property
    def granted(self) -> frozenset[Permission]:
        """All that the roles grant."""
        return frozenset().union(*(GRANTS[role] for role in self.roles))

    @property
    def permissions(self) -> frozenset[Permission]:
        """All that they may from where they speak."""
        return self.granted


class PersonAtScreen(Person, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody at a touch screen, where a badge is enough and everybody looks on."""

    @classmethod
    def of(cls, person: Person) -> PersonAtScreen:
        """That person there."""
        return cls(**msgspec.structs.asdict(person))

    @property
    def permissions(self) -> frozenset[Permission]:
        """Without what opens people, the record or the data."""
        return self.granted - _NOT_AT_A_SCREEN


def denial(person: Person, permission: Permission, place: str = "") -> str:
    """Why the person may not, in words; "" if they may. No `place`: in any of theirs."""
    if person.disabled:
        return f"账号已停用 account {person.id} is disabled"
    if permission in person.granted - person.permissions:
        return f"此终端不可用 {permission}: received a touch screen, allowed: a desk or one's own phone"
    if permission not in person.permissions:
        holders = [f"{ROLE_WORDS[role]} {role}" for role in ROLES if permission in GRANTS[role]]
        roles = "、".join(f"{ROLE_WORDS[role]} {role}" for role in person.roles)
        return f"无权限 {permission}: received {roles}, allowed: {', '.join(holders)}"
    if not in_places(person, place):
        return f"不在负责区域 place: received {place}, allowed: {', '.join(person.places)} and below"
    return ""


def in_places(person: Person, place: str) -> bool:
    """Whether they answer for it. What has no place is the district's."""
    return any(place.startswith(mine) for mine in person.places) or not place


def checked_roles(names: tuple[str, ...]) -> tuple[Role, ...]:
    """The names as roles, each once; SettingsError names one that is none."""
    for name in names:
        if name not in ROLES:
            raise SettingsError(received_allowed("role", name, ROLES))
    if not names:
        raise SettingsError(received_allowed("role", "", ROLES))
    return tuple(role for role in ROLES if role in names)
