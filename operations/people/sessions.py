"""How long somebody stays signed in, and when a name is locked. Pure; wall time passed in."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from typing import Final, Literal, get_args

import msgspec

__all__ = [
    "LIMITS",
    "TERMINALS",
    "Limits",
    "Session",
    "Terminal",
    "ended_because",
    "locked_until_ms",
    "new_token",
    "token_hash",
]

Terminal = Literal["desk", "phone", "touch", "wall"]
TERMINALS: Final[tuple[Terminal, ...]] = get_args(Terminal)


class Limits(msgspec.Struct, frozen=True):
    """After how long without a request, and after how long at all, a session is over; 0: never."""

    idle_s: int
    whole_s: int


LIMITS: Final[dict[Terminal, Limits]] = {
    "desk": Limits(idle_s=30 * 60, whole_s=12 * 3600),
    "phone": Limits(idle_s=12 * 3600, whole_s=7 * 24 * 3600),
    "touch": Limits(idle_s=2 * 60, whole_s=12 * 3600),
    "wall": Limits(idle_s=0, whole_s=0),
}
"""A desk is left with its shift; a phone is its owner's; a touch screen stands where everybody passes.

A wall is an account of role `screen`, which only reads: it shows the district until somebody disables it.
"""

_FAILURES: Final = 5
_WITHIN_MS: Final = 60 * 60_000
_LOCK_MS: Final = 60_000
_LOCK_MAX_MS: Final = 60 * 60_000


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody signed in at a terminal. The token itself is nowhere but with them."""

    token_hash: str
    person: str
    terminal: Terminal
    begun_ms: int
    seen_ms: int
    ended_ms: int = 0


def new_token() -> str:
    """256 random bits, for a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is kept of a token: who reads the database cannot sign in with it."""
    return hashlib.sha256(token.encode()).hexdigest()


def ended_because(session: Session, now_ms: int) -> str:
    """Why the session is over, in words; "" while it lasts."""
    limits = LIMITS[session.terminal]
    if session.ended_ms:
        return "已退出 signed out"
    if limits.whole_s and now_ms - session.begun_ms >= limits.whole_s * 1000:
        return f"登录已满 {limits.whole_s // 3600} 小时 signed in for {limits.whole_s // 3600} h"
    if limits.idle_s and now_ms - session.seen_ms >= limits.idle_s * 1000:
        return f"超过 {limits.idle_s // 60} 分钟未操作 nothing heard for {limits.idle_s // 60} min"
    return ""


def locked_until_ms(failures_ms: Sequence[int], now_ms: int) -> int:
    """Until when a name is locked, by when signing in failed since it last succeeded; 0: it is not.

    Five failures within an hour lock it for a minute; each further one doubles that, up to an hour: guessing
    is slow, and nobody is locked out for good by somebody else.
    """
    last_ms = max(failures_ms, default=0)
    count = sum(at_ms > last_ms - _WITHIN_MS for at_ms in failures_ms)
    if count < _FAILURES:
        return 0
    until_ms = last_ms + min(_LOCK_MS << min(count - _FAILURES, 10), _LOCK_MAX_MS)
    return until_ms if until_ms > now_ms else 0
