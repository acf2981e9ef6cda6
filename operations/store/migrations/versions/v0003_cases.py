"""Cases, their flow log, the alerts they are about, and a city's standards."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0003"
down_revision: str | None = "0002"


def _text(name: str, length: int) -> sql.Column[str]:
    return sql.Column(name, sql.String(length), nullable=False)


def _ms(name: str) -> sql.Column[int]:
    return sql.Column(name, sql.BigInteger, nullable=False)


def upgrade() -> None:
    """Four tables, and a flow log that nobody changes."""
    op.create_table(
        "cases",
        sql.Column("id", sql.String(32), primary_key=True),
        sql.Column("key", sql.String(200), nullable=False, unique=True),
        sql.Column("version", sql.BigInteger, nullable=False),
        sql.Column("body", sql.LargeBinary, nullable=False),
        *(_text("state", 20), sql.Column("open", sql.Boolean, nullable=False), _text("workflow", 40)),
        *(_text("category", 60), _text("place", 20), _text("source", 20), _text("title", 200)),
        *(_text("department", 100), _text("person", 100), _text("receiver", 100)),
        *(_text("flags", 100), sql.Column("citizens", sql.Integer, nullable=False)),
        *(_ms("reported_ms"), _ms("closed_ms"), _ms("changed_ms")),
        *(_text("clock", 40), _ms("due_ms"), sql.Column("provisional", sql.Boolean, nullable=False)),
        *(_ms("look_ms"), _ms("sort_ms")),
    )
    for name in ("place", "department", "person", "reported_ms", "closed_ms", "changed_ms", "look_ms"):
        op.create_index(f"ix_cases_{name}", "cases", [name])
    op.create_index("ix_cases_open", "cases", ["open", "sort_ms", "id"])
    op.create_index("ix_cases_like", "cases", ["open", "category", "place"])
    _flow()
    op.create_table(
        "case_alerts",
        sql.Column("alert_id", sql.String(32), primary_key=True),
        sql.Column("case_id", sql.String(32), nullable=False),
    )
    op.create_index("ix_case_alerts_case_id", "case_alerts", ["case_id"])
    op.create_table(
        "standards",
        sql.Column("code", sql.String(60), primary_key=True),
        *(_text("category", 60), _text("name", 200), sql.Column("body", sql.LargeBinary, nullable=False)),
        *(_ms("imported_ms"), _text("file", 200)),
    )
    op.create_index("ix_standards_category", "standards", ["category"])


def _flow() -> None:
    op.create_table(
        "case_flow",
        sql.Column(
            "number",
            sql.BigInteger().with_variant(sql.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sql.Column("case_id", sql.String(32), nullable=False),
        sql.Column("version", sql.BigInteger, nullable=False),
        sql.Column("key", sql.String(200), nullable=True, unique=True),
        *(_text("verb", 40), _text("from_state", 20), _text("to_state", 20), _text("by", 100)),
        *(_text("role", 20), _ms("at_ms"), _text("why", 2000), _text("terminal", 40)),
        sql.Column("given", sql.LargeBinary, nullable=False),
        sql.UniqueConstraint("case_id", "version", name="uq_case_flow_version"),
    )
    op.create_index("ix_case_flow_at_ms", "case_flow", ["at_ms"])
    if op.get_bind().dialect.name == "sqlite":
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER case_flow_no_{change.lower()} BEFORE {change} ON case_flow "
                "BEGIN SELECT RAISE(ABORT, 'case_flow is append-only'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION case_flow_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'case_flow is append-only'; END $$"
    )
    op.execute(
        "CREATE TRIGGER case_flow_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON case_flow "
        "FOR EACH STATEMENT EXECUTE FUNCTION case_flow_is_append_only()"
    )
