"""Columns as the tables of the desk have them: never null; a table of its own module names what it needs.

Steps in `migrations/versions/` do not use these: a step is frozen.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

__all__ = ["NUMBER", "moment", "text"]

NUMBER: Final = sql.BigInteger().with_variant(sql.Integer, "sqlite")
"""The type of a key that counts up by itself: SQLite has that for its own integers only."""


def text(name: str, length: int, *, index: bool = False) -> sql.Column[str]:
    """A text of at most that length."""
    return sql.Column(name, sql.String(length), nullable=False, index=index)


def moment(name: str, *, index: bool = False) -> sql.Column[int]:
    """Milliseconds since 1970, UTC."""
    return sql.Column(name, sql.BigInteger, nullable=False, index=index)
