"""The on-call service: from what the store knows to who is told.

It shares only the store with the reader of the topic, so either may die alone: what is known and not told
is in the outbox, what is told is marked there. Several notifications are sent side by side; one person's
slow channel holds nobody else's. What is hidden (shelved, suppressed, out of service, stood for by a parent)
rings nobody; when that ends and the alert still waits for somebody, it rings.

Of several services on one database one tells people and the others wait for its lease to end: each write of
the one is refused once another has taken over, and it sends nothing more when its lease is over by its own
clock. One that was stopped between that look and the receiver's answer may repeat a message, under its key.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from random import SystemRandom
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
from operations.oncall.deliver import Delivery, again_in_ms, deliver
from operations.oncall.digest import EVERY_MS, compose
from operations.oncall.lanes import Lanes
from operations.oncall.model import Message, Notification, OnCall, Tracked
from operations.oncall.plan import Rota, due, next_due_ms
from operations.oncall.refused import RULE, alarms
from operations.oncall.store import Outgoing, Store
from operations.oncall.telemetry import ALERT_TO_CHANNEL_SECONDS, FAILED, NOTIFIED, PARKED, STOOD_DOWN
from operations.oncall.words import body, title
from operations.store.digests import Collapsed
from operations.store.leases import StaleTermError
from schemas.alerts import Alert

__all__ = ["LEASE_MS", "Teller"]

_LOG = structlog.get_logger(__name__)
_LOOK_S: Final = 1.0
_SENDERS: Final = 16
_SENDERS_EACH: Final = 4
_RECENT_MS: Final = 120_000
_ROLE: Final = "oncall"
_JITTER: Final = SystemRandom().random
LEASE_MS: Final = 10_000
"""How long after its last word a service is held for gone; its clock and another's differ by less."""


class Teller:
    """From what is known to who is told.

    `seat`: where this service runs; a new process in the place of one that died takes over at once, others
    when its lease, of `lease_ms`, ends. `jitter`: from 0 to 1, how much of a wait is waited. `district`:
    its code.
    """

    def __init__(
        self,
        oncall: OnCall,
        store: Store,
        *,
        seat: str = "",
        district: str = "",
        jitter: Callable[[], float] = _JITTER,
        lease_ms: int = LEASE_MS,
    ) -> None:
        self._oncall, self._store = oncall, store
        self._seat, self._district, self._jitter, self._lease_ms = seat, district, jitter, lease_ms
        self._woken = threading.Event()
        self._busy: dict[str, Future[None]] = {}
        self._lanes = Lanes(_SENDERS_EACH)
        self._until_ms: int | None = None
        self._forget(now_ms())

    def _forget(self, now: int) -> None:
        """Know what the store knows, as at a start."""
        self._open: dict[str, Tracked] = {}
        self._steps: list[tuple[int, str]] = []
        self._change: int | None = None
        self._consoles = Consoles(self._oncall.flood, self._store, now)
        self._hidings: list[Action] = []
        self._parents: list[Alert] = []
        self._collapsing = self._store.collapsing()
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
        """Plan what is due, and send what is planned and not under way; nothing while another does it."""
        try:
            if self._leads(now := now_ms()):
                self._look(senders, now)
        except StaleTermError as error:
            STOOD_DOWN.inc()
            _LOG.warning("stands down", seat=self._seat, why=str(error))
            self._until_ms = 0

    def _leads(self, now: int) -> bool:
        """Keep the lease, or take it if it is free; from then on know what the last one left."""
        if self._until_ms:
            if not self._lease_ms / 2 <= self._until_ms - now <= self._lease_ms:  # or the clock was set back
                self._store.keep(now + self._lease_ms)
                self._until_ms = now + self._lease_ms
            return True
        starts = self._until_ms is None
        self._until_ms = 0
        if not self._store.lead(_ROLE, self._seat, now, now + self._lease_ms, seated=starts):
            return False
        self._until_ms = now + self._lease_ms
        _LOG.info("tells people", seat=self._seat)
        self._forget(now)
        self._store.unpark()
        return True

    def leave(self) -> None:
        """Let another take over at once; call it when nothing looks any more."""
        self._store.leave()

    def _look(self, senders: ThreadPoolExecutor, now: int) -> None:
        self._plan(now)
        self._digest(now)
        self._store.plan_messages(self._messages(now), now)
        for each in self._ready(now):
            sending = partial(self._send, each)
            self._busy[each.note.key] = self._lanes.submit(senders, each.note.person, sending)
            self._busy[each.note.key].add_done_callback(lambda _sent: self.wake())
        for key in [key for key, sending in self._busy.items() if sending.done()]:
            self._busy.pop(key).result()
        self._alarm(now)

    def _alarm(self, now: int) -> None:
        """Whose channels refuse what they are told stands on the desk."""
        parked = self._store.parked()
        PARKED.set(sum(each.count for each in parked.values()))
        if changed := list(alarms(parked, self._store.standing(RULE), self._district, now)):
            self._store.know(changed, now)

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
        if now_ms() >= (self._until_ms or 0):
            return  # whoever has the lease now sends it
        person = self._oncall.people.get(note.person)
        if person is None:
            self._store.failed(note.key, "no longer in the on-call file", now_ms() + again_in_ms(99, 1))
            return
        head, text = outgoing.head, outgoing.text
        if outgoing.alert is not None:
            alert = self._raised(outgoing.alert, note.due_ms)
            head, text = title(alert, note), body(alert, note, self._store.became(alert))
        delivery = deliver(person, head, text, note.key, outgoing.refused)
        if delivery.channel:
            self._sent(note, delivery.channel, now_ms())
        else:
            self._not_sent(outgoing, delivery)

    def _not_sent(self, outgoing: Outgoing, delivery: Delivery) -> None:
        FAILED.inc()
        key = outgoing.note.key
        if delivery.parked:
            self._store.park(key, delivery.problem)
            _LOG.error("every channel refuses it", key=key, why=delivery.problem)
        else:
            wait_ms = again_in_ms(outgoing.attempts + 1, self._jitter())
            self._store.failed(key, delivery.problem, now_ms() + wait_ms, delivery.refused)

    def _sent(self, note: Notification, channel: str, now: int) -> None:
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
