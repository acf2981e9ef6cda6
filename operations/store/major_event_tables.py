"""The tables of major events. What changes here is a step in `migrations/versions/` too."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

from operations.store.tables import METADATA

__all__ = ["MAJOR_EVENTS", "MAJOR_REPORTS"]

_NUMBER = sql.BigInteger().with_variant(sql.Integer, "sqlite")


def _text(name: str, length: int, *, index: bool = False) -> sql.Column[str]:
    return sql.Column(name, sql.String(length), nullable=False, index=index)


def _ms(name: str) -> sql.Column[int]:
    return sql.Column(name, sql.BigInteger, nullable=False)


MAJOR_EVENTS: Final = sql.Table(
    "major_events",
    METADATA,
    sql.Column("id", sql.String(40), primary_key=True),
    sql.Column("body", sql.LargeBinary, nullable=False),
    *(_ms("added_ms"), _text("added_by", 100), _ms("on_ms"), _text("on_by", 100)),
    *(_ms("off_ms"), _text("off_by", 100), _text("why", 2000)),
)
"""`body`: what was set up, JSON; it changes until the event is switched on (`on_ms` > 0), and never after."""

MAJOR_REPORTS: Final = sql.Table(
    "major_reports",
    METADATA,
    sql.Column("number", _NUMBER, primary_key=True, autoincrement=True),
    sql.Column("id", sql.String(64), nullable=False, unique=True),
    *(_text("event", 40, index=True), _text("unit", 40), _ms("due_ms"), _ms("at_ms")),
    *(_text("by", 100), _text("by_name", 100), _text("kind", 20), _text("text", 4000)),
    sql.Column("incidents", sql.Integer, nullable=False),
)
"""Append-only; `number` is the order in which they came."""
