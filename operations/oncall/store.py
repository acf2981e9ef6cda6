"""What the desk knows, durable: alerts, what people did with them, and the outbox of notifications (SQL).

Dying between any two lines:
- alerts and the offset behind them are one transaction: a batch is known whole, or is read again;
- a notification is written before it is sent, under its key, and marked after: one that died between
  sending and marking is sent again under the same key;
- a digest and what is in it are one transaction, and so are a notification and the flood it feeds;
- an action is judged and written in one transaction, one after the other: the first counts, and one that
  is said again under its identity changes nothing.
"""

from __future__ import annotations

from operations.store.digests import DigestRows
from operations.store.handovers import HandoverRows
from operations.store.major_events import MajorEventRows
from operations.store.outbox import Outgoing

__all__ = ["Outgoing", "Store"]


class Store(MajorEventRows, DigestRows, HandoverRows):
    """One database. May be opened by several processes (SQLite in WAL mode, or PostgreSQL)."""
