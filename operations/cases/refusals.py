"""A move that is not allowed: the reason, and what is."""

from __future__ import annotations

from schemas.errors import Refused

__all__ = ["MoveRefused"]


class MoveRefused(Refused):
    """The message says why; `allowed` are the verbs the same person may say now."""

    def __init__(self, reason: str, allowed: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.allowed = allowed
