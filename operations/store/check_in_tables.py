"""The table of check-ins. What changes here is a step in `migrations/versions/` too."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

from operations.store.columns import NUMBER, text
from operations.store.tables import METADATA

__all__ = ["CHECK_INS"]


def _number(name: str) -> sql.Column[float]:
    return sql.Column(name, sql.Double, nullable=False)


CHECK_INS: Final = sql.Table(
    "check_ins",
    METADATA,
    sql.Column("number", NUMBER, primary_key=True, autoincrement=True),
    sql.Column("id", sql.String(200), nullable=False, unique=True),
    *(text("point", 60, index=True), text("person", 100), text("name", 100)),
    sql.Column("at_ms", sql.BigInteger, nullable=False, index=True),
    *(_number("longitude"), _number("latitude"), _number("distance_m"), text("note", 2000)),
)
"""Append-only."""
