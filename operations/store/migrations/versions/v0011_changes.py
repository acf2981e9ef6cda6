"""The number of an alert's newest change, by which pages and on-call follow."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0011"
down_revision: str | None = "0010"


def upgrade() -> None:
    """Add it; what is there already has changed before everything that is still to come."""
    op.add_column("alerts", sql.Column("change", sql.BigInteger, nullable=False, server_default="0"))
    op.create_index("ix_alerts_change", "alerts", ["change"])
