"""The table `check_ins`: who was at which patrol point when.

A check-in and its entry of the record are one transaction. One that is sent again under its identity (a phone
that was offline) counts once.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

from operations.people.audit import Said
from operations.scenarios.patrol import CheckIn
from operations.store.audit import AuditRows
from operations.store.check_in_tables import CHECK_INS

__all__ = ["CheckInRows"]

_TURN: Final = "check_ins"
_COLUMNS: Final = [column for column in CHECK_INS.columns if column.name != "number"]


class CheckInRows(AuditRows):
    """Check-ins of patrols."""

    def check_in(self, given: CheckIn, said: Said) -> CheckIn:
        """Keep it; answered is what is kept: of a repeat, what was kept first."""
        with self._engine.begin() as connection:
            self._alone(connection, _TURN)
            known = self._check_ins(connection, CHECK_INS.c.id == given.id)
            if not known:
                facts = {column.name: getattr(given, column.name) for column in _COLUMNS}
                connection.execute(sql.insert(CHECK_INS).values(**facts))
                self._record(connection, said)
            return known[0] if known else given

    def check_ins(self, since_ms: int) -> list[CheckIn]:
        """All since then, in the order they were made."""
        with self._engine.connect() as connection:
            return self._check_ins(connection, CHECK_INS.c.at_ms >= since_ms)

    def _check_ins(self, connection: sql.Connection, where: sql.ColumnElement[bool]) -> list[CheckIn]:
        wanted = sql.select(*_COLUMNS).where(where).order_by(CHECK_INS.c.at_ms, CHECK_INS.c.number)
        return [CheckIn(**row._mapping) for row in connection.execute(wanted)]  # noqa: SLF001 - its own name
