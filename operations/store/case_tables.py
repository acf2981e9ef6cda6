"""The tables of cases. What changes here is a step in `migrations/versions/` too; a test compares them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

from operations.store.columns import NUMBER, moment, text
from operations.store.tables import METADATA

__all__ = ["CASES", "CASE_ALERTS", "CASE_FLOW", "STANDARDS"]


def _later(name: str, length: int) -> sql.Column[str]:
    """Of a later step, which found rows."""
    return sql.Column(name, sql.String(length), nullable=False, server_default="")


CASES: Final = sql.Table(
    "cases",
    METADATA,
    sql.Column("id", sql.String(32), primary_key=True),
    sql.Column("key", sql.String(200), nullable=False, unique=True),
    sql.Column("version", sql.BigInteger, nullable=False),
    sql.Column("body", sql.LargeBinary, nullable=False),
    *(text("state", 20), sql.Column("open", sql.Boolean, nullable=False), text("workflow", 40)),
    *(text("category", 60), text("place", 20, index=True), text("source", 20), text("title", 200)),
    *(text("department", 100, index=True), text("person", 100, index=True), text("receiver", 100)),
    *(text("flags", 100), sql.Column("citizens", sql.Integer, nullable=False)),
    *(moment("reported_ms", index=True), moment("closed_ms", index=True), moment("changed_ms", index=True)),
    *(text("clock", 40), moment("due_ms"), sql.Column("provisional", sql.Boolean, nullable=False)),
    *(_later("stage", 20), _later("reach", 20), _later("reporter", 100)),
    *(_later("checker", 100), _later("closer", 100)),
    *(sql.Column("longitude", sql.Double, nullable=True), sql.Column("latitude", sql.Double, nullable=True)),
    moment("look_ms", index=True),
    moment("sort_ms"),
    sql.Index("ix_cases_open", "open", "sort_ms", "id"),
    sql.Index("ix_cases_like", "open", "category", "place"),
)
"""`body` is the case; the rest is derived of it, to be searched. `clock`, `due_ms`: of its running clocks the
one that is due first (0: none runs), `sort_ms`: the same as lists are ordered by, those without at the end.
`look_ms`: when the system has to look at it next (0: never)."""

CASE_FLOW: Final = sql.Table(
    "case_flow",
    METADATA,
    sql.Column("number", NUMBER, primary_key=True, autoincrement=True),
    sql.Column("case_id", sql.String(32), nullable=False),
    sql.Column("version", sql.BigInteger, nullable=False),
    sql.Column("key", sql.String(200), nullable=True, unique=True),
    *(text("verb", 40), text("from_state", 20), text("to_state", 20), text("by", 100), text("role", 20)),
    *(moment("at_ms", index=True), text("why", 2000), text("terminal", 40)),
    sql.Column("given", sql.LargeBinary, nullable=False),
    sql.UniqueConstraint("case_id", "version", name="uq_case_flow_version"),
)
"""Append-only: triggers of the migration refuse changes. `number` is the order in which they counted."""

CASE_ALERTS: Final = sql.Table(
    "case_alerts",
    METADATA,
    sql.Column("alert_id", sql.String(32), primary_key=True),
    sql.Column("case_id", sql.String(32), nullable=False, index=True),
)
"""One alert belongs to one case."""

STANDARDS: Final = sql.Table(
    "standards",
    METADATA,
    sql.Column("code", sql.String(60), primary_key=True),
    text("category", 60, index=True),
    text("name", 200),
    sql.Column("body", sql.LargeBinary, nullable=False),
    moment("imported_ms"),
    text("file", 200),
)
"""A city's standards as they are now; a case keeps a copy of the one it was filed under."""
