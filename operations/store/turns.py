"""Who of a process writes next: SQLite takes one writer at a time, and who waits only asks now and then.

Three loops of the desk write nearly all the time in a storm. Whoever asked at the wrong moments waited for
seconds while the others took turns; here each waits for what is being written, and for who was there before.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakValueDictionary

__all__ = ["Turns", "turns_of"]

_MADE = threading.Lock()
_KNOWN: WeakValueDictionary[str, Turns] = WeakValueDictionary()


class Turns:
    """One at a time: the urgent first, of those alike who came first."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[tuple[bool, int]] = []
        self._number = 0
        self._busy = False

    @contextmanager
    def turn(self, *, urgent: bool = False) -> Iterator[None]:
        """Wait for one's turn, and have it. Not to be asked for by who has it."""
        with self._changed:
            self._number += 1
            mine = (not urgent, self._number)
            heapq.heappush(self._waiting, mine)
            self._changed.wait_for(lambda: not self._busy and self._waiting[0] == mine)
            heapq.heappop(self._waiting)
            self._busy = True
        try:
            yield
        finally:
            with self._changed:
                self._busy = False
                self._changed.notify_all()


def turns_of(url: str) -> Turns:
    """Those of a database: the same for everybody in the process who has it open."""
    with _MADE:
        found = _KNOWN.get(url)
        if found is None:
            found = _KNOWN[url] = Turns()
        return found
