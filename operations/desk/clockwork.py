"""What cases need done by themselves, all the time: limits that pass, what was parked, cases by rule.

`taishi desk serve` does it, whichever process reads the topic of alerts; `taishi oncall serve` does none of
it. Each step is decided and written in one transaction of the database, one at a time (`CaseBook`), so that
of two desks on one database the second finds it done: a warning is one entry, an alert has one case. What
dies between two steps leaves the rest due, and who starts next does it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

import structlog

from operations.cases.decide import SYSTEM
from operations.store.casebook import CaseBook

__all__ = ["Clockwork"]

_LOG = structlog.get_logger(__name__)
_LOOK_S: Final = 0.5
_BEFORE_ALL: Final = -1


class Clockwork:
    """The cases of one desk; `heard` is called when something changed."""

    def __init__(self, cases: CaseBook, clock: Callable[[], int], heard: Callable[[], None]) -> None:
        self._cases, self._clock, self._heard = cases, clock, heard
        self._change = _BEFORE_ALL

    def run(self, stopping: threading.Event) -> None:
        """Deadlines anew by the calendar and settings of now, then look until told to stop."""
        moved = self._cases.recompute(self._clock())
        _LOG.info("deadlines computed anew", moved=len(moved))
        while not stopping.is_set():
            if self.look():
                self._heard()
            stopping.wait(_LOOK_S)

    def look(self) -> int:
        """Do all that is due now; how many cases that changed."""
        now_ms, change = self._clock(), self._cases.last_change()
        opened = self._cases.open_by_rule(self._cases.without_case(self._change), SYSTEM, now_ms)
        self._change = change
        changed = sum(each.how != "known" for each in opened)
        while due := self._cases.tick(now_ms):
            changed += len(due)
        return changed
