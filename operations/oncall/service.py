"""The on-call service: from what the store knows to who is told.

It shares only the store with the reader of the topic, so either may die alone: what is known and not told
is in the outbox, what is told is marked there. Several notifications are sent side by side; one person's
slow channel holds nobody else's. What is hidden (shelved, suppressed, out of service, stood for by a parent)
rings nobody; when that ends and the alert still waits for somebody, it rings.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Final

import structlog

from operations.alerts.actions import Action
from operations.alerts.load import DAY_MS
from operations.alerts.states import hides
from operations.handover.rules import unsigned_messages
from operations.major_event.priorities import raised
from operations.major_event.rhythm import reminders
from operations.oncall.clock import now_ms
from operations.oncall.consoles import Consoles
from operations.oncall.deliver import again_in_ms, deliver
from operations.oncall.digest import EVERY_MS, compose
from operations.oncall.lanes import Lanes
from operations.oncall.model import Message, Notification, OnCall, Tracked
from operations.oncall.plan import Rota, due, next_due_ms
from operations.oncall.store import Outgoing, Store
from operations.oncall.telemetry import ALERT_TO_CHANNEL_SECONDS, FAILED, NOTIFIED
from operations.oncall.words import body, title
from operations.store.digests import Collapsed
from schemas.alerts import Alert

__all__ = ["Teller"]

_LOG = structlog.get_logger(__name__)
_LOOK_S: Final = 1.0
_SENDERS: Final = 16
_SENDERS_EACH: Final = 4
_RECENT_MS: Final = 120_000


class Teller:
    """From what is known to who is told."""

    def __init__(self, oncall: OnCall, store: Store) -> None:
        self._oncall, self._store = oncall, store
        self._woken = threading.Event()
        self._busy: dict[str, Future[None]] = {}
        self._lanes = Lanes(_SENDERS_EACH)
        self._open: dict[str, Tracked] = {}
        self._steps: list[tuple[int, str]] = []
        self._change: int | None = None
        self._consoles = Consoles(oncall.flood, store, now_ms())
        self._hidings: list[Action] = []
        self._parents: list[Alert] = []
        self._collapsing = store.collapsing()
        self._rota = Rota()

    def wake(self) -> None:
        """There is news: look now."""
        self._woken.set()

    def run(self, stopping: threading.Event) -> None:
        """Look at every news, and each second for steps whose time has come, until told to stop."""
        with ThreadPoolExecutor(_SENDERS, thread_name_prefix="oncall") as senders:
            while not stopping.is_set():
                self._woken.wait(_LOOK_S)
                self._woken.clear()
                self.look(senders)

    def look(self, senders: ThreadPoolExecutor) -> None:
        """Plan what is due, and send what is planned and not under way."""
        now = now_ms()
        self._plan(now)
        self._digest(now)
        self._store.plan_messages(self._messages(now), now)
        for each in self._ready(now):
            sending = partial(self._send, each)
            self._busy[each.note.key] = self._lanes.submit(senders, each.note.person, sending)
            self._busy[each.note.key].add_done_callback(lambda _sent: self.wake())
        for key in [key for key, sending in self._busy.items() if sending.done()]:
            self._busy.pop(key).result()

    def _plan(self, now: int) -> None:
        """Write down what is due of the alerts that changed, and of those whose next step has come."""
        self._rota = Rota(self._store.duty(), self._store.switched_on(now - DAY_MS))
        hidden, shown, notes = [], [], list[Notification]()
        severities = {}
        for known in self._come(now):
            alert = known.alert
            severities[alert.id] = self._raised(alert, now).severity
            if known.waiting and self._hidden(alert, now):
                self._open.pop(alert.id, None)
                hidden += [] if known.hidden else [alert.id]
            elif known.waiting and known.hidden:
                shown.append(alert.id)
                notes += self._due(replace(known, hidden=False, round=known.round + 1, visible_ms=now), now)
            else:
                notes += self._due(known, now)
        self._store.annunciation(hidden, shown, now)
        planned, floods = self._consoles.place(self._store.unknown(notes), severities, now)
        self._store.plan(planned, floods, now)
        self._collapsing.update(each.note.person for each in planned if each.collapsed)

    def _come(self, now: int) -> list[Tracked]:
        """What to look at: alerts that changed, whose step has come; all, where what hides them changed."""
        before = _standing(self._hidings, self._parents)
        self._hidings, self._parents = self._store.hidings(now), self._store.parents()
        news = self._news()
        if _standing(self._hidings, self._parents) != before:
            news += self._store.waiting()
        found = {tracked.alert.id: tracked for tracked in news}
        while self._steps and self._steps[0][0] <= now:
            alert_id = heapq.heappop(self._steps)[1]
            if alert_id in self._open:  # else acknowledged, hidden, or told to the last step since
                found.setdefault(alert_id, self._open[alert_id])
        return list(found.values())

    def _news(self) -> list[Tracked]:
        """What changed since the last look; at the first, what waits for somebody."""
        if self._change is None:
            self._change = self._store.last_change()
            return self._store.waiting()
        self._change, news = self._store.changed_after(self._change)
        return news

    def _hidden(self, alert: Alert, now: int) -> str:
        return hides(alert, self._hidings, self._parents, now)

    def _due(self, tracked: Tracked, now: int) -> Iterator[Notification]:
        """What is due of an alert, and a note of when to look at it next."""
        next_ms = next_due_ms(self._oncall, tracked, now, self._rota)
        if next_ms is None:
            self._open.pop(tracked.alert.id, None)
        else:
            self._open[tracked.alert.id] = tracked
            heapq.heappush(self._steps, (next_ms, tracked.alert.id))
        return due(self._oncall, tracked, now, self._rota)

    def _digest(self, now: int) -> None:
        """One message to a console for all that was collapsed, at most one a minute, and one at a time."""
        for console in list(self._collapsing):
            before_ms, told = self._store.last_digest(console)
            if not told or now - before_ms < EVERY_MS:
                continue
            self._collapsing.discard(console)
            rows = self._store.collapsed(console)
            reasons = {row.key: self._needless(row, now) for row in rows}
            self._store.withdraw({key: why for key, why in reasons.items() if why})
            if left := [row for row in rows if not reasons[row.key]]:
                alerts = list({row.alert.id: row.alert for row in left}.values())
                digest = compose(console, alerts, self._consoles.flood(console), now)
                self._store.plan_digest(digest, [row.key for row in left], now)

    def _messages(self, now: int) -> list[Message]:
        """What is to be said that is of no alert."""
        messages = list(unsigned_messages(self._store.offers(), self._oncall.handover, now))
        for each in self._rota.events:
            if each.in_effect(now):
                reports = self._store.reports(each.event.id)
                messages += reminders(each, reports, self._oncall.people, now)
        return messages

    def _raised(self, alert: Alert, now: int) -> Alert:
        return raised(alert, self._rota.events, now)

    def _needless(self, row: Collapsed, now: int) -> str:
        return "answered or over" if row.answered else self._hidden(row.alert, now)

    def _ready(self, now: int) -> Iterable[Outgoing]:
        """What to send now; what became hidden since it was planned is withdrawn."""
        free = [each for each in self._store.to_send(now) if each.note.key not in self._busy]
        reasons = {
            each.note.key: why for each in free if each.alert and (why := self._hidden(each.alert, now))
        }
        self._store.withdraw(reasons)
        return [each for each in free if each.note.key not in reasons]

    def _send(self, outgoing: Outgoing) -> None:
        note = outgoing.note
        person = self._oncall.people.get(note.person)
        if person is None:
            self._store.failed(note.key, "no longer in the on-call file", now_ms() + again_in_ms(99))
            return
        head, text = outgoing.head, outgoing.text
        if outgoing.alert is not None:
            alert = self._raised(outgoing.alert, note.due_ms)
            head, text = title(alert, note), body(alert, note, self._store.became(alert))
        channel, problem = deliver(person, head, text)
        if not channel:
            FAILED.inc()
            self._store.failed(note.key, problem, now_ms() + again_in_ms(outgoing.attempts + 1))
            return
        now = now_ms()
        self._store.sent(note.key, channel, now)
        NOTIFIED.labels(channel).inc()
        if note.step == 0 and not note.repeat and now - note.due_ms < _RECENT_MS:
            ALERT_TO_CHANNEL_SECONDS.observe((now - note.due_ms) / 1000)
        _LOG.info("told", alert=note.alert_id, person=note.person, step=note.step, channel=channel)


def _standing(hidings: Iterable[Action], parents: Iterable[Alert]) -> tuple[object, ...]:
    """What can hide anything: while it stays the same, an alert that does not change stays as it was."""
    return (
        *(each.id for each in hidings),
        *((each.id, each.place, each.level, each.onset_ms) for each in parents),
    )
