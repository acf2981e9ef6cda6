"""The tables of major events. What changes here is a step in `migrations/versions/` too."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

from operations.store.columns import NUMBER, moment, text
from operations.store.tables import METADATA

__all__ = ["MAJOR_EVENTS", "MAJOR_REPORTS"]


MAJOR_EVENTS: Final = sql.Table(
    "major_events",
    METADATA,
    sql.Column("id", sql.String(40), primary_key=True),
    sql.Column("body", sql.LargeBinary, nullable=False),
    *(moment("added_ms"), text("added_by", 100), moment("on_ms"), text("on_by", 100)),
    *(moment("off_ms"), text("off_by", 100), text("why", 2000)),
)
"""`body`: what was set up, JSON; it changes until the event is switched on (`on_ms` > 0), and never after."""

MAJOR_REPORTS: Final = sql.Table(
    "major_reports",
    METADATA,
    sql.Column("number", NUMBER, primary_key=True, autoincrement=True),
    sql.Column("id", sql.String(64), nullable=False, unique=True),
    *(text("event", 40, index=True), text("unit", 40), moment("due_ms"), moment("at_ms")),
    *(text("by", 100), text("by_name", 100), text("kind", 20), text("text", 4000)),
    sql.Column("incidents", sql.Integer, nullable=False),
)
"""Append-only; `number` is the order in which they came."""
