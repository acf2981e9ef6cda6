"""What changes, told to every open page: one look at the store serves them all.

A page that connects gets the alerts that are listed, then what changes, of alerts and of cases. One that was
cut off connects anew and gets the whole list again; its cases it asks for again when `listed` has come, and
nothing that changed after that answer is left out. A page too slow to keep up is cut off. A look that fails
has seen nothing, so the next one tells all; until it does no page hears a beat, and pages say so.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError

from operations.alerts.view import View
from operations.desk.case_answers import items
from operations.desk.seen import for_person, seen
from operations.desk.store import DeskStore
from operations.desk.told import CaseNews, News, event, tells_alert, tells_case
from operations.people.roles import Person
from operations.store.casebook import CaseBook

__all__ = ["Feed"]

_LOG = structlog.get_logger(__name__)
_LOOK_S: Final = 0.1
_BEAT_S: Final = 5.0
_WAITING_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Sight:
    """How far was looked: the numbers of the last change, action and flow entry seen; events in effect."""

    change: int
    action: int
    flow: int
    events: tuple[str, ...]


class Feed:
    """Two stores watched, any number of listeners. Everything but `wake` is of the event loop."""

    def __init__(self, store: DeskStore, cases: CaseBook, clock: Callable[[], int]) -> None:
        self._store, self._cases, self._clock = store, cases, clock
        self._listeners: dict[asyncio.Queue[News | None], None] = {}
        self._sight = _Sight(
            store.last_change(), store.last_action(), cases.last_flow(), self._in_effect(clock())
        )
        self._failing = ""
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
            try:
                news = await asyncio.to_thread(self._look)
            except SQLAlchemyError as error:
                self._fail(type(error).__name__)
                continue
            self._failing = ""
            if news.alerts or news.cases:
                self._tell(news)

    def _fail(self, why: str) -> None:
        if self._failing != why:
            _LOG.warning("the store does not answer; pages hear nothing until it does", why=why)
        self._failing = why

    def _look(self) -> News:
        views, sight = self._changed(self._sight)
        happened = self._happened(sight.flow)
        news = News(tuple(map(tells_alert, views)), tuple(map(tells_case, happened)))
        self._sight = replace(sight, flow=happened[-1].number) if happened else sight
        return news

    def _changed(self, before: _Sight) -> tuple[list[View], _Sight]:
        """The alerts that changed since the last look, or that somebody did something with."""
        now_ms = self._clock()
        change, news = self._store.changed_after(before.change)
        action, touched = self._store.touched_after(before.action)
        changed = {alert.id: alert for alert in touched} | {each.alert.id: each.alert for each in news}
        events = self._in_effect(now_ms)
        if events != before.events:  # what counts in its area changed
            changed |= {alert.id: alert for alert in self._store.alerts(now_ms)}
        alerts = sorted(changed.values(), key=lambda alert: (alert.onset_ms, alert.id))
        views = seen(self._store, alerts, now_ms) if alerts else []
        return views, _Sight(change, action, before.flow, events)

    def _happened(self, flow: int) -> list[CaseNews]:
        """What happened to cases since the last look, in order: the flow log misses nothing."""
        entries = self._cases.flow_since(flow)
        if not entries:
            return []
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
                    if not self._failing:
                        yield self._beat()
        finally:
            self._listeners.pop(queue, None)

    def _beat(self) -> bytes:
        return f"event: beat\ndata: {self._clock()}\n\n".encode()
