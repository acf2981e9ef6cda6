"""A hand-over and the list it hands over. Plain values, written once: a signature is of what was seen.

Times are wall time, ms since 1970, UTC. `left_ms`: until it ends by itself (0: it does not).
"""

from __future__ import annotations

from dataclasses import dataclass

from schemas.alerts import Severity

__all__ = ["POST", "AlertLine", "CaseDue", "ConsoleLoad", "FloodLine", "Handover", "HandoverRules",
           "HidingLine", "OutgoingList"]  # fmt: skip

POST = "值班台"
"""The post of a desk whose on-call file names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverRules:
    """`unsigned_s`: an offer not signed for so long escalates to `escalate_to` (names of the on-call file).

    `soon_overdue_s`: cases that are due within that time are on the list. `posts`: what is handed over.
    """

    unsigned_s: int = 900
    soon_overdue_s: int = 7200
    escalate_to: tuple[str, ...] = ()
    posts: tuple[str, ...] = (POST,)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertLine:
    """An alert on the list. `acknowledged_by` "": nobody did. `children`: for how many it stands."""

    id: str
    severity: Severity
    title: str
    place: str
    onset_ms: int
    acknowledged_by: str
    children: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HidingLine:
    """What hides alerts: who said so, why, of what, for how long still."""

    what: str
    by: str
    why: str
    since_ms: int
    until_ms: int
    left_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDue:
    """A case whose clock is due; `left_ms` is negative when it is overdue."""

    id: str
    title: str
    place: str
    department: str
    person: str
    due_ms: int
    left_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodLine:
    """A flood of the shift. `end_ms` 0: it goes on."""

    console: str
    start_ms: int
    end_ms: int
    count: int
    peak: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleLoad:
    """How many alarms a console was told in the shift."""

    console: str
    annunciated: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingList:
    """Everything the next person has to know. Alerts: the most urgent first, of those the newest first.

    `suppressed_groups`: parents on the list, with how many they hide. `low`: how many of `active` have low
    priority; nobody was told of them.
    """

    at_ms: int
    since_ms: int
    active: tuple[AlertLine, ...] = ()
    unacknowledged: tuple[AlertLine, ...] = ()
    suppressed_groups: tuple[AlertLine, ...] = ()
    shelved: tuple[HidingLine, ...] = ()
    suppressed: tuple[HidingLine, ...] = ()
    out_of_service: tuple[HidingLine, ...] = ()
    overdue: tuple[CaseDue, ...] = ()
    soon_overdue: tuple[CaseDue, ...] = ()
    floods: tuple[FloodLine, ...] = ()
    load: tuple[ConsoleLoad, ...] = ()
    low: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """One hand-over of a post: offered, then signed or withdrawn. People by id and name.

    `list_hash`: SHA-256 of the list as it was offered; both entries of the record hold it.
    """

    id: str
    post: str
    outgoing: str
    outgoing_name: str
    offered_ms: int
    notes: str
    listed: OutgoingList
    list_hash: str
    incoming: str = ""
    incoming_name: str = ""
    signed_ms: int = 0
    withdrawn_ms: int = 0

    @property
    def open(self) -> bool:
        """Whether it waits for a signature."""
        return not self.signed_ms and not self.withdrawn_ms
