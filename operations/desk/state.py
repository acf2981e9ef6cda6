"""What an application of the desk holds: the stores, the door, the clock, the feed of changes, the city."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fastapi import Request

from operations.desk.feed import Feed
from operations.desk.store import DeskStore
from operations.handover.model import HandoverRules
from operations.oncall.hours import SHIFTS, Span
from operations.people.passwords import Passwords
from operations.people.sign_in import SigningIn
from operations.people.spool import Spool
from operations.scenarios.identity import Identify
from operations.scenarios.model import Scenarios
from operations.scenarios.parking import ParkingNow
from operations.scenarios.photos import Photos
from operations.store.casebook import CaseBook

if TYPE_CHECKING:
    from operations.desk.city import City

__all__ = ["Desk", "desk_of"]


@dataclass(frozen=True, slots=True)
class Desk:
    """One desk. `district`: its code. `clock`: wall time, ms. `secure`: browsers reach it by TLS.

    `photos`, `parking`, `identify`: where photographs are kept, what tells of parking spaces, who knows whose
    a pseudonym is; None: this desk has none, and says so. `spool`: where what is told for life safety's sake
    is written while the record takes nothing.
    """

    district: str
    store: DeskStore
    cases: CaseBook
    door: SigningIn
    passwords: Passwords
    feed: Feed
    clock: Callable[[], int]
    city: City
    secure: bool = False
    handover: HandoverRules = field(default_factory=HandoverRules)
    shifts: tuple[Span, ...] = SHIFTS
    scenarios: Scenarios = field(default_factory=Scenarios)
    photos: Photos | None = None
    parking: Callable[[], ParkingNow] | None = None
    identify: Identify | None = None
    spool: Spool | None = None


def desk_of(request: Request) -> Desk:
    """The desk that a request came to."""
    desk: Desk = request.app.state.desk
    return desk
