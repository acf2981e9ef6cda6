"""Metrics of the HTTP door that belong to no message: see connectors.telemetry for those that do."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter

__all__ = ["CLOSED_SLOW", "REPEATED"]

REPEATED: Final = Counter(
    "taishi_http_repeats_total",
    "signed requests that came again and were told the first one's answer; not counted as received again",
    ["source"],
)
CLOSED_SLOW: Final = Counter(
    "taishi_http_slow_connections_total",
    "connections closed because a request's headers did not come in time",
)
