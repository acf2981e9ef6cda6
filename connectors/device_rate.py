"""No device fills the log alone: what it sends beyond its allowance goes to quarantine, the rest goes on.

It is a broken device's share that is held back, whoever carries it: its network server, its gateway's list,
a credential it shares with others. Signals are never held back. Memory only: a new process begins with full
allowances, and what it refuses is kept as anything that is refused.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import msgspec
import structlog

from connectors.base import Decoded, Observation, Rejected
from connectors.rate import TokenBuckets
from schemas.quarantine import Reason

__all__ = ["DeviceRates"]

_LOG = structlog.get_logger(__name__)
_TELL_EVERY_S: Final = 60.0


class DeviceRates:
    """`burst` readings of a device at once, then `per_s`; from any thread. `clock` is in seconds."""

    def __init__(self, per_s: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._allowed = f"{burst} at once, then {per_s:g} a second"
        self._buckets = TokenBuckets(per_s, burst)
        self._told = TokenBuckets(1 / _TELL_EVERY_S, 1)
        self._clock = clock
        self._lock = threading.Lock()

    def within(self, decoded: Decoded) -> Decoded:
        """The same, with what is too much of a device among the rejected."""
        now_s, take = self._clock(), self._buckets.take
        with self._lock:
            waits = [take(seen.device, now_s) for seen in decoded.observations]
        if not any(waits):
            return decoded
        judged = list(zip(decoded.observations, waits, strict=True))
        over = Counter(_name(seen) for seen, wait_s in judged if wait_s)
        rejected = tuple(self._rejected(name, count, now_s) for name, count in over.items())
        kept = tuple(seen for seen, wait_s in judged if not wait_s)
        return msgspec.structs.replace(decoded, observations=kept, rejected=decoded.rejected + rejected)

    def _rejected(self, name: str, count: int, now_s: float) -> Rejected:
        with self._lock:
            worth_telling = not self._told.take(name, now_s)
        if worth_telling:
            _LOG.warning("device sends too much", device=name, allowed=self._allowed)
        detail = f"device {name}: received {count} readings too many, allowed: {self._allowed}"
        return Rejected(Reason.RATE, detail)


def _name(seen: Observation) -> str:
    return "(a person)" if seen.personal else seen.device
