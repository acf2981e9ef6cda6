"""What the desk counts."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter

__all__ = ["ACTS_PUBLISHED", "ACTS_UNSENT"]

ACTS_PUBLISHED: Final = Counter("taishi_acts_published_total", "acts that the topic acts has")
ACTS_UNSENT: Final = Counter("taishi_acts_unsent_total", "tries to publish acts that the log did not take")
