"""Alerts, notifications, actions and floods; takes over databases from before there were steps.

Such a database lacks tables and columns that came later. Columns with a default are added; a table that
lacks others is none of ours.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql
from alembic import op
from sqlalchemy.schema import CreateColumn

from schemas.errors import SettingsError

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0001"
down_revision: str | None = None

_TABLES: Final = sql.MetaData()
_NUMBER: Final = sql.BigInteger().with_variant(sql.Integer, "sqlite")


def _int(name: str, *, index: bool = False) -> sql.Column[int]:
    return sql.Column(name, sql.BigInteger, nullable=False, server_default="0", index=index)


def _text(name: str, length: int, default: str = "", *, index: bool = False) -> sql.Column[str]:
    return sql.Column(name, sql.String(length), nullable=False, server_default=default, index=index)


def _flag(name: str) -> sql.Column[bool]:
    return sql.Column(name, sql.Boolean, nullable=False, server_default=sql.false())


_ALERTS: Final = sql.Table(
    "alerts",
    _TABLES,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("body", sql.LargeBinary, nullable=False),
    sql.Column("revision", sql.BigInteger, nullable=False),
    sql.Column("first_seen_ms", sql.BigInteger, nullable=False),
    sql.Column("open", sql.Boolean, nullable=False),
    sql.Column("changed_ms", sql.BigInteger, nullable=False, index=True),
    *(_text("acknowledged_by", 100), _int("acknowledged_ms"), _text("why", 500)),
    *(_text("cause", 100, index=True), _int("reset_count"), _flag("hidden"), _int("round")),
    _int("visible_ms"),
)
sql.Table(
    "notifications",
    _TABLES,
    sql.Column("key", sql.String(200), primary_key=True),
    sql.Column("alert_id", sql.String(32), nullable=False, index=True),
    sql.Column("person", sql.String(100), nullable=False),
    sql.Column("step", sql.Integer, nullable=False),
    sql.Column("due_ms", sql.BigInteger, nullable=False),
    *(_int("sent_ms", index=True), _int("attempts"), _int("next_ms"), _text("channel", 40)),
    *(_text("problem", 500), _text("state", 10, "waiting", index=True), _int("planned_ms", index=True)),
    *(_int("repeat"), _flag("again"), _flag("urgent"), _text("digest", 200, index=True)),
    *(_text("head", 500), _text("text", 4000)),
)
sql.Table(
    "progress",
    _TABLES,
    sql.Column("topic", sql.String(100), primary_key=True),
    sql.Column("next_offset", sql.BigInteger, nullable=False),
)
_ACTIONS: Final = sql.Table(
    "actions",
    _TABLES,
    sql.Column("number", _NUMBER, primary_key=True, autoincrement=True),
    sql.Column("id", sql.String(64), nullable=False, unique=True),
    sql.Column("kind", sql.String(20), nullable=False, index=True),
    sql.Column("alert_id", sql.String(32), nullable=False, index=True),
    sql.Column("rule", sql.String(100), nullable=False),
    sql.Column("place", sql.String(20), nullable=False),
    sql.Column("device", sql.String(200), nullable=False),
    sql.Column("by", sql.String(100), nullable=False),
    sql.Column("second", sql.String(100), nullable=False),
    sql.Column("at_ms", sql.BigInteger, nullable=False),
    sql.Column("until_ms", sql.BigInteger, nullable=False),
    sql.Column("count", sql.BigInteger, nullable=False),
    sql.Column("why", sql.String(2000), nullable=False),
)
sql.Table(
    "floods",
    _TABLES,
    sql.Column("console", sql.String(100), primary_key=True),
    sql.Column("start_ms", sql.BigInteger, primary_key=True),
    *(_int("end_ms", index=True), _int("count"), _int("peak")),
)


def upgrade() -> None:
    """Make what is not there."""
    connection = op.get_bind()
    found = sql.inspect(connection)
    before = {name: found.get_columns(name) for name in _TABLES.tables if found.has_table(name)}
    _TABLES.create_all(connection, tables=[t for t in _TABLES.sorted_tables if t.name not in before])
    for name, columns in before.items():
        _complete(connection, _TABLES.tables[name], {column["name"] for column in columns})


def _complete(connection: sql.Connection, table: sql.Table, columns: set[str]) -> None:
    missing = [column for column in table.columns if column.name not in columns]
    if needed := sorted(column.name for column in missing if column.server_default is None):
        raise SettingsError(
            f"operations_database: table {table.name} lacks {', '.join(needed)}: another version "
            "made it; move it away to begin anew"
        )
    for column in missing:
        form = CreateColumn(column).compile(dialect=connection.dialect)
        connection.execute(sql.text(f"ALTER TABLE {table.name} ADD COLUMN {form}"))
    for index in table.indexes:
        index.create(connection, checkfirst=True)
    if table is _ALERTS and missing:
        _tell_acknowledgements_as_actions(connection)


def _tell_acknowledgements_as_actions(connection: sql.Connection) -> None:
    """What an older version knew of acknowledgements, as the actions they are."""
    empty = sql.literal("")
    known = sql.select(
        sql.literal("acknowledged-") + _ALERTS.c.id, sql.literal("acknowledge"), _ALERTS.c.id,
        empty, empty, empty, _ALERTS.c.acknowledged_by, empty, _ALERTS.c.acknowledged_ms,
        sql.literal(0), sql.literal(1), _ALERTS.c.why,
    ).where(_ALERTS.c.acknowledged_by != "")  # fmt: skip
    columns = [column.name for column in _ACTIONS.columns if column.name != "number"]
    connection.execute(sql.insert(_ACTIONS).from_select(columns, known))
