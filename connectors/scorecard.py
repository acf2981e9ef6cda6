"""How good what each vendor's devices send is, as the door sees it: late, repeated, refused, silent, clock.

The vendor is the registry's column, else the first word of the model (`bosch.tps110`), else `unknown`; of a
message that could not be read nobody knows the device, so it counts as `unknown`. The door judges by its own
clock and memory, the aggregate by the log's, so the numbers are near each other and not the same:
- late: received more than `lateness_s` after it was observed (the aggregate: later than its window waits);
- repeated: the same identity among the last `RECENT` to twice `RECENT` readings of this process (the
  aggregate: among all of its window's time);
- clock offset: received minus observed, of the last `OFFSETS` readings. A device that hoards, or a slow
  network, looks like a clock that is behind; one below zero can only be a clock that is ahead.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

from connectors.base import Decoded, Device, Devices, Message, Rejected
from connectors.telemetry import VendorTelemetry

__all__ = ["OFFSETS", "RECENT", "UNKNOWN", "VENDORS_MAX", "Scorecard", "Tally", "vendor_of"]

UNKNOWN: Final = "unknown"
OTHER: Final = "other"
VENDORS_MAX: Final = 64
"""Vendors of one source that are told apart; those beyond are `other` together."""
RECENT: Final = 50_000
OFFSETS: Final = 512
_HOUR_MS: Final = 3_600_000
_NAME_MAX: Final = 64


def vendor_of(device: Device | None) -> str:
    """Who made the device."""
    if device is None:
        return UNKNOWN
    return (device.vendor or device.model.partition(".")[0])[:_NAME_MAX] or UNKNOWN


class Tally:
    """One source's devices of one vendor. All times ms; the last ones are of the wall clock."""

    __slots__ = ("heard_ms", "hour", "longest_before_ms", "longest_ms", "offsets_ms", "telemetry")

    def __init__(self, source: str, vendor: str) -> None:
        self.offsets_ms: deque[int] = deque(maxlen=OFFSETS)
        self.heard_ms = 0
        self.longest_ms = self.longest_before_ms = self.hour = 0
        self.telemetry = VendorTelemetry(source, vendor, self.heard_s, self.gap_s, self.offset_s)

    def heard(self, at_ms: int) -> None:
        """A message of theirs came."""
        if at_ms // _HOUR_MS != self.hour:
            following = at_ms // _HOUR_MS == self.hour + 1
            self.longest_before_ms, self.longest_ms = self.longest_ms if following else 0, 0
            self.hour = at_ms // _HOUR_MS
        if self.heard_ms:
            self.longest_ms = max(self.longest_ms, at_ms - self.heard_ms)
        self.heard_ms = max(self.heard_ms, at_ms)

    def heard_s(self) -> float:
        """When they were last heard, seconds since 1970."""
        return self.heard_ms / 1000

    def gap_s(self) -> float:
        """The longest silence between two messages in this hour and the one before."""
        return max(self.longest_ms, self.longest_before_ms) / 1000

    def offset_s(self, share: float) -> float:
        """The clock offset that this share of the readings does not exceed; 0 where none came."""
        offsets = sorted(self.offsets_ms)
        return offsets[min(len(offsets) - 1, int(share * len(offsets)))] / 1000 if offsets else 0.0


class Scorecard:
    """Counts for one door; `saw` may be called from any thread."""

    def __init__(self, lateness_s: int) -> None:
        self._lateness_ms = lateness_s * 1000
        self._lock = threading.Lock()
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._recent: set[int] = set()
        self._before: set[int] = set()

    def saw(
        self,
        source: str,
        message: Message,
        decoded: Decoded | Rejected,
        rejected: Rejected | None,
        devices: Devices,
    ) -> None:
        """A message came; `rejected` says why it, or a part of it, is in quarantine."""
        observations = decoded.observations if isinstance(decoded, Decoded) else ()
        with self._lock:
            counts: dict[str, list[int]] = {}
            for seen in observations:
                vendor = vendor_of(devices.get(seen.device))
                count = counts.get(vendor) or counts.setdefault(vendor, [0, 0, 0])
                offset_ms = message.received_at_ms - seen.observed_at_ms
                identity = hash((seen.device, seen.kind, seen.metric, seen.observed_at_ms, seen.seq))
                count[0] += 1
                count[1] += offset_ms > self._lateness_ms
                count[2] += self._known(identity)
                self._tally(source, vendor).offsets_ms.append(offset_ms)
            self._count(source, message.received_at_ms, counts)
            if not counts and rejected is None:
                return  # an alarm without a reading, a battery's state: nothing to judge
            first = self._tally(source, next(iter(counts), UNKNOWN))
            first.telemetry.messages.inc()
            if rejected is not None:
                first.heard(message.received_at_ms)
                first.telemetry.quarantined(rejected.reason)

    def _count(self, source: str, at_ms: int, counts: dict[str, list[int]]) -> None:
        for vendor, (readings, late, repeated) in counts.items():
            tally = self._tally(source, vendor)
            tally.heard(at_ms)
            tally.telemetry.readings.inc(readings)
            if late:
                tally.telemetry.late.inc(late)
            if repeated:
                tally.telemetry.repeated.inc(repeated)

    def _tally(self, source: str, vendor: str) -> Tally:
        found = self._tallies.get((source, vendor))
        if found is not None:
            return found
        if vendor != OTHER and sum(of == source for of, _ in self._tallies) >= VENDORS_MAX:
            return self._tally(source, OTHER)
        return self._tallies.setdefault((source, vendor), Tally(source, vendor))

    def _known(self, identity: int) -> bool:
        """Whether it came lately; remembers it. Two generations, so that forgetting costs nothing."""
        if identity in self._recent or identity in self._before:
            return True
        self._recent.add(identity)
        if len(self._recent) >= RECENT:
            self._before, self._recent = self._recent, set()
        return False
