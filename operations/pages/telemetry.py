"""Metrics of the pages."""

from __future__ import annotations

from prometheus_client import Gauge, Histogram

__all__ = ["LOOK_SECONDS", "PAGES_OPEN"]

PAGES_OPEN = Gauge("taishi_pages_open", "pages that are connected now")
LOOK_SECONDS = Histogram(
    "taishi_pages_look_seconds",
    "one look at the store, with the frames made of it",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
