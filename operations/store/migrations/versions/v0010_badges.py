"""By what people are known at a touch screen: badges and PINs."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0010"
down_revision: str | None = "0009"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "badges",
        sql.Column("person", sql.String(100), primary_key=True),
        sql.Column("kind", sql.String(10), primary_key=True),
        sql.Column("hash", sql.String(64), nullable=False),
        sql.Column("salt", sql.String(32), nullable=False),
        sql.Column("made_ms", sql.BigInteger, nullable=False),
    )
    op.create_index("ix_badges_hash", "badges", ["hash"])
