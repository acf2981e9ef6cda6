"""Metrics of what goes out."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

__all__ = ["ANSWERED", "SECONDS", "UNREADABLE"]

ANSWERED = Counter("taishi_outgoing_answered_total", "requests answered", ["resource", "status"])
SECONDS = Histogram(
    "taishi_outgoing_seconds",
    "from a request to its answer",
    ["resource"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10),
)
UNREADABLE = Counter(
    "taishi_outgoing_unreadable_total", "records of the log that could not be read", ["topic"]
)
