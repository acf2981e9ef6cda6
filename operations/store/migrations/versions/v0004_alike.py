"""By what alerts are alike, as columns: rule, place and onset, lifted from their bodies."""

from __future__ import annotations

import msgspec
import sqlalchemy as sql
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0004"
down_revision: str | None = "0003"


class _Alike(msgspec.Struct):
    rule: str
    place: str
    onset_ms: int


def upgrade() -> None:
    """Add the columns and fill them."""
    for name, length in (("rule", 100), ("place", 20)):
        op.add_column("alerts", sql.Column(name, sql.String(length), nullable=False, server_default=""))
    op.add_column("alerts", sql.Column("onset_ms", sql.BigInteger, nullable=False, server_default="0"))
    op.create_index("ix_alerts_rule_place_onset_ms", "alerts", ["rule", "place", "onset_ms"])
    alerts = sql.table("alerts", *(sql.column(name) for name in ("id", "body", *_Alike.__struct_fields__)))
    connection = op.get_bind()
    for row in connection.execute(sql.select(alerts.c.id, alerts.c.body)).all():
        values = msgspec.structs.asdict(msgspec.json.decode(row.body, type=_Alike))
        connection.execute(sql.update(alerts).where(alerts.c.id == row.id).values(**values))
