"""The pulse of every page: the server's clock, how fresh each domain is, and what is wrong.

It has a thread of its own: a store that hangs delays what is read, and never that this is said.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from operations.pages.live.board import Board
from operations.pages.live.keys import BEAT
from operations.pages.live.watch import Watch
from operations.pages.views.freshness import Fresh, Pace, Trouble, freshness, troubles

__all__ = ["BEAT_S", "Beat", "Pulse"]

BEAT_S: Final = 1.0
_SILENT_MS: Final = 5_000
"""For how long the store may not answer before pages say so."""


class Beat(msgspec.Struct, frozen=True):
    """One beat; `overdue_ms`: the moment from which what is shown now is too old, if nothing newer comes."""

    now_ms: int
    overdue_ms: int | None
    troubles: list[Trouble]
    fresh: list[Fresh]


@dataclass(frozen=True)
class Pulse:
    """Puts a beat on the board each second. `unwell`: parts of the pipeline that do not serve now."""

    board: Board
    watch: Watch
    unwell: Callable[[], Mapping[str, str]]
    pace: Pace

    def run(self, stopping: threading.Event) -> None:
        """Beat until told to stop."""
        while not stopping.wait(BEAT_S):
            self.board.put(BEAT, self.beat(self.unwell(), time.time_ns() // 1_000_000))

    def beat(self, unwell: Mapping[str, str], now_ms: int) -> Beat:
        """The beat of a moment."""
        watch = self.watch
        unavailable = watch.unavailable
        if not unavailable and now_ms - watch.answered_ms > _SILENT_MS:
            unavailable = "it does not answer"
        fresh = freshness(watch.situation, self.pace, now_ms)
        ends = [each.end_ms for each in fresh if each.end_ms is not None]
        overdue_ms = self.pace.overdue_ms(max(ends)) if ends else None
        return Beat(now_ms, overdue_ms, troubles(fresh, unavailable, unwell, self.pace, now_ms), fresh)
