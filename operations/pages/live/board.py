"""The newest frame of each key, and who waits for it: made once, sent to everybody.

`put` may be called from any thread; everything else belongs to the event loop. A client that reads slowly
gets the newest frame of each key when it is ready, never a queue of old ones: nothing piles up. Nothing is
kept on disk: a process that dies is asked again by its pages.
"""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress

import msgspec

__all__ = ["Board", "Subscription"]

_ENCODE = msgspec.json.Encoder().encode


class Subscription:
    """What one client waits for."""

    def __init__(self, board: Board, keys: Iterable[str]) -> None:
        self._board = board
        self.keys = frozenset(keys)
        self._changed = {key for key in self.keys if board.message(key) is not None}
        self._ready = asyncio.Event()
        if self._changed:
            self._ready.set()

    def changed(self, key: str) -> None:
        """A newer frame is there."""
        self._changed.add(key)
        self._ready.set()

    async def messages(self) -> list[bytes]:
        """The newest message of each key that changed since the last call; waits for the first."""
        await self._ready.wait()
        self._ready.clear()
        keys, self._changed = sorted(self._changed), set()
        found = (self._board.message(key) for key in keys)
        return [message for message in found if message is not None]


class Board:
    """Frames by key. `wanted` is called when somebody waits for a key that nobody waited for before."""

    def __init__(self, wanted: Callable[[], None] = lambda: None) -> None:
        self._messages: dict[str, bytes] = {}
        self._frames: dict[str, bytes] = {}
        self._watched: Counter[str] = Counter()
        self._subscriptions: set[Subscription] = set()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.wanted = wanted

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """The loop whose clients are told."""
        self._loop = loop

    def put(self, key: str, frame: object) -> bool:
        """Take a frame; True and everybody who waits is told if it is another than the last one."""
        encoded = _ENCODE(frame)
        with self._lock:
            if self._frames.get(key) == encoded:
                return False
            self._frames[key] = encoded
            self._messages[key] = b'{"key":%b,"frame":%b}' % (_ENCODE(key), encoded)
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop has ended: so have the clients
                self._loop.call_soon_threadsafe(self._tell, key)
        return True

    def forget(self) -> bool:
        """Drop the frames that nobody waits for: they would be old when somebody does. Whether any were."""
        with self._lock:
            dropped = self._frames.keys() - self._watched.keys()
            for key in dropped:
                del self._frames[key], self._messages[key]
        return bool(dropped)

    @property
    def watched(self) -> frozenset[str]:
        """Keys that somebody waits for now."""
        with self._lock:
            return frozenset(self._watched)

    def frame(self, key: str) -> bytes | None:
        """The newest frame, JSON."""
        return self._frames.get(key)

    def message(self, key: str) -> bytes | None:
        """The newest frame with its key, as clients get it."""
        return self._messages.get(key)

    @contextmanager
    def subscribed(self, keys: Iterable[str]) -> Iterator[Subscription]:
        """Wait for frames of these keys, for as long as the context lasts."""
        subscription = Subscription(self, keys)
        with self._lock:
            fresh = any(not self._watched[key] for key in subscription.keys)
            self._watched.update(subscription.keys)
        self._subscriptions.add(subscription)
        if fresh:
            self.wanted()
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            with self._lock:
                self._watched.subtract(subscription.keys)
                self._watched += Counter()  # drops what is at zero

    def _tell(self, key: str) -> None:
        for subscription in self._subscriptions:
            if key in subscription.keys:
                subscription.changed(key)
