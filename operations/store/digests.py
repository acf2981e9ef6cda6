"""Digests of a flood: what was collapsed, and the one message that tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import sqlalchemy as sql

from operations.oncall.digest import Digest
from operations.oncall.model import Message
from operations.store.outbox import OutboxRows
from operations.store.tables import ALERTS, OUTBOX
from schemas.alerts import Alert

__all__ = ["Collapsed", "DigestRows"]

_DECODE = msgspec.json.Decoder(Alert).decode


@dataclass(frozen=True, slots=True)
class Collapsed:
    """A notification that goes into the console's next digest. `answered`: nobody needs it any more."""

    key: str
    alert: Alert
    answered: bool


class DigestRows(OutboxRows):
    """What the outbox holds of digests."""

    def collapsing(self) -> set[str]:
        """Consoles for which something waits for the next digest."""
        wanted = sql.select(OUTBOX.c.person).where(OUTBOX.c.state == "collapsed").distinct()
        with self._engine.connect() as connection:
            return set(connection.execute(wanted).scalars())

    def collapsed(self, console: str) -> list[Collapsed]:
        """What waits for the console's next digest, in the order it came."""
        wanted = (
            sql.select(OUTBOX.c.key, ALERTS.c.body, ALERTS.c.open, ALERTS.c.acknowledged_by)
            .join(ALERTS, ALERTS.c.id == OUTBOX.c.alert_id)
            .where(OUTBOX.c.state == "collapsed", OUTBOX.c.person == console)
            .order_by(OUTBOX.c.planned_ms, OUTBOX.c.key)
        )
        with self._engine.connect() as connection:
            return [
                Collapsed(row.key, _DECODE(row.body), bool(row.acknowledged_by) or not row.open)
                for row in connection.execute(wanted)
            ]

    def last_digest(self, console: str) -> tuple[int, bool]:
        """When the console's newest digest was written (0: none is), and whether it was told."""
        wanted = (
            sql.select(OUTBOX.c.planned_ms, OUTBOX.c.sent_ms)
            .where(OUTBOX.c.key.startswith("digest/"), OUTBOX.c.person == console)
            .order_by(OUTBOX.c.planned_ms.desc())
            .limit(1)
        )
        with self._engine.connect() as connection:
            row = connection.execute(wanted).first()
            return (row.planned_ms, row.sent_ms > 0) if row else (0, True)

    def plan_digest(self, digest: Digest, keys: Sequence[str], now_ms: int) -> None:
        """Write the digest and put these notifications into it; both or neither."""
        message = Message(digest.key, digest.console, digest.head, digest.text)
        with self._fenced() as connection:
            self._put(connection, message, now_ms)
            for start in range(0, len(keys), 500):
                part = OUTBOX.c.key.in_(keys[start : start + 500])
                connection.execute(sql.update(OUTBOX).where(part).values(state="digested", digest=digest.key))
