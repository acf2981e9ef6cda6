"""The table of hand-overs. What changes here is a step in `migrations/versions/` too."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

from operations.store.columns import moment, text
from operations.store.tables import METADATA

__all__ = ["HANDOVERS"]


HANDOVERS: Final = sql.Table(
    "handovers",
    METADATA,
    sql.Column("id", sql.String(64), primary_key=True),
    *(text("post", 100), text("outgoing", 100), text("outgoing_name", 100)),
    *(moment("offered_ms", index=True), text("notes", 4000)),
    sql.Column("listed", sql.LargeBinary, nullable=False),
    *(text("list_hash", 64), text("incoming", 100), text("incoming_name", 100)),
    *(moment("signed_ms", index=True), moment("withdrawn_ms")),
)
"""`listed`: the list as it was offered, JSON. `signed_ms`, `withdrawn_ms` 0: not yet, never."""
