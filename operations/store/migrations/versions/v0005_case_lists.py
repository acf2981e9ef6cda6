"""What lists of cases are searched by since the desk has them: stage, call, who is named, where."""

from __future__ import annotations

from typing import Any, Final

import msgspec
import sqlalchemy as sql
from alembic import op

__all__ = ["down_revision", "revision", "upgrade"]

revision: str = "0005"
down_revision: str | None = "0004"

_STAGES: Final = {
    "reported": "report", "pre_check": "report", "rejected": "end", "filed": "file",
    "to_dispatch": "dispatch", "to_handle": "handle", "handling": "handle", "handled": "handle",
    "feedback": "feedback", "post_check": "feedback", "closed": "close", "evaluated": "evaluate",
    "suspended": "handle",
}  # fmt: skip
_STAGES_OF_RETURN: Final = {"receiver": "file", "dispatcher": "dispatch"}
_TEXTS: Final = {"stage": 20, "reach": 20, "reporter": 100, "checker": 100, "closer": 100}
_NUMBERS: Final = ("longitude", "latitude")


class _Lines(msgspec.Struct):
    state: str
    returned_to: str | None = None
    reach: str = ""
    reporter: str = ""
    checker: str = ""
    closer: str = ""
    longitude: float | None = None
    latitude: float | None = None


def upgrade() -> None:
    """Add the columns and fill them from the cases' bodies."""
    for name, length in _TEXTS.items():
        op.add_column("cases", sql.Column(name, sql.String(length), nullable=False, server_default=""))
    for name in _NUMBERS:
        op.add_column("cases", sql.Column(name, sql.Double, nullable=True))
    columns = ("id", "body", *_TEXTS, *_NUMBERS)
    cases = sql.table("cases", *(sql.column(name) for name in columns))
    connection = op.get_bind()
    for row in connection.execute(sql.select(cases.c.id, cases.c.body)).all():
        values = _values(msgspec.json.decode(row.body, type=_Lines))
        connection.execute(sql.update(cases).where(cases.c.id == row.id).values(**values))


def _values(case: _Lines) -> dict[str, Any]:
    stage = _STAGES.get(case.state) or _STAGES_OF_RETURN.get(case.returned_to or "", "report")
    names = ("reach", "reporter", "checker", "closer", *_NUMBERS)
    return {"stage": stage} | {name: getattr(case, name) for name in names}
