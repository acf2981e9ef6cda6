"""The desk's whole store: alerts and what people do with them, people, and the record."""

from __future__ import annotations

from operations.oncall.store import Store
from operations.store.badges import BadgeRows
from operations.store.check_ins import CheckInRows

__all__ = ["DeskStore"]


class DeskStore(Store, BadgeRows, CheckInRows):
    """One database. May be opened by several processes (SQLite in WAL mode, or PostgreSQL)."""
