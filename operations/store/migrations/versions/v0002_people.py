"""People, their sessions, and the record of what they did."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0002"
down_revision: str | None = "0001"

_TABLES: Final = sql.MetaData()
_NUMBER: Final = sql.BigInteger().with_variant(sql.Integer, "sqlite")


def _needed(name: str, length: int, *, index: bool = False) -> sql.Column[str]:
    return sql.Column(name, sql.String(length), nullable=False, index=index)


def _moment(name: str, *, index: bool = False) -> sql.Column[int]:
    return sql.Column(name, sql.BigInteger, nullable=False, index=index)


def _zero(name: str) -> sql.Column[int]:
    return sql.Column(name, sql.BigInteger, nullable=False, server_default="0")


sql.Table(
    "people",
    _TABLES,
    sql.Column("id", sql.String(100), primary_key=True),
    *(_needed("name", 100), _needed("roles", 500), _needed("places", 2000)),
    sql.Column("department", sql.String(100), nullable=False, server_default=""),
    sql.Column("disabled", sql.Boolean, nullable=False, server_default=sql.false()),
    *(_moment("made_ms"), _needed("password_hash", 300), _moment("password_ms")),
    *(_needed("totp_secret", 64), _zero("totp_step")),
)
sql.Table(
    "sessions",
    _TABLES,
    sql.Column("token_hash", sql.String(64), primary_key=True),
    *(_needed("person", 100, index=True), _needed("terminal", 20)),
    *(_moment("begun_ms"), _moment("seen_ms"), _zero("ended_ms")),
)
sql.Table(
    "failed_sign_ins",
    _TABLES,
    sql.Column("number", _NUMBER, primary_key=True, autoincrement=True),
    *(_needed("person", 100, index=True), _moment("at_ms")),
)
sql.Table(
    "audit",
    _TABLES,
    sql.Column("number", sql.BigInteger, primary_key=True, autoincrement=False),
    *(_moment("at_ms", index=True), _needed("who", 100, index=True), _needed("terminal", 20)),
    *(_needed("what", 100), _needed("of", 300), _needed("detail", 4000)),
    *(_needed("previous", 64), _needed("hash", 64)),
)


def upgrade() -> None:
    """Make them."""
    _TABLES.create_all(op.get_bind())
