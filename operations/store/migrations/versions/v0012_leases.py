"""Who tells people, of several processes; which channels refused a notification for good."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0012"
down_revision: str | None = "0011"


def upgrade() -> None:
    """Add the table and the column."""
    op.create_table(
        "leases",
        sql.Column("role", sql.String(40), primary_key=True),
        sql.Column("seat", sql.String(200), nullable=False),
        sql.Column("term", sql.BigInteger, nullable=False),
        sql.Column("until_ms", sql.BigInteger, nullable=False),
    )
    op.add_column("notifications", sql.Column("refused", sql.String(500), nullable=False, server_default=""))
