"""Signing in: the name's lock, the password, the code, in this order, each refusal in the same words.

Who tries does not learn whether there is such a person, nor which of the two was wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from operations.people.audit import Said
from operations.people.passwords import Passwords
from operations.people.roles import Person, PersonAtScreen
from operations.people.second_factor import STEP_S, accepted_step
from operations.people.sessions import (
    Session,
    Terminal,
    ended_because,
    locked_until_ms,
    new_token,
    token_hash,
)
from operations.store.badges import BadgeRows
from schemas.calendar import local

__all__ = ["SignInRefusedError", "SignedIn", "SigningIn"]

_LOG = structlog.get_logger(__name__)
_SEEN_EVERY_MS = 15_000


class SignInRefusedError(Exception):
    """Not let in; the message is for who tried. `retry_after_s`: of a lock."""

    def __init__(self, message: str, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who speaks, and from where."""

    person: Person
    terminal: Terminal


class SigningIn:
    """Lets people in, knows them again, lets them out."""

    def __init__(self, store: BadgeRows, passwords: Passwords) -> None:
        self._store, self._passwords = store, passwords

    def sign_in(self, identity: str, password: str, code: str, terminal: Terminal, now_ms: int) -> str:
        """The token of a new session; SignInRefusedError in words that tell nothing of who there is."""
        self._refuse_locked(identity, now_ms)
        token, step = new_token(), self._step(identity, password, code, now_ms)
        session = Session(
            token_hash=token_hash(token), person=identity, terminal=terminal, begun_ms=now_ms, seen_ms=now_ms
        )
        said = Said(at_ms=now_ms, who=identity, terminal=terminal, what="session.begin")
        if step is not None:
            self._refuse_unfit(identity, terminal)
        if step is None or not self._store.begin_session(session, step, said):
            failed = Said(at_ms=now_ms, who=identity[:100], terminal=terminal, what="session.refused")
            self._store.fail_sign_in(identity, failed)
            raise SignInRefusedError(
                "用户名、密码或验证码不对 name, password or code is not right (a code is good once, for "
                f"{STEP_S} s)"
            )
        return token

    def sign_in_at_screen(self, screen: Person, identity: str, secret: str, now_ms: int) -> str:
        """The token of a short session at a touch screen, by one's badge, or with one's id by one's PIN.

        Five failures within an hour lock the screen's sign-in, whoever tries; SignInRefusedError in words.
        """
        lock = f"{screen.id} (screen)"
        self._refuse_locked(lock, now_ms)
        found = self._store.of_pin(identity, secret) if identity else self._store.of_badge(secret)
        person = self._store.person(found) if found else None
        if person is None or person.disabled:
            self._store.fail_sign_in(
                lock, Said(at_ms=now_ms, who=screen.id, terminal="touch", what="session.refused")
            )
            raise SignInRefusedError("工牌或 PIN 不对 the badge or PIN is not right")
        token = new_token()
        session = Session(
            token_hash=token_hash(token), person=person.id, terminal="touch", begun_ms=now_ms, seen_ms=now_ms
        )
        said = Said(at_ms=now_ms, who=person.id, terminal="touch", what="session.begin", of=screen.id)
        self._store.begin_short_session(session, lock, said)
        return token

    def _refuse_locked(self, name: str, now_ms: int) -> None:
        if until_ms := locked_until_ms(self._store.failed_sign_ins(name), now_ms):
            wait_s = (until_ms - now_ms + 999) // 1000
            raise SignInRefusedError(
                f"多次失败，{local(until_ms):%H:%M:%S} 后再试 too many failures: try again in {wait_s} s",
                wait_s,
            )

    def _refuse_unfit(self, identity: str, terminal: Terminal) -> None:
        """A screen's account is for walls and touch screens, where it shows; nobody else's is."""
        person = self._store.person(identity)
        if person is not None and ("screen" in person.roles) != (terminal == "wall"):
            raise SignInRefusedError(
                f"终端不符 terminal: received {terminal} for {', '.join(person.roles)}, allowed: accounts of "
                "role screen at a wall or touch screen, all others elsewhere"
            )

    def _step(self, identity: str, password: str, code: str, now_ms: int) -> int | None:
        person, known = self._store.person(identity), self._store.credentials(identity)
        right = self._passwords.right(known.password_hash if known else "", password)
        if person is None or known is None or not right or person.disabled:
            return None
        return accepted_step(known.totp_secret, code, now_ms, known.totp_step)

    def who(self, token: str, now_ms: int) -> SignedIn:
        """Whose token it is; SignInRefusedError when the session is over, or never was."""
        session = self._store.session(token_hash(token)) if token else None
        if session is None:
            raise SignInRefusedError("请登录 sign in first")
        if words := ended_because(session, now_ms):
            raise SignInRefusedError(f"请重新登录 sign in again: {words}")
        person = self._store.person(session.person)
        if person is None or person.disabled:
            raise SignInRefusedError("账号已停用 this account is disabled")
        if now_ms - session.seen_ms >= _SEEN_EVERY_MS:
            self._see(session, now_ms)
        there = PersonAtScreen.of(person) if session.terminal == "touch" else person
        return SignedIn(there, session.terminal)

    def _see(self, session: Session, now_ms: int) -> None:
        """Note that there was a request. A database that takes nothing ends the session sooner, not now."""
        try:
            self._store.see_session(session.token_hash, now_ms)
        except SQLAlchemyError as error:
            _LOG.warning("a request of a session is not noted", why=type(error).__name__)

    def sign_out(self, token: str, now_ms: int) -> None:
        """End the session of the token, if there is one."""
        session = self._store.session(token_hash(token)) if token else None
        if session is not None and not session.ended_ms:
            said = Said(at_ms=now_ms, who=session.person, terminal=session.terminal, what="session.end")
            self._store.end_session(session.token_hash, said)

    def second_person(self, identity: str, code: str, for_what: str, now_ms: int) -> Person:
        """Somebody who stands beside and agrees, by a code of theirs; SignInRefusedError else."""
        person, known = self._store.person(identity), self._store.credentials(identity)
        if person is not None and known is not None and not person.disabled:
            step = accepted_step(known.totp_secret, code, now_ms, known.totp_step)
            said = Said(at_ms=now_ms, who=identity, terminal="", what="second.agree", of=for_what)
            if step is not None and self._store.take_step(identity, step, said):
                return person
        raise SignInRefusedError("第二人的验证码不对 the second person's code is not right")
