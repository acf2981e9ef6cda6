"""Who does what only one may do at a time."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

from operations.store.tables import METADATA

__all__ = ["LEASES"]

LEASES: Final = sql.Table(
    "leases",
    METADATA,
    sql.Column("role", sql.String(40), primary_key=True),
    sql.Column("seat", sql.String(200), nullable=False),
    sql.Column("term", sql.BigInteger, nullable=False),
    sql.Column("until_ms", sql.BigInteger, nullable=False),
)
"""`seat`: who has it, or had it last. `term`: rises with each who takes it; a write of an older one is none.
`until_ms`: from then on another seat may take it."""
