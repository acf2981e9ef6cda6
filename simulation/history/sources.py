"""What the doors would have counted of each source in a minute of the past: messages, bad, late, double.

Shares are those of the live city's faults (simulation/faults.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from simulation.faults import LATE, MALFORMED, REPEATED
from simulation.history.happenings import Happening
from simulation.history.rhythm import HOUR_MS, MINUTE_MS, stream, street

__all__ = ["SOURCES", "SourceMinute", "source_minutes"]

_REASONS: Final = ("malformed", "missing_field", "unknown_device", "encoding")


@dataclass(frozen=True, slots=True)
class Sender:
    """Devices of one vendor behind one source: messages a minute, readings a message, median clock offset."""

    source: str
    vendor: str
    messages: float
    readings: float
    clock_s: float
    by_street: bool = False


SOURCES: Final = (
    Sender("mqtt.chirpstack", "bosch", 330.0, 1.0, 0.4, by_street=True),
    Sender("mqtt.chirpstack", "milesight", 120.0, 1.0, 0.5),
    Sender("mqtt.zigbee2mqtt", "zigbee2mqtt", 380.0, 1.6, 0.1),
    Sender("http.hikvision", "hikvision", 420.0, 1.8, 1.2, by_street=True),
    Sender("http.fiware", "fiware", 16.0, 2.0, 2.5),
    Sender("http.fhir", "fhir", 790.0, 1.0, 4.0),
    Sender("http.governance", "governance", 1.5, 1.0, 12.0, by_street=True),
)
"""Who sends in the simulated city, and about how much."""


@dataclass(frozen=True, slots=True)
class SourceMinute:
    """One sender's minute that ended at `at_ms`; `bad` by reason; `silent_s` since its last message."""

    source: str
    vendor: str
    at_ms: int
    messages: int
    readings: int
    late: int
    duplicate: int
    bad: dict[str, int]
    silent_s: float
    usual_s: float
    clock_s: float


def source_minutes(seed: int, hour_ms: int, happened: Iterable[Happening]) -> Iterator[SourceMinute]:
    """The minutes of the hour that begins at `hour_ms`, in which the system ran."""
    rng, gone = stream(seed, 14, hour_ms // HOUR_MS), list(happened)
    for minute in range(HOUR_MS // MINUTE_MS):
        at_ms = hour_ms + (minute + 1) * MINUTE_MS
        if any(one.what == "system-down" and one.from_ms < at_ms <= one.until_ms for one in gone):
            continue
        busy = float(street(np.array([at_ms - MINUTE_MS]))[0])
        for sender in SOURCES:
            dead = [one for one in gone if one.what == "feed-dead" and one.device == sender.source]
            yield _minute(sender, at_ms, busy if sender.by_street else 1.0, (rng, dead))


def _minute(
    sender: Sender, at_ms: int, busy: float, drawn: tuple[np.random.Generator, list[Happening]]
) -> SourceMinute:
    rng, dead = drawn
    since = next((one.from_ms for one in dead if one.from_ms < at_ms <= one.until_ms), None)
    messages = int(rng.poisson(sender.messages * busy)) if since is None else 0
    readings, bad = round(messages * sender.readings), int(rng.binomial(messages, MALFORMED))
    late = int(rng.binomial(readings, LATE)) if sender.source == "mqtt.chirpstack" else 0
    usual_s = max(1.0, 300 / sender.messages)
    silent_s = usual_s * float(rng.random()) if since is None else (at_ms - since) / 1000
    return SourceMinute(
        sender.source,
        sender.vendor,
        at_ms,
        messages,
        readings,
        late,
        int(rng.binomial(readings, REPEATED)),
        {reason: int(n) for reason, n in zip(_REASONS, rng.multinomial(bad, [0.25] * 4), strict=True)},
        silent_s,
        usual_s,
        sender.clock_s + float(rng.normal(0, 0.05)),
    )
