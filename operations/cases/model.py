"""A case, what is done with it, and what is kept of that. Plain values; a change makes a new one.

A case is something that must be dealt with by named people within limits. It keeps the alerts, reports and
evidence that led to it, the standard it was filed under (as it was then), who holds it, and its clocks.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from operations.alerts.actions import Outcome
from operations.cases.codes import Role, Source, StateCode
from operations.cases.limits import Limit
from operations.cases.runs import Run

__all__ = ["Actor", "Appeal", "Case", "Command", "Entry", "Evidence", "ExtensionRequest", "Result",
           "Standard", "Suspension"]  # fmt: skip

Result = Literal["passed", "failed"]


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts. `places`: codes of the places they answer for, or are registered in."""

    name: str
    roles: tuple[Role, ...]
    department: str = ""
    places: tuple[str, ...] = ()
    terminal: str = ""


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A picture, file or text about the case: what it is, where it lies, who gave it and when."""

    what: str
    reference: str = ""
    by: str = ""
    at_ms: int = 0


class Standard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One row of a city's standards: when to file, within what time to handle, when to close.

    `category`: the class (小类) it is of. `closing`: criteria, each of which must be ticked. `post_check`:
    closing needs a field check.
    """

    code: str
    category: str
    name: str
    filing: str
    closing: tuple[str, ...]
    limit: Limit
    total: Limit | None = None
    post_check: bool = False


class Suspension(msgspec.Struct, frozen=True, kw_only=True):
    """挂账: since when, until when, and the state it comes back to."""

    from_ms: int
    until_ms: int
    before: StateCode


class ExtensionRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An open request for one more limit: by whom, and whether the department has passed it on."""

    by: str
    at_ms: int
    passed: bool


class Appeal(msgspec.Struct, frozen=True, kw_only=True):
    """申诉 of a department against "overdue": two reviews, any refusal is final."""

    by: str
    at_ms: int
    reviews: tuple[str, ...] = ()
    outcome: Literal["open", "granted", "refused"] = "open"


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One case.

    `version` is the number of its newest entry in the flow log; `key` the identity of what opened it, so that
    opening again changes nothing.
    `place` is a grid's code where that is known, else that of the smallest known place. `returned_to`: the
    role it was sent back to, while it is `returned`. `happened`: when there were dispatches, transfers,
    returns, reworks, supervisions, extensions … `reach`: how far around the place members may claim it.
    `citizens`: how many people reported it. `arrived_ms`: somebody is on the spot since.
    """

    id: str
    key: str
    workflow: str
    state: StateCode
    version: int
    title: str
    category: str
    place: str
    source: Source
    reported_ms: int
    description: str = ""
    longitude: float | None = None
    latitude: float | None = None
    reporter: str = ""
    citizens: int = 0
    simulated: bool = False
    flags: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    standard: Standard | None = None
    receiver: str = ""
    department: str = ""
    person: str = ""
    checker: str = ""
    closer: str = ""
    returned_to: Role | None = None
    reach: str = ""
    runs: tuple[Run, ...] = ()
    happened: dict[str, tuple[int, ...]] = {}
    pre_check: Result | None = None
    post_check: Result | None = None
    satisfied: bool | None = None
    criteria: tuple[str, ...] = ()
    suspension: Suspension | None = None
    extension: ExtensionRequest | None = None
    appeal: Appeal | None = None
    filed_ms: int = 0
    arrived_ms: int = 0
    closed_ms: int = 0

    def run(self, clock: str) -> Run | None:
        """The newest run of a clock."""
        return next((run for run in reversed(self.runs) if run.clock == clock), None)

    def count(self, name: str) -> int:
        """How often something happened to it."""
        return len(self.happened.get(name, ()))

    @property
    def counts(self) -> dict[str, int]:
        """How often each thing happened to it."""
        return {name: len(moments) for name, moments in self.happened.items()}


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What somebody wants done: a verb of the case's workflow, with what that verb needs.

    `role`: in which of the actor's roles; the first that the move takes if none is given. `key`: identity;
    said again it changes nothing. `standard` is a code; `result` of a check; `satisfied` of a call-back.
    `longitude`, `latitude`: where they stand, WGS-84. `outcome`: what the linked alerts were.
    """

    verb: str
    actor: Actor
    role: Role | None = None
    why: str = ""
    key: str = ""
    standard: str = ""
    department: str = ""
    person: str = ""
    criteria: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    until_ms: int = 0
    result: Result | None = None
    satisfied: bool | None = None
    longitude: float | None = None
    latitude: float | None = None
    outcome: Outcome | None = None


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the flow log, never changed: from, to, verb, who, why, when, terminal.

    `version`: its number within the case. `given`: what the verb was given, by name.
    """

    case_id: str
    version: int
    verb: str
    from_state: str
    to_state: str
    by: str
    role: str
    at_ms: int
    why: str = ""
    terminal: str = ""
    key: str = ""
    given: dict[str, str] = {}
