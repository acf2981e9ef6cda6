"""Who a pseudonym is of. The desk does not know: it asks who holds the residents' register and its key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Identify", "Resident"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """A resident as their register has them. Nothing of it is kept or logged here."""

    name: str
    telephone: str
    address: str
    contact: str


Identify = Callable[[str], Resident | None]
"""From a pseudonym to the resident; None: the register has nobody of that pseudonym."""
