"""One SQL database of the desk: opened, brought up to date, checked."""

from __future__ import annotations

import sqlite3

import sqlalchemy as sql
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateColumn

from operations.store.tables import ACTIONS, ALERTS, METADATA
from schemas.errors import SettingsError

__all__ = ["Database"]


class Database:
    """May be opened by several processes (SQLite in WAL mode, or PostgreSQL)."""

    def __init__(self, url: str) -> None:
        self._engine = sql.create_engine(
            url, connect_args={"timeout": 30} if url.startswith("sqlite") else {}
        )
        if self._engine.dialect.name == "sqlite":
            sql.event.listen(self._engine, "connect", _careful)
        METADATA.create_all(self._engine)
        self._bring_up_to_date()

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _bring_up_to_date(self) -> None:
        """Add columns that came later; SettingsError for what an older version cannot have known."""
        found = sql.inspect(self._engine)
        for table in METADATA.sorted_tables:
            columns = {column["name"] for column in found.get_columns(table.name)}
            missing = [column for column in table.columns if column.name not in columns]
            if needed := sorted(column.name for column in missing if column.server_default is None):
                raise SettingsError(
                    f"operations_database: table {table.name} lacks {', '.join(needed)}: another version "
                    "made it; move it away to begin anew"
                )
            if missing:
                self._add(table, missing)
            if table is ALERTS and missing:
                self._tell_acknowledgements_as_actions()

    def _add(self, table: sql.Table, missing: list[sql.Column[object]]) -> None:
        with self._engine.begin() as connection:
            for column in missing:
                form = CreateColumn(column).compile(dialect=self._engine.dialect)
                connection.execute(sql.text(f"ALTER TABLE {table.name} ADD COLUMN {form}"))
            for index in table.indexes:
                index.create(connection, checkfirst=True)

    def _tell_acknowledgements_as_actions(self) -> None:
        """What an older version knew of acknowledgements, as the actions they are."""
        empty = sql.literal("")
        known = sql.select(
            sql.literal("acknowledged-") + ALERTS.c.id, sql.literal("acknowledge"), ALERTS.c.id,
            empty, empty, empty, ALERTS.c.acknowledged_by, empty, ALERTS.c.acknowledged_ms,
            sql.literal(0), sql.literal(1), ALERTS.c.why,
        ).where(ALERTS.c.acknowledged_by != "")  # fmt: skip
        columns = [column.name for column in ACTIONS.columns if column.name != "number"]
        with self._engine.begin() as connection:
            connection.execute(sql.insert(ACTIONS).from_select(columns, known))

    def _insert(self, table: sql.Table) -> sqlite.Insert | postgresql.Insert:
        if self._engine.dialect.name == "sqlite":
            return sqlite.insert(table)
        return postgresql.insert(table)


def _careful(connection: sqlite3.Connection, _record: object) -> None:
    """Every commit on the disk before it is told; readers do not wait for writers."""
    connection.execute("PRAGMA journal_mode=WAL").close()
    connection.execute("PRAGMA synchronous=FULL").close()
