"""Flood mode of a console (a person): when it begins, when it ends, how much it was. Pure; time passed in.

More than `start` alarms annunciated in the window begin it, fewer than `end` in the window end it (ISA-18.2;
two limits, so that it does not flap). What is collapsed counts as annunciated: the load is what came, not
what rang, so a flood does not end because it was hidden.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

__all__ = ["Flood", "FloodLimits", "Load", "floods_of"]


@dataclass(frozen=True, slots=True)
class FloodLimits:
    """`start`: exceeded, it begins; `end`: below, it ends; both in `window_ms`."""

    start: int = 10
    end: int = 5
    window_ms: int = 600_000


@dataclass(frozen=True, slots=True)
class Flood:
    """One flood. `end_ms` 0: it goes on. `count`: with those that began it; `peak`: most in one window."""

    console: str
    start_ms: int
    count: int
    peak: int
    end_ms: int = 0


@dataclass(slots=True)
class Load:
    """What one console bears. Times must not go back by more than the caller's clock does."""

    console: str
    limits: FloodLimits = field(default_factory=FloodLimits)
    recent: deque[int] = field(default_factory=deque)
    flood: Flood | None = None

    def passed(self, now_ms: int) -> Flood | None:
        """Let time pass; the flood that ended by then, with the moment at which it did."""
        ended = self._ended(now_ms)
        self._forget(now_ms)
        return ended

    def annunciated(self, at_ms: int) -> Flood | None:
        """Count one alarm; the flood that ended before it. `flood` then says whether one is on."""
        ended = self._ended(at_ms - 1)
        self.recent.append(at_ms)
        self._forget(at_ms)
        held = len(self.recent)
        if self.flood is not None:
            self.flood = replace(self.flood, count=self.flood.count + 1, peak=max(self.flood.peak, held))
        elif held > self.limits.start:
            self.flood = Flood(self.console, at_ms, held, held)
        return ended

    def _ended(self, now_ms: int) -> Flood | None:
        over_ms = self._over_ms()
        if self.flood is None or over_ms > now_ms:
            return None
        ended = replace(self.flood, end_ms=max(over_ms, self.flood.start_ms))
        self.flood = None
        return ended

    def _forget(self, now_ms: int) -> None:
        while self.recent and self.recent[0] <= now_ms - self.limits.window_ms:
            self.recent.popleft()

    def _over_ms(self) -> int:
        """When fewer than `end` will be in the window, if none comes until then."""
        if len(self.recent) < self.limits.end:
            return 0
        return self.recent[-self.limits.end] + self.limits.window_ms


def floods_of(console: str, times_ms: Iterable[int], until_ms: int, limits: FloodLimits) -> list[Flood]:
    """All floods of a console, given when its alarms were annunciated; one that goes on has no end."""
    load = Load(console, limits)
    ended = [load.annunciated(at_ms) for at_ms in sorted(times_ms)]
    return [flood for flood in (*ended, load.passed(until_ms), load.flood) if flood is not None]
