"""What goes wrong between a device and the door: dead devices, late, repeated and malformed messages.

Shares are ours, small and fixed: two devices in a hundred are dead, five LoRaWAN messages in a
thousand come minutes late, five messages in a thousand come twice, one in a thousand is broken.
"""

from __future__ import annotations

import dataclasses
import heapq
import zlib
from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from simulation.vendors.outgoing import Outgoing

__all__ = ["DEAD", "LATE", "MALFORMED", "REPEATED", "Faults", "is_dead"]

DEAD: Final = 0.02
LATE: Final = 0.005
REPEATED: Final = 0.005
MALFORMED: Final = 0.001
_LATE_S: Final = (120.0, 480.0)


def is_dead(device: str, seed: int) -> bool:
    """Whether the device has fallen silent for good; known from its name alone, so it stays dead."""
    return zlib.crc32(f"{seed}/{device}".encode()) / 2**32 < DEAD


class Faults:
    """Passes messages on, some of them late, twice or broken."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._held: list[tuple[int, int, Outgoing]] = []
        self._count = 0

    def apply(self, messages: Iterable[Outgoing], now_ms: int) -> Iterator[Outgoing]:
        """What is sent now: the messages, those held back until now, and what went wrong with either."""
        for message in messages:
            draw = self._rng.random()
            if message.vendor == "chirpstack" and draw < LATE:
                self._hold(message, now_ms)
                continue
            yield self._broken(message) if draw > 1 - MALFORMED else message
            if self._rng.random() < REPEATED:
                yield message
        while self._held and self._held[0][0] <= now_ms:
            yield heapq.heappop(self._held)[2]

    def _hold(self, message: Outgoing, now_ms: int) -> None:
        self._count += 1
        until_ms = now_ms + int(self._rng.uniform(*_LATE_S) * 1000)
        heapq.heappush(self._held, (until_ms, self._count, message))

    def _broken(self, message: Outgoing) -> Outgoing:
        """Cut in the middle, with a wrong type, from an unknown device, or not text at all."""
        payload = message.payload
        ways = (
            payload[: len(payload) // 2],
            payload.replace(b'"time"', b'"time_was"').replace(b"dateTime", b"dateTme"),
            payload.replace(b"5a5a", b"dead").replace(b"sim-", b"nobody-").replace(b"02:5a", b"02:ff"),
            b"\xff\xfe" + payload,
        )
        return dataclasses.replace(message, payload=ways[int(self._rng.integers(len(ways)))])
