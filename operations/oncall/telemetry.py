"""What the on-call service counts."""

from __future__ import annotations

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

__all__ = [
    "ALERT_TO_CHANNEL_SECONDS",
    "COLLAPSED",
    "FAILED",
    "FLOODS",
    "IN_FLOOD",
    "NOTIFIED",
    "PARKED",
    "STOOD_DOWN",
    "UNREADABLE",
]

NOTIFIED: Final = Counter("taishi_notifications_sent_total", "notifications a channel took", ["channel"])
FAILED: Final = Counter("taishi_notifications_failed_total", "attempts that no channel of a person took")
COLLAPSED: Final = Counter("taishi_notifications_collapsed_total", "notifications that went into a digest")
PARKED: Final = Gauge("taishi_notifications_parked", "notifications that every channel refused for good")
STOOD_DOWN: Final = Counter("taishi_oncall_stood_down_total", "times another process had taken over")
FLOODS: Final = Counter("taishi_floods_total", "floods that began at a console")
IN_FLOOD: Final = Gauge("taishi_consoles_in_flood", "consoles in flood mode now")
UNREADABLE: Final = Counter("taishi_alerts_unreadable_total", "records of the topic alerts that are none")
ALERT_TO_CHANNEL_SECONDS: Final = Histogram(
    "taishi_alert_to_channel_seconds",
    "from the desk's first sight of an alert until a channel took the first notice",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
)
