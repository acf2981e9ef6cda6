"""The table of hand-overs. What changes here is a step in `migrations/versions/` too."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

from operations.store.tables import METADATA

__all__ = ["HANDOVERS"]


def _text(name: str, length: int) -> sql.Column[str]:
    return sql.Column(name, sql.String(length), nullable=False)


def _ms(name: str, *, index: bool = False) -> sql.Column[int]:
    return sql.Column(name, sql.BigInteger, nullable=False, index=index)


HANDOVERS: Final = sql.Table(
    "handovers",
    METADATA,
    sql.Column("id", sql.String(64), primary_key=True),
    *(_text("post", 100), _text("outgoing", 100), _text("outgoing_name", 100)),
    *(_ms("offered_ms", index=True), _text("notes", 4000)),
    sql.Column("listed", sql.LargeBinary, nullable=False),
    *(_text("list_hash", 64), _text("incoming", 100), _text("incoming_name", 100)),
    *(_ms("signed_ms", index=True), _ms("withdrawn_ms")),
)
"""`listed`: the list as it was offered, JSON. `signed_ms`, `withdrawn_ms` 0: not yet, never."""
