"""One SQL database of the desk: opened, and brought up to date (`operations/store/migrations/`)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite

from operations.store.migrations import migrate
from operations.store.tables import PROGRESS
from operations.store.turns import Turns, turns_of

__all__ = ["Database"]


class Database:
    """May be opened by several processes (SQLite in WAL mode, or PostgreSQL)."""

    def __init__(self, url: str) -> None:
        self._engine = sql.create_engine(
            url, connect_args={"timeout": 30} if url.startswith("sqlite") else {}
        )
        self._turns: Turns | None = None  # PostgreSQL lets many write, and wakes who waits
        if self._engine.dialect.name == "sqlite":
            self._turns = turns_of(url)
            sql.event.listen(self._engine, "connect", _careful)
        try:
            migrate(self._engine)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextmanager
    def _writing(self, *, urgent: bool = False) -> Iterator[sql.Connection]:
        """A transaction of one who writes often or much, in turn with the others of this process."""
        if self._turns is None:
            with self._engine.begin() as connection:
                yield connection
        else:
            with self._turns.turn(urgent=urgent), self._engine.begin() as connection:
                yield connection

    def _insert(self, table: sql.Table) -> sqlite.Insert | postgresql.Insert:
        if self._engine.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)

    def _alone(self, connection: sql.Connection, turn: str) -> None:
        """One at a time until the commit: a write lock on SQLite, a lock of the turn's row on PostgreSQL."""
        mine = self._insert(PROGRESS).values(topic=turn, next_offset=1)
        later = {"next_offset": PROGRESS.c.next_offset + 1}
        connection.execute(mine.on_conflict_do_update(index_elements=[PROGRESS.c.topic], set_=later))


def _careful(connection: sqlite3.Connection, _record: object) -> None:
    """Every commit on the disk before it is told; readers do not wait for writers."""
    connection.execute("PRAGMA journal_mode=WAL").close()
    connection.execute("PRAGMA synchronous=FULL").close()
