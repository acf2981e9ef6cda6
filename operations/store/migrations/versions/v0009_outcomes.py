"""What an alert was in the end, and who is to see to it: with the act, and what it was with the alert too."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0009"
down_revision: str | None = "0008"


def upgrade() -> None:
    """Three columns; of what was done before nobody said either."""
    for table, name, length in (
        ("actions", "outcome", 20),
        ("actions", "person", 100),
        ("alerts", "outcome", 20),
    ):
        op.add_column(table, sql.Column(name, sql.String(length), nullable=False, server_default=""))
