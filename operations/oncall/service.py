"""The on-call service: alerts from Kafka into the store, and notifications from the store to people.

Two loops that share only the store, so either may die alone: what is known and not told is in the outbox,
what is told is marked there. Several notifications are sent side by side; one person's slow channel holds
nobody else's.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import msgspec
import structlog
from confluent_kafka import Consumer, KafkaException, Message, TopicPartition
from prometheus_client import Counter, Histogram

from operations.oncall.deliver import again_in_ms, deliver
from operations.oncall.model import Notification, OnCall, Tracked
from operations.oncall.plan import due, next_due_ms
from operations.oncall.store import Outgoing, Store
from schemas.alerts import Alert
from schemas.topics import ALERTS

__all__ = ["Reader", "Teller", "now_ms"]

_LOG = structlog.get_logger(__name__)
_DECODE: Final = msgspec.json.Decoder(Alert).decode
_POLL_S: Final = 0.1
_LOOK_S: Final = 1.0
_SENDERS: Final = 16
_RECENT_MS: Final = 120_000
_OVERLAP_MS: Final = 2_000
"""Changes are looked for from a little before the last look: another process's commit may come late."""
NOTIFIED: Final = Counter("taishi_notifications_sent_total", "notifications a channel took", ["channel"])
FAILED: Final = Counter("taishi_notifications_failed_total", "attempts that no channel of a person took")
UNREADABLE: Final = Counter("taishi_alerts_unreadable_total", "records of the topic alerts that are none")
ALERT_TO_CHANNEL_SECONDS: Final = Histogram(
    "taishi_alert_to_channel_seconds",
    "from the desk's first sight of an alert until a channel took the first notice",
    buckets=(0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60),
)


def now_ms() -> int:
    """Wall time: it decides reminders and escalation."""
    return time.time_ns() // 1_000_000


class Reader:
    """The topic `alerts` into the store; `heard` is called when something was."""

    def __init__(self, bootstrap: str, store: Store, heard: Callable[[], None]) -> None:
        self._store, self._heard = store, heard
        self._consumer = Consumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "taishi-oncall",  # assigned by hand: where to go on is the store's word
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 50,
            }
        )

    def run(self, stopping: threading.Event) -> None:
        """Read until told to stop; KafkaException when the topic cannot be read at all."""
        start, _ = self._consumer.get_watermark_offsets(TopicPartition(ALERTS, 0), timeout=60)
        known = self._store.next_offset(ALERTS)
        # A log that was begun anew, or cleaned beyond what we knew, is read from where it begins.
        position = start if known is None else max(known, start)
        self._consumer.assign([TopicPartition(ALERTS, 0, position)])
        try:
            while not stopping.is_set():
                self._take(self._consumer.consume(1_000, _POLL_S))
        finally:
            self._consumer.close()

    def _take(self, messages: list[Message]) -> None:
        for message in messages:
            if message.error() is not None and not message.error().retriable():
                raise KafkaException(message.error())
        good = [message for message in messages if message.error() is None]
        if not good:
            return
        alerts = [alert for alert in map(_alert, good) if alert is not None]
        self._store.take(ALERTS, alerts, good[-1].offset() + 1, now_ms())
        self._heard()


class Teller:
    """From what is known to who is told."""

    def __init__(self, oncall: OnCall, store: Store) -> None:
        self._oncall, self._store = oncall, store
        self._woken = threading.Event()
        self._busy: dict[str, Future[None]] = {}
        self._open: dict[str, Tracked] = {}
        self._steps: list[tuple[int, str]] = []
        self._looked_ms = 0

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
        outgoing = self._store.to_send(now)
        for each in outgoing:
            if each.note.key not in self._busy:
                self._busy[each.note.key] = senders.submit(self._send, each)
                self._busy[each.note.key].add_done_callback(lambda _sent: self.wake())
        for key in [key for key, sending in self._busy.items() if sending.done()]:
            self._busy.pop(key).result()

    def _plan(self, now: int) -> None:
        """Write down what is due of the alerts that changed, and of those whose next step has come."""
        since_ms, self._looked_ms = max(0, self._looked_ms - _OVERLAP_MS), now
        news = self._store.changed(since_ms)
        for tracked in news:
            self._open[tracked.alert.id] = tracked
        come = [tracked.alert.id for tracked in news]
        while self._steps and self._steps[0][0] <= now:
            come.append(heapq.heappop(self._steps)[1])
        notes: list[Notification] = []
        for alert_id in dict.fromkeys(come):
            if alert_id not in self._open:
                continue  # acknowledged, or told to the last step, since its step was noted
            tracked = self._open[alert_id]
            notes += due(self._oncall, tracked, now)
            next_ms = next_due_ms(self._oncall, tracked, now)
            if next_ms is None:
                del self._open[alert_id]
            else:
                heapq.heappush(self._steps, (next_ms, alert_id))
        self._store.plan(notes)

    def _send(self, outgoing: Outgoing) -> None:
        note = outgoing.note
        person = self._oncall.people.get(note.person)
        if person is None:
            self._store.failed(note.key, "no longer in the on-call file", now_ms() + again_in_ms(99))
            return
        channel, problem = deliver(person, outgoing.alert, note)
        if not channel:
            FAILED.inc()
            self._store.failed(note.key, problem, now_ms() + again_in_ms(outgoing.attempts + 1))
            return
        now = now_ms()
        self._store.sent(note.key, channel, now)
        NOTIFIED.labels(channel).inc()
        if note.step == 0 and now - note.due_ms < _RECENT_MS:
            ALERT_TO_CHANNEL_SECONDS.observe((now - note.due_ms) / 1000)
        _LOG.info("told", alert=note.alert_id, person=note.person, step=note.step, channel=channel)


def _alert(message: Message) -> Alert | None:
    value = message.value()
    if value is None:
        return None
    try:
        return _DECODE(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        UNREADABLE.inc()
        _LOG.error("record is no alert", offset=message.offset(), why=str(error))
        return None
