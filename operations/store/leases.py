"""One at a time, on however many machines: a lease in the database, and writes that only its holder makes.

Dying between any two lines: a lease is taken, kept and given back in one statement each, and a fenced write
looks at the term in its own transaction. Who was stopped and wakes finds another's term there and has written
nothing; what it had written before, the next one finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sql

from operations.store.database import Database
from operations.store.lease_tables import LEASES
from schemas.errors import TaishiError

__all__ = ["LeaseRows", "StaleTermError"]


class StaleTermError(TaishiError):
    """Another has taken over: what was to be written is not, and is theirs to do."""


class LeaseRows(Database):
    """The table `leases`. A store holds one role at most; until it leads, its writes are not fenced."""

    _role, _term = "", 0

    def lead(self, role: str, seat: str, now_ms: int, until_ms: int, *, seated: bool = False) -> bool:
        """Take the role if nobody has it at that moment; whether it is ours now.

        `seated`: also if the seat is the one that has it, which a new process in the place of one that died
        says, once.
        """
        self._role = role
        free = LEASES.c.until_ms <= now_ms
        mine = (LEASES.c.seat == seat) if seated else sql.false()
        taken = sql.update(LEASES).where(LEASES.c.role == role, free | mine)
        if not self._may_be_free(role, free | mine):
            return False
        with self._engine.begin() as connection:
            new = self._insert(LEASES).values(role=role, seat="", term=0, until_ms=0)
            connection.execute(new.on_conflict_do_nothing())
            won = connection.execute(taken.values(seat=seat, term=LEASES.c.term + 1, until_ms=until_ms))
            if won.rowcount:
                wanted = sql.select(LEASES.c.term).where(LEASES.c.role == role)
                self._term = connection.execute(wanted).scalar_one()
            return bool(won.rowcount)

    def _may_be_free(self, role: str, free: sql.ColumnElement[bool]) -> bool:
        """A look without a write: who waits for its turn asks often."""
        with self._engine.connect() as connection:
            found = connection.execute(sql.select(free).where(LEASES.c.role == role)).scalar()
        return found is None or bool(found)

    def keep(self, until_ms: int) -> None:
        """Have the role until then; StaleTermError where another has it."""
        with self._fenced() as connection:
            connection.execute(self._ours().values(until_ms=until_ms))

    def leave(self) -> None:
        """Give the role back, if it is still ours."""
        with self._engine.begin() as connection:
            connection.execute(self._ours().values(until_ms=0))
        self._term = 0

    def _ours(self) -> sql.Update:
        return sql.update(LEASES).where(LEASES.c.role == self._role, LEASES.c.term == self._term)

    @contextmanager
    def _fenced(self) -> Iterator[sql.Connection]:
        """A transaction of who leads: nobody else can take the role before it is committed."""
        with self._writing() as connection:
            if self._term and not connection.execute(self._ours().values(term=self._term)).rowcount:
                raise StaleTermError(
                    f"{self._role}: term {self._term} is over: another process has taken over"
                )
            yield connection
