"""What an application of the desk holds: the store, the door, the clock, and the feed of changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Request

from operations.desk.feed import Feed
from operations.desk.store import DeskStore
from operations.people.passwords import Passwords
from operations.people.sign_in import SigningIn

__all__ = ["Desk", "desk_of"]


@dataclass(frozen=True, slots=True)
class Desk:
    """One desk. `district`: its code. `clock`: wall time, ms. `secure`: browsers reach it by TLS."""

    district: str
    store: DeskStore
    door: SigningIn
    passwords: Passwords
    feed: Feed
    clock: Callable[[], int]
    secure: bool = False


def desk_of(request: Request) -> Desk:
    """The desk that a request came to."""
    desk: Desk = request.app.state.desk
    return desk
