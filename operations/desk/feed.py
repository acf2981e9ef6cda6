"""What changes, told to every open page: one look at the store serves them all.

A page that connects gets what is listed, then what changes; one that was cut off connects anew and gets the
whole list again, so nothing is missed whatever was lost in between. A page too slow to keep up is cut off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from typing import Final

import msgspec
import structlog

from operations.alerts.view import View
from operations.desk.seen import for_person, in_places, seen
from operations.desk.store import DeskStore
from operations.oncall.model import Tracked
from operations.people.roles import Person

__all__ = ["Feed"]

_LOG = structlog.get_logger(__name__)
_LOOK_S: Final = 0.1
_BEAT_S: Final = 5.0
_OVERLAP_MS: Final = 2_000
"""Changes are looked for from a little before the last look: another process's commit may come late."""
_WAITING_MAX: Final = 1_000
_Mark = tuple[int, str, bool]


class Feed:
    """One store watched, any number of listeners. Everything but `wake` is of the event loop."""

    def __init__(self, store: DeskStore, clock: Callable[[], int]) -> None:
        self._store, self._clock = store, clock
        self._listeners: dict[asyncio.Queue[list[View] | None], None] = {}
        self._marks: dict[str, _Mark] = {}
        self._since_ms, self._action = clock(), store.last_action()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """There is news: look now. From any thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._woken.set)

    async def run(self) -> None:
        """Look and tell until cancelled."""
        self._loop = asyncio.get_running_loop()
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), _LOOK_S)
            self._woken.clear()
            changed = await asyncio.to_thread(self._look)
            if changed:
                self._tell(changed)

    def _look(self) -> list[View]:
        """The alerts that changed since the last look, or that somebody did something with."""
        now_ms = self._clock()
        news = {each.alert.id: each for each in self._store.changed(max(1, self._since_ms - _OVERLAP_MS))}
        marks = {id_: _mark(each) for id_, each in news.items()}
        fresh = {id_ for id_, mark in marks.items() if self._marks.get(id_) != mark}
        self._marks = marks
        self._since_ms = now_ms
        self._action, touched = self._store.touched_after(self._action)
        changed = {alert.id: alert for alert in touched} | {id_: news[id_].alert for id_ in fresh}
        alerts = sorted(changed.values(), key=lambda alert: (alert.onset_ms, alert.id))
        return seen(self._store, alerts, now_ms) if alerts else []

    def _tell(self, changed: list[View]) -> None:
        for queue in list(self._listeners):
            if queue.qsize() < _WAITING_MAX:
                queue.put_nowait(changed)
            else:
                self._listeners.pop(queue)
                queue.put_nowait(None)

    async def listen(self, person: Person, listed: Callable[[], list[View]]) -> AsyncIterator[bytes]:
        """Server-sent events for one page: `listed` once, then `changed`, and a `beat` at least every 5 s."""
        queue: asyncio.Queue[list[View] | None] = asyncio.Queue()
        self._listeners[queue] = None
        try:
            yield _event("listed", await asyncio.to_thread(listed), person)
            beaten_s = time.monotonic()
            while True:
                try:
                    changed = await asyncio.wait_for(queue.get(), _BEAT_S)
                except TimeoutError:
                    changed = []
                if changed is None:
                    _LOG.info("page too slow, cut off", person=person.id)
                    return
                mine = [view for view in changed if in_places(person, view.alert.place)]
                if mine:
                    yield _event("changed", mine, person)
                elif time.monotonic() - beaten_s >= _BEAT_S:
                    beaten_s = time.monotonic()
                    yield f"event: beat\ndata: {self._clock()}\n\n".encode()
        finally:
            self._listeners.pop(queue, None)


def _mark(tracked: Tracked) -> _Mark:
    return tracked.alert.revision, tracked.acknowledged_by, tracked.hidden


def _event(name: str, views: Iterable[View], person: Person) -> bytes:
    body = msgspec.json.encode([for_person(view, person) for view in views])
    return b"event: " + name.encode() + b"\ndata: " + body + b"\n\n"
