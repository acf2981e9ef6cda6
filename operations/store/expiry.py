"""What is over-age leaves the desk's database.

Dying between any two lines: a table and its entry of the record are one transaction, so what is gone is told,
and what is told is gone; the next run does the rest. Twice at once: the second finds nothing. The record and
cases lose nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sql
from msgspec.structs import replace

from operations.people.audit import Said
from operations.store.audit import AuditRows
from operations.store.case_tables import CASE_ALERTS
from operations.store.check_in_tables import CHECK_INS
from operations.store.tables import ACTIONS, ALERTS, FAILED_SIGN_INS, OUTBOX, SESSIONS

__all__ = ["ExpiryRows"]

_TURN: Final = "expiry"
_OVER: Final = ("sent", "withdrawn", "digested", "parked")


class ExpiryRows(AuditRows):
    """Counts and takes out what is older than it is kept."""

    def over_age(self, before_ms: Mapping[str, int]) -> dict[str, int]:
        """How many rows of each table are older than its moment."""
        with self._engine.connect() as connection:
            return {
                name: connection.execute(
                    sql.select(sql.func.count()).select_from(table).where(_old(name, before_ms[name]))
                ).scalar_one()
                for name, table in _TABLES.items()
            }

    def expire(self, before_ms: Mapping[str, int], said: Said) -> dict[str, int]:
        """Take them out; returned is how many of each table. `said`: who did it and when."""
        return {name: self._expire(name, before_ms[name], said) for name in _TABLES}

    def _expire(self, name: str, before_ms: int, said: Said) -> int:
        with self._engine.begin() as connection:
            self._alone(connection, _TURN)
            if name == "alerts":  # what people did with them goes first: it is found by them
                gone = sql.select(ALERTS.c.id).where(_old(name, before_ms))
                connection.execute(sql.delete(ACTIONS).where(ACTIONS.c.alert_id.in_(gone)))
            count = connection.execute(sql.delete(_TABLES[name]).where(_old(name, before_ms))).rowcount
            if count:
                detail = f"{count} older than {before_ms} ms"
                self._record(connection, replace(said, what="retention.expire", of=name, detail=detail))
        return count


_TABLES: Final[Mapping[str, sql.Table]] = {
    "sessions": SESSIONS,
    "failed_sign_ins": FAILED_SIGN_INS,
    "notifications": OUTBOX,
    "check_ins": CHECK_INS,
    "alerts": ALERTS,
}


def _old(name: str, before_ms: int) -> sql.ColumnElement[bool]:
    """Over-age and over: what still waits, stands, or belongs to a case is not."""
    if name == "sessions":  # a wall is signed in for ever, also while it is switched off
        over = (SESSIONS.c.ended_ms > 0) | (SESSIONS.c.terminal != "wall")
        return over & (SESSIONS.c.seen_ms < before_ms) & (SESSIONS.c.ended_ms < before_ms)
    if name == "failed_sign_ins":
        return FAILED_SIGN_INS.c.at_ms < before_ms
    if name == "notifications":
        return OUTBOX.c.state.in_(_OVER) & (OUTBOX.c.due_ms < before_ms) & (OUTBOX.c.sent_ms < before_ms)
    if name == "check_ins":
        return CHECK_INS.c.at_ms < before_ms
    told = sql.exists().where(OUTBOX.c.alert_id == ALERTS.c.id)
    in_a_case = sql.exists().where(CASE_ALERTS.c.alert_id == ALERTS.c.id)
    return ~ALERTS.c.open & (ALERTS.c.changed_ms < before_ms) & ~told & ~in_a_case
