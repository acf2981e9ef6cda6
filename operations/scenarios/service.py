"""What registered members did: claims, and hours from claim to submission. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from operations.cases.model import Entry
from operations.scenarios.model import Member

__all__ = ["MemberService", "service"]

_HOUR_MS = 3_600_000
_END = frozenset({"submit", "give_back"})


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberService:
    """A member with what they did. `open`: claims that are not submitted; those count no hours yet.

    `hours`: from claim to submission, of one claim at most `HOURS_MAX`: nobody works at it over night.
    """

    name: str
    work_unit: str
    community: str
    claims: int
    open: int
    hours: float


HOURS_MAX = 8.0


def service(members: Iterable[Member], flows: Iterable[Iterable[Entry]]) -> list[MemberService]:
    """Of each member, the most hours first. `flows`: the flow log of each case, in order."""
    claims: dict[str, int] = {}
    open_: dict[str, int] = {}
    hours: dict[str, float] = {}
    for flow in flows:
        for name, lasted in _claims(flow):
            claims[name] = claims.get(name, 0) + 1
            if lasted is None:
                open_[name] = open_.get(name, 0) + 1
            else:
                hours[name] = hours.get(name, 0.0) + min(lasted, HOURS_MAX)
    found = [
        MemberService(
            name=each.name,
            work_unit=each.work_unit,
            community=each.community,
            claims=claims.get(each.name, 0),
            open=open_.get(each.name, 0),
            hours=round(hours.get(each.name, 0.0), 2),
        )
        for each in members
    ]
    return sorted(found, key=lambda each: (-each.hours, -each.claims, each.name))


def _claims(flow: Iterable[Entry]) -> list[tuple[str, float | None]]:
    """Who claimed, and how many hours it was until they submitted or gave it back; None: it goes on."""
    found: list[tuple[str, float | None]] = []
    held: Entry | None = None
    for entry in flow:
        if held is not None and (entry.verb in _END or entry.verb == "claim"):
            found.append((held.by, (entry.at_ms - held.at_ms) / _HOUR_MS))
            held = None
        if entry.verb == "claim":
            held = entry
    return [*found, (held.by, None)] if held is not None else found
