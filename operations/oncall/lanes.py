"""Senders shared fairly: few at work for one person, so that a receiver that hangs holds no other's up."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict, deque
from collections.abc import Callable
from concurrent.futures import Executor, Future

__all__ = ["Lanes"]


class Lanes:
    """What waits for each person, in its order; at most `each` of one person are under way at once."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, deque[tuple[Future[None], Callable[[], None]]]] = defaultdict(deque)
        self._at_work: Counter[str] = Counter()

    def submit(self, senders: Executor, person: str, work: Callable[[], None]) -> Future[None]:
        """Do it when the person's turn comes; the future ends with it."""
        future: Future[None] = Future()
        with self._lock:
            self._waiting[person].append((future, work))
            begins = self._at_work[person] < self._each
            self._at_work[person] += begins
        if begins:
            senders.submit(self._work, person)
        return future

    def _work(self, person: str) -> None:
        while (item := self._next(person)) is not None:
            future, work = item
            try:
                work()
            except Exception as error:  # noqa: BLE001 - it is told to who asks the future
                future.set_exception(error)
            else:
                future.set_result(None)

    def _next(self, person: str) -> tuple[Future[None], Callable[[], None]] | None:
        with self._lock:
            if self._waiting[person]:
                return self._waiting[person].popleft()
            self._at_work[person] -= 1
            return None
