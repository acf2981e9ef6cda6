"""What changes, told to every open page: one look at the store serves them all.

A page that connects gets the alerts that are listed, then what changes, of alerts and of cases. One that was
cut off connects anew and gets the whole list again; its cases it asks for again when `listed` has come, and
nothing that changed after that answer is left out. A page too slow to keep up is cut off.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final

import msgspec
import structlog

from operations.alerts.view import View
from operations.desk.case_answers import items
from operations.desk.seen import for_person, seen
from operations.desk.store import DeskStore
from operations.desk.told import CaseNews, News, event, tells_alert, tells_case
from operations.oncall.model import Tracked
from operations.people.roles import Person
from operations.store.casebook import CaseBook

__all__ = ["Feed"]

_LOG = structlog.get_logger(__name__)
_LOOK_S: Final = 0.1
_BEAT_S: Final = 5.0
_OVERLAP_MS: Final = 2_000
"""Changes are looked for from a little before the last look: another process's commit may come late."""
_WAITING_MAX: Final = 1_000
_Mark = tuple[int, str, bool]


class Feed:
    """Two stores watched, any number of listeners. Everything but `wake` is of the event loop."""

    def __init__(self, store: DeskStore, cases: CaseBook, clock: Callable[[], int]) -> None:
        self._store, self._cases, self._clock = store, cases, clock
        self._listeners: dict[asyncio.Queue[News | None], None] = {}
        self._marks: dict[str, _Mark] = {}
        self._since_ms, self._action, self._flow = clock(), store.last_action(), cases.last_flow()
        self._events = self._in_effect(clock())
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
            news = await asyncio.to_thread(self._look)
            if news.alerts or news.cases:
                self._tell(news)

    def _look(self) -> News:
        alerts = tuple(tells_alert(view) for view in self._changed())
        return News(alerts, tuple(tells_case(each) for each in self._happened()))

    def _changed(self) -> list[View]:
        """The alerts that changed since the last look, or that somebody did something with."""
        now_ms = self._clock()
        news = {each.alert.id: each for each in self._store.changed(max(1, self._since_ms - _OVERLAP_MS))}
        marks = {id_: _mark(each) for id_, each in news.items()}
        fresh = {id_ for id_, mark in marks.items() if self._marks.get(id_) != mark}
        self._marks = marks
        self._since_ms = now_ms
        self._action, touched = self._store.touched_after(self._action)
        changed = {alert.id: alert for alert in touched} | {id_: news[id_].alert for id_ in fresh}
        if (events := self._in_effect(now_ms)) != self._events:  # what counts in its area changed
            self._events = events
            changed |= {alert.id: alert for alert in self._store.alerts(now_ms)}
        alerts = sorted(changed.values(), key=lambda alert: (alert.onset_ms, alert.id))
        return seen(self._store, alerts, now_ms) if alerts else []

    def _happened(self) -> list[CaseNews]:
        """What happened to cases since the last look, in order: the flow log misses nothing."""
        entries = self._cases.flow_since(self._flow)
        if not entries:
            return []
        self._flow = entries[-1][0]
        lines = self._cases.lines_of({entry.case_id for _, entry in entries})
        known = {each.id: each for each in items(lines.values(), self._cases.config, self._clock())}
        return [CaseNews(number, entry, known[entry.case_id]) for number, entry in entries]

    def _in_effect(self, now_ms: int) -> tuple[str, ...]:
        """Ids of the major events that count now."""
        return tuple(e.event.id for e in self._store.switched_on(now_ms) if e.in_effect(now_ms))

    def _tell(self, news: News) -> None:
        for queue in list(self._listeners):
            if queue.qsize() < _WAITING_MAX:
                queue.put_nowait(news)
            else:
                self._listeners.pop(queue)
                queue.put_nowait(None)

    async def listen(self, person: Person, listed: Callable[[], list[View]]) -> AsyncIterator[bytes]:
        """Server-sent events for one page.

        `listed` once, then `changed` (alerts) and `cases` (what happened to them), and a `beat` at least
        every 5 s.
        """
        queue: asyncio.Queue[News | None] = asyncio.Queue()
        self._listeners[queue] = None
        try:
            views = await asyncio.to_thread(listed)
            yield event("listed", (msgspec.json.encode(for_person(view, person)) for view in views))
            yield self._beat()
            beaten_s = time.monotonic()
            while True:
                left_s = beaten_s + _BEAT_S - time.monotonic()
                try:
                    news = await asyncio.wait_for(queue.get(), max(0.0, left_s))
                except TimeoutError:
                    news = News()
                if news is None:
                    _LOG.info("page too slow, cut off", person=person.id)
                    return
                if told := b"".join(news.for_person(person)):
                    yield told
                elif time.monotonic() - beaten_s >= _BEAT_S:
                    beaten_s = time.monotonic()
                    yield self._beat()
        finally:
            self._listeners.pop(queue, None)

    def _beat(self) -> bytes:
        return f"event: beat\ndata: {self._clock()}\n\n".encode()


def _mark(tracked: Tracked) -> _Mark:
    return tracked.alert.revision, tracked.acknowledged_by, tracked.hidden
