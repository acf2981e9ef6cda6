"""Wall time: it decides reminders, escalation and the end of a shelving."""

from __future__ import annotations

import time

__all__ = ["now_ms"]


def now_ms() -> int:
    """Now, ms since 1970, UTC."""
    return time.time_ns() // 1_000_000
