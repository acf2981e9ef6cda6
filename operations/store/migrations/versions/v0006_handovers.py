"""Shift hand-overs: offered by one, signed by another."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0006"
down_revision: str | None = "0005"

_TABLES: Final = sql.MetaData()


def _text(name: str, length: int) -> sql.Column[str]:
    return sql.Column(name, sql.String(length), nullable=False)


def _ms(name: str, *, index: bool = False) -> sql.Column[int]:
    return sql.Column(name, sql.BigInteger, nullable=False, index=index)


sql.Table(
    "handovers",
    _TABLES,
    sql.Column("id", sql.String(64), primary_key=True),
    *(_text("post", 100), _text("outgoing", 100), _text("outgoing_name", 100)),
    *(_ms("offered_ms", index=True), _text("notes", 4000)),
    sql.Column("listed", sql.LargeBinary, nullable=False),
    *(_text("list_hash", 64), _text("incoming", 100), _text("incoming_name", 100)),
    *(_ms("signed_ms", index=True), _ms("withdrawn_ms")),
)


def upgrade() -> None:
    """Make it."""
    _TABLES.create_all(op.get_bind())
