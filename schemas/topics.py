"""The topics: names, keys, partitions and settings. Created explicitly, verified at every start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from schemas.kinds import DOMAINS, Domain

__all__ = [
    "ACTS",
    "ALERTS",
    "CHECKPOINTS",
    "CLAIMS",
    "LATE",
    "PRESENCE",
    "QUARANTINE",
    "SIGNALS",
    "TICK_KEY",
    "TOPICS",
    "WINDOWS",
    "Topic",
    "readings_topic",
]

HOUR_MS: Final = 3_600_000
LARGE_BYTES: Final = 32 * 1024 * 1024
"""Largest record of the topics that hold originals or state; a 10 MB message fits whole."""

TICK_KEY: Final = b"tick"
"""Key of the small records that let a silent partition's clock go on; their value is null."""

SIGNALS: Final = "signals"
WINDOWS: Final = "windows"
PRESENCE: Final = "presence"
LATE: Final = "late"
QUARANTINE: Final = "quarantine"
ALERTS: Final = "alerts"
ACTS: Final = "acts"
CHECKPOINTS: Final = "checkpoints"
CLAIMS: Final = "claims"


def readings_topic(domain: Domain) -> str:
    """`parking` -> `readings.parking`."""
    return f"readings.{domain}"


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic as it must be; `config` holds Kafka topic settings by their own names."""

    name: str
    key: str
    value: str
    partitions: int
    config: dict[str, str] = field(default_factory=dict)


def _log(hours: int) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(hours * HOUR_MS),
        "message.timestamp.type": "LogAppendTime",
    }


def _compacted() -> dict[str, str]:
    # An active segment is never compacted: roll often, so that a start reads little.
    return {
        "cleanup.policy": "compact",
        "message.timestamp.type": "LogAppendTime",
        "segment.ms": str(10 * 60_000),
        "segment.bytes": str(64 * 1024 * 1024),
        "min.cleanable.dirty.ratio": "0.1",
    }


_LARGE: Final = {"max.message.bytes": str(LARGE_BYTES)}

TOPICS: Final[dict[str, Topic]] = {
    topic.name: topic
    for topic in (
        *(Topic(readings_topic(d), "grid code", "Reading", 4, _log(72)) for d in DOMAINS),
        Topic(SIGNALS, "grid code", "Signal", 4, _log(72)),
        Topic(WINDOWS, "district code", "Window or Progress", 1, _log(72)),
        Topic(PRESENCE, "district code", "Silence, Stillness or Pulse", 1, _log(72)),
        Topic(LATE, "reading id", "Reading", 1, _log(168)),
        Topic(QUARANTINE, "source", "original bytes, facts in headers", 1, _log(168) | _LARGE),
        Topic(ALERTS, "alert id", "Alert", 1, _compacted()),
        Topic(ACTS, "alert or case id", "Act", 1, _log(365 * 24)),
        Topic(CHECKPOINTS, "job/shard", "state + next offset + epoch", 1, _compacted() | _LARGE),
        Topic(CLAIMS, "job/shard", "who owns the shard from here on", 1, _compacted()),
    )
}
