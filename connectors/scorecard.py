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
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from connectors.base import Decoded, Device, Devices, Message, Rejected
from connectors.telemetry import VendorTelemetry

__all__ = ["OFFSETS", "RECENT", "UNKNOWN", "VENDORS_MAX", "Heard", "Scorecard", "Tally", "vendor_of"]

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
        if at_ms == self.heard_ms:
            return
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


class Heard(NamedTuple):
    """A message that came, and what it meant; `rejected` says why it, or a part of it, is in quarantine."""

    message: Message
    decoded: Decoded | Rejected
    rejected: Rejected | None


@dataclass(slots=True)
class _Counts:
    """What messages that came together add to one tally."""

    tally: Tally
    messages: int = 0
    readings: int = 0
    late: int = 0
    repeated: int = 0

    def tell(self) -> None:
        telemetry = self.tally.telemetry
        telemetry.messages.inc(self.messages)
        telemetry.readings.inc(self.readings)
        telemetry.late.inc(self.late)
        telemetry.repeated.inc(self.repeated)


class Scorecard:
    """Counts for one door; `saw` may be called from any thread."""

    def __init__(self, lateness_s: int) -> None:
        self._lateness_ms = lateness_s * 1000
        self._lock = threading.Lock()
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._recent: set[int] = set()
        self._before: set[int] = set()

    def saw(self, source: str, heard: Iterable[Heard], devices: Devices) -> None:
        """Messages came, in this order. Those that came together cost less than one by one."""
        with self._lock:
            counts: dict[str, _Counts] = {}
            for each in heard:
                self._count(source, each, devices, counts)
            for count in counts.values():
                count.tell()

    def _count(self, source: str, heard: Heard, devices: Devices, counts: dict[str, _Counts]) -> None:
        at_ms, first = heard.message.received_at_ms, None
        for seen in heard.decoded.observations if isinstance(heard.decoded, Decoded) else ():
            vendor = vendor_of(devices.get(seen.device))
            count = counts.get(vendor) or self._counts(source, vendor, counts)
            first = first or count
            offset_ms = at_ms - seen.observed_at_ms
            identity = hash((seen.device, seen.kind, seen.metric, seen.observed_at_ms, seen.seq))
            count.readings += 1
            count.late += offset_ms > self._lateness_ms
            count.repeated += self._known(identity)
            count.tally.offsets_ms.append(offset_ms)
            count.tally.heard(at_ms)
        if first is None and heard.rejected is None:
            return  # an alarm without a reading, a battery's state: nothing to judge
        first = first or counts.get(UNKNOWN) or self._counts(source, UNKNOWN, counts)
        first.messages += 1
        if heard.rejected is not None:
            first.tally.heard(at_ms)
            first.tally.telemetry.quarantined(heard.rejected.reason)

    def _counts(self, source: str, vendor: str, counts: dict[str, _Counts]) -> _Counts:
        return counts.setdefault(vendor, _Counts(self._tally(source, vendor)))

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
