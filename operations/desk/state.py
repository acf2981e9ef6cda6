"""What an application of the desk holds: the stores, the door, the clock, the feed of changes, the city."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fastapi import Request

from operations.desk.feed import Feed
from operations.desk.store import DeskStore
from operations.people.passwords import Passwords
from operations.people.sign_in import SigningIn
from operations.store.casebook import CaseBook

if TYPE_CHECKING:
    from operations.desk.city import City

__all__ = ["Desk", "desk_of"]


@dataclass(frozen=True, slots=True)
class Desk:
    """One desk. `district`: its code. `clock`: wall time, ms. `secure`: browsers reach it by TLS."""

    district: str
    store: DeskStore
    cases: CaseBook
    door: SigningIn
    passwords: Passwords
    feed: Feed
    clock: Callable[[], int]
    city: City
    secure: bool = False


def desk_of(request: Request) -> Desk:
    """The desk that a request came to."""
    desk: Desk = request.app.state.desk
    return desk
