"""The tables `people`, `sessions` and `failed_sign_ins`.

Dying between any two lines: a change and its entry of the record are one transaction, so nobody has a right
that the record does not tell of. A code's step is taken in the same transaction that begins the session: one
code begins one session, whoever comes at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sql

from operations.cases.people import NAMED
from operations.people.audit import Said
from operations.people.roles import Person, checked_roles
from operations.people.sessions import Session
from operations.store.audit import AuditRows
from operations.store.case_tables import CASES
from operations.store.tables import FAILED_SIGN_INS, PEOPLE, SESSIONS
from schemas.errors import Refused, SettingsError

__all__ = ["Credentials", "PeopleRows"]

_TURN = "people"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody is known by. Never shown, never logged."""

    password_hash: str
    totp_secret: str
    totp_step: int = 0


class PeopleRows(AuditRows):
    """Who may sign in, and who has."""

    def add_person(self, person: Person, known_by: Credentials, said: Said) -> None:
        """Enter somebody new; Refused where the id or the name is taken."""
        with self._engine.begin() as connection:
            self._refuse_name(connection, person)
            new = self._insert(PEOPLE).values(
                **_row(person),
                made_ms=said.at_ms,
                password_hash=known_by.password_hash,
                password_ms=said.at_ms,
                totp_secret=known_by.totp_secret,
            )
            if connection.execute(new.on_conflict_do_nothing().returning(PEOPLE.c.id)).first() is None:
                raise Refused(f"person: received {person.id!r}, who is known already, allowed: another id")
            self._record(connection, said)

    def people(self) -> list[Person]:
        """Everybody, by id."""
        with self._engine.connect() as connection:
            return [_person(row) for row in connection.execute(sql.select(PEOPLE).order_by(PEOPLE.c.id))]

    def person(self, identity: str) -> Person | None:
        """Somebody, or None."""
        with self._engine.connect() as connection:
            row = connection.execute(sql.select(PEOPLE).where(PEOPLE.c.id == identity)).first()
        return _person(row) if row else None

    def credentials(self, identity: str) -> Credentials | None:
        """What somebody is known by, or None."""
        wanted = sql.select(PEOPLE.c.password_hash, PEOPLE.c.totp_secret, PEOPLE.c.totp_step)
        with self._engine.connect() as connection:
            row = connection.execute(wanted.where(PEOPLE.c.id == identity)).first()
        return Credentials(*row) if row else None

    def change_person(self, person: Person, said: Said) -> None:
        """Name, roles, places, department, disabled; who is disabled is signed out everywhere.

        Refused where the name is another's, or an open case names the person by the one they have.
        """
        values = {name: value for name, value in _row(person).items() if name != "id"}
        with self._changing(person.id, values, said, person) as connection:
            if person.disabled:
                _end(connection, SESSIONS.c.person == person.id, said.at_ms)

    def change_password(self, identity: str, password_hash: str, said: Said) -> None:
        """A new password; every session ends."""
        values = {"password_hash": password_hash, "password_ms": said.at_ms}
        with self._changing(identity, values, said) as connection:
            _end(connection, SESSIONS.c.person == identity, said.at_ms)
            connection.execute(sql.delete(FAILED_SIGN_INS).where(FAILED_SIGN_INS.c.person == identity))

    def change_second_factor(self, identity: str, totp_secret: str, said: Said) -> None:
        """A new secret; every session ends."""
        with self._changing(identity, {"totp_secret": totp_secret, "totp_step": 0}, said) as connection:
            _end(connection, SESSIONS.c.person == identity, said.at_ms)

    def _refuse_name(self, connection: sql.Connection, person: Person) -> None:
        """Cases know people by name: what one may see and do there hangs on it. Who keeps theirs may."""
        self._alone(connection, _TURN)
        before = connection.execute(sql.select(PEOPLE.c.name).where(PEOPLE.c.id == person.id)).scalar()
        if before == person.name:
            return
        same = sql.select(PEOPLE.c.id).where(PEOPLE.c.name == person.name, PEOPLE.c.id != person.id)
        if other := connection.execute(same).scalar():
            words = f"name: received {person.name!r}, which {other!r} has, allowed: another, such as"
            raise Refused(f"{words} {person.name}（{person.id}）")
        named = sql.or_(*(CASES.c[field] == before for field in NAMED))
        wanted = sql.select(CASES.c.id).where(CASES.c.open, named).limit(1)
        if before is not None and (case := connection.execute(wanted).scalar()):
            raise Refused(
                f"name: received {person.name!r}, allowed: {before!r} while open cases name them so ({case})"
            )

    @contextmanager
    def _changing(
        self, identity: str, values: dict[str, object], said: Said, named: Person | None = None
    ) -> Iterator[sql.Connection]:
        with self._engine.begin() as connection:
            if named is not None:
                self._refuse_name(connection, named)
            changed = connection.execute(sql.update(PEOPLE).where(PEOPLE.c.id == identity).values(**values))
            if not changed.rowcount:
                raise SettingsError(f"person: received {identity!r}, allowed: one of taishi people list")
            yield connection
            self._record(connection, said)

    def take_step(self, identity: str, step: int, said: Said) -> bool:
        """Use up a code's step; False where it, or a later one, was used in the meantime."""
        with self._engine.begin() as connection:
            taken = _take_step(connection, identity, step)
            if taken:
                self._record(connection, said)
            return taken

    def begin_session(self, session: Session, step: int, said: Said) -> bool:
        """Sign in by a code of that step; False where the step was used in the meantime."""
        with self._engine.begin() as connection:
            if not _take_step(connection, session.person, step):
                return False
            connection.execute(
                sql.insert(SESSIONS).values(
                    token_hash=session.token_hash,
                    person=session.person,
                    terminal=session.terminal,
                    begun_ms=session.begun_ms,
                    seen_ms=session.seen_ms,
                )
            )
            connection.execute(sql.delete(FAILED_SIGN_INS).where(FAILED_SIGN_INS.c.person == session.person))
            self._record(connection, said)
            return True

    def session(self, token_hash: str) -> Session | None:
        """The session of a token, over or not."""
        with self._engine.connect() as connection:
            row = connection.execute(sql.select(SESSIONS).where(SESSIONS.c.token_hash == token_hash)).first()
        return Session(**row._mapping) if row else None  # noqa: SLF001 - SQLAlchemy's own name for it

    def see_session(self, token_hash: str, now_ms: int) -> None:
        """There was a request."""
        with self._engine.begin() as connection:
            seen = sql.update(SESSIONS).where(SESSIONS.c.token_hash == token_hash)
            connection.execute(seen.values(seen_ms=now_ms))

    def end_session(self, token_hash: str, said: Said) -> None:
        """Sign out."""
        with self._engine.begin() as connection:
            _end(connection, SESSIONS.c.token_hash == token_hash, said.at_ms)
            self._record(connection, said)

    def fail_sign_in(self, identity: str, said: Said) -> None:
        """Somebody tried that name and was not let in."""
        with self._engine.begin() as connection:
            connection.execute(sql.insert(FAILED_SIGN_INS).values(person=identity[:100], at_ms=said.at_ms))
            self._record(connection, said)

    def failed_sign_ins(self, identity: str) -> list[int]:
        """When signing in failed since it last succeeded."""
        wanted = sql.select(FAILED_SIGN_INS.c.at_ms).where(FAILED_SIGN_INS.c.person == identity[:100])
        with self._engine.connect() as connection:
            return list(connection.execute(wanted).scalars())


def _take_step(connection: sql.Connection, identity: str, step: int) -> bool:
    mine = sql.update(PEOPLE).where((PEOPLE.c.id == identity) & (PEOPLE.c.totp_step < step))
    return bool(connection.execute(mine.values(totp_step=step)).rowcount)


def _end(connection: sql.Connection, which: sql.ColumnElement[bool], now_ms: int) -> None:
    ending = sql.update(SESSIONS).where(which & (SESSIONS.c.ended_ms == 0))
    connection.execute(ending.values(ended_ms=now_ms))


def _row(person: Person) -> dict[str, object]:
    return {
        "id": person.id,
        "name": person.name,
        "roles": " ".join(person.roles),
        "places": " ".join(person.places),
        "department": person.department,
        "disabled": person.disabled,
    }


def _person(row: sql.Row[tuple[object, ...]]) -> Person:
    facts = row._mapping  # noqa: SLF001 - SQLAlchemy's own name for it
    return Person(
        id=facts["id"],
        name=facts["name"],
        roles=checked_roles(_words(facts["roles"])),
        places=_words(facts["places"]),
        department=facts["department"],
        disabled=facts["disabled"],
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())
