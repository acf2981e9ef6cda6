"""Major events, and what their units report."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0007"
down_revision: str | None = "0006"

_TABLES: Final = sql.MetaData()
_NUMBER: Final = sql.BigInteger().with_variant(sql.Integer, "sqlite")


def _text(name: str, length: int, *, index: bool = False) -> sql.Column[str]:
    return sql.Column(name, sql.String(length), nullable=False, index=index)


def _ms(name: str) -> sql.Column[int]:
    return sql.Column(name, sql.BigInteger, nullable=False)


sql.Table(
    "major_events",
    _TABLES,
    sql.Column("id", sql.String(40), primary_key=True),
    sql.Column("body", sql.LargeBinary, nullable=False),
    *(_ms("added_ms"), _text("added_by", 100), _ms("on_ms"), _text("on_by", 100)),
    *(_ms("off_ms"), _text("off_by", 100), _text("why", 2000)),
)
sql.Table(
    "major_reports",
    _TABLES,
    sql.Column("number", _NUMBER, primary_key=True, autoincrement=True),
    sql.Column("id", sql.String(64), nullable=False, unique=True),
    *(_text("event", 40, index=True), _text("unit", 40), _ms("due_ms"), _ms("at_ms")),
    *(_text("by", 100), _text("by_name", 100), _text("kind", 20), _text("text", 4000)),
    sql.Column("incidents", sql.Integer, nullable=False),
)


def upgrade() -> None:
    """Make them."""
    _TABLES.create_all(op.get_bind())
