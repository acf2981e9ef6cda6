"""The table `badges`: by what people are known at a touch screen, where nobody types a password.

A badge is found by itself, so all badges of a database share a salt; a PIN has one of its own, and counts
with the person's id only. Dying between any two lines: a change and its entry of the record are one
transaction.
"""

from __future__ import annotations

import secrets
from typing import Final, Literal

import msgspec
import sqlalchemy as sql
from argon2.low_level import Type, hash_secret_raw

from operations.people.audit import Said
from operations.people.sessions import Session
from operations.store.people import PeopleRows
from operations.store.tables import BADGES, FAILED_SIGN_INS, SESSIONS
from schemas.errors import Refused, SettingsError

__all__ = ["BADGE_KINDS", "BadgeKind", "BadgeRows"]

BadgeKind = Literal["badge", "pin"]
BADGE_KINDS: Final[tuple[BadgeKind, ...]] = ("badge", "pin")
_SHORTEST: Final[dict[BadgeKind, int]] = {"badge": 8, "pin": 6}
_MEMORY_KIB: Final = 19_456
"""OWASP's least for Argon2id with two passes: a board computes one a try, behind a lock."""


class BadgeRows(PeopleRows):
    """Badges and PINs, each kept as a hash."""

    def set_badge(self, identity: str, kind: BadgeKind, secret: str, said: Said) -> None:
        """Give somebody a badge or a PIN, in place of the one before.

        Refused for one that is too short or somebody else's; SettingsError where there is no such person.
        """
        if len(secret) < _SHORTEST[kind] or len(set(secret)) < 3:
            allowed = f"{_SHORTEST[kind]} or more, not all alike"
            raise Refused(f"{kind}: received {len(secret)} characters, allowed: {allowed}")
        if self.person(identity) is None:
            raise SettingsError(f"person: received {identity!r}, allowed: one of taishi people list")
        salt = self._salt() if kind == "badge" else secrets.token_hex(16)
        hashed = _hashed(secret, salt)
        if kind == "badge" and self.of_badge(secret) not in {"", identity}:
            raise Refused("badge: received one that is somebody else's, allowed: another")
        row = {"hash": hashed, "salt": salt, "made_ms": said.at_ms}
        with self._engine.begin() as connection:
            new = self._insert(BADGES).values(person=identity, kind=kind, **row)
            connection.execute(
                new.on_conflict_do_update(index_elements=[BADGES.c.person, BADGES.c.kind], set_=row)
            )
            self._record(connection, said)

    def drop_badge(self, identity: str, kind: BadgeKind, said: Said) -> bool:
        """Take it away; False where there was none."""
        mine = (BADGES.c.person == identity) & (BADGES.c.kind == kind)
        with self._engine.begin() as connection:
            dropped = bool(connection.execute(sql.delete(BADGES).where(mine)).rowcount)
            if dropped:
                self._record(connection, said)
            return dropped

    def of_badge(self, secret: str) -> str:
        """Whose badge it is; "" if nobody's."""
        hashed = _hashed(secret, self._salt())
        wanted = sql.select(BADGES.c.person).where((BADGES.c.hash == hashed) & (BADGES.c.kind == "badge"))
        with self._engine.connect() as connection:
            return connection.execute(wanted).scalar() or ""

    def of_pin(self, identity: str, secret: str) -> str:
        """The id again, if that is their PIN; else "", after as long."""
        mine = (BADGES.c.person == identity) & (BADGES.c.kind == "pin")
        wanted = sql.select(BADGES.c.hash, BADGES.c.salt).where(mine)
        with self._engine.connect() as connection:
            row = connection.execute(wanted).first()
        hashed = _hashed(secret, row.salt if row else secrets.token_hex(16))
        return identity if row is not None and secrets.compare_digest(hashed, row.hash) else ""

    def begin_short_session(self, session: Session, lock: str, said: Said) -> None:
        """Sign in at a screen; what failed there before counts no more."""
        with self._engine.begin() as connection:
            connection.execute(sql.insert(SESSIONS).values(**msgspec.structs.asdict(session)))
            connection.execute(sql.delete(FAILED_SIGN_INS).where(FAILED_SIGN_INS.c.person == lock[:100]))
            self._record(connection, said)

    def _salt(self) -> str:
        """That of the badges there are; a new one before the first."""
        with self._engine.connect() as connection:
            wanted = sql.select(BADGES.c.salt).where(BADGES.c.kind == "badge").limit(1)
            return connection.execute(wanted).scalar() or secrets.token_hex(16)


def _hashed(secret: str, salt: str) -> str:
    raw = hash_secret_raw(
        secret.encode(), bytes.fromhex(salt), time_cost=2, memory_cost=_MEMORY_KIB, parallelism=1,
        hash_len=32, type=Type.ID,
    )  # fmt: skip
    return raw.hex()
