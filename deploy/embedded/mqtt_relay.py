"""Who waits for whom in the MQTT broker: the bookkeeping of end-to-end acknowledgement, without sockets.

A `Relay` is one device's unconfirmed message. Each connection has an `Inbox` (what it published and was
not told yet; bounded, and full means its socket is not read) and an `Outbox` (what it was sent and has
not confirmed; bounded, the rest queues behind it in order). `Exchange` moves relays between them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

__all__ = ["LIMIT_BYTES", "LIMIT_MESSAGES", "Exchange", "Inbox", "Outbox", "Relay"]

LIMIT_MESSAGES: Final = 1000
LIMIT_BYTES: Final = 64 * 1024 * 1024
"""Unconfirmed messages, and their bytes, a connection may have in either direction."""


class Inbox:
    """What one device published and waits to be confirmed; `confirm` sends it the PUBACK."""

    def __init__(self, confirm: Callable[[int], None]) -> None:
        self.confirm = confirm
        self.relays: set[Relay] = set()
        self.room = asyncio.Event()
        self.room.set()
        self._bytes = 0
        self._held = False

    def hold(self) -> None:
        """Read nothing more until `release`, whatever is confirmed meanwhile."""
        self._held = True
        self.room.clear()

    def release(self) -> None:
        """Read again, if there is room."""
        self._held = False
        self._make_room()

    def add(self, relay: Relay) -> None:
        """Count it; at the limit `room` is cleared, and reading waits for it."""
        self.relays.add(relay)
        self._bytes += len(relay.data)
        if len(self.relays) >= LIMIT_MESSAGES or self._bytes >= LIMIT_BYTES:
            self.room.clear()

    def settle(self, relay: Relay) -> None:
        """It is confirmed to the device: make room."""
        self.relays.discard(relay)
        self._bytes -= len(relay.data)
        self._make_room()
        self.confirm(relay.packet_id)

    def _make_room(self) -> None:
        if not self._held and len(self.relays) < LIMIT_MESSAGES and self._bytes < LIMIT_BYTES:
            self.room.set()


class Relay:
    """One published message on its way; `settled` once a subscriber confirmed it or its device left."""

    __slots__ = ("data", "holders", "inbox", "packet_id", "sent", "settled", "topic")

    def __init__(self, inbox: Inbox, packet_id: int, topic: str, data: bytes) -> None:
        self.inbox = inbox
        self.packet_id = packet_id
        self.topic = topic
        self.data = data
        self.holders: set[Outbox] = set()
        self.sent = False
        self.settled = False


class Outbox:
    """What one subscriber was sent and has not confirmed, and what waits behind.

    `send(packet id, relay, duplicate)` writes the PUBLISH; `next_id()` gives a free packet id.
    """

    def __init__(self, send: Callable[[int, Relay, bool], None], next_id: Callable[[], int]) -> None:
        self.open = True
        self.unconfirmed: dict[int, Relay] = {}
        self._send = send
        self._next_id = next_id
        self._queue: deque[Relay] = deque()
        self._bytes = 0

    def push(self, relay: Relay) -> None:
        """Send now, or queue when the window is full."""
        relay.holders.add(self)
        if self._queue or self._full():
            self._queue.append(relay)
        else:
            self._deliver(relay)

    def confirmed(self, packet_id: int) -> Relay | None:
        """The subscriber's PUBACK: the relay it is for (None when unknown); sends what waits."""
        relay = self.unconfirmed.pop(packet_id, None)
        if relay is None:
            return None
        relay.holders.discard(self)
        self._bytes -= len(relay.data)
        while self._queue and not self._full():
            waiting = self._queue.popleft()
            if waiting.settled:
                waiting.holders.discard(self)
            else:
                self._deliver(waiting)
        return relay

    def close(self) -> list[Relay]:
        """The connection is gone: what it held and did not confirm, in order."""
        self.open = False
        held = [*self.unconfirmed.values(), *self._queue]
        for relay in held:
            relay.holders.discard(self)
        self.unconfirmed.clear()
        self._queue.clear()
        return held

    def _full(self) -> bool:
        return len(self.unconfirmed) >= LIMIT_MESSAGES or self._bytes >= LIMIT_BYTES

    def _deliver(self, relay: Relay) -> None:
        packet_id = self._next_id()
        self.unconfirmed[packet_id] = relay
        self._bytes += len(relay.data)
        self._send(packet_id, relay, relay.sent)
        relay.sent = True


class Exchange:
    """Every unconfirmed message of the broker; `subscribers(topic)` gives the open QoS ≥ 1 outboxes."""

    def __init__(self, subscribers: Callable[[str], Iterable[Outbox]]) -> None:
        self._subscribers = subscribers
        self._homeless: dict[Relay, None] = {}

    @property
    def waiting(self) -> int:
        """Messages nobody takes at present."""
        return len(self._homeless)

    def publish(self, relay: Relay) -> None:
        """A device's message came in."""
        relay.inbox.add(relay)
        self._route(relay)

    def confirmed(self, outbox: Outbox, packet_id: int) -> bool:
        """A subscriber's PUBACK came in; False when it is for none of ours. The first one settles."""
        relay = outbox.confirmed(packet_id)
        if relay is None:
            return False
        if not relay.settled:
            relay.settled = True
            relay.inbox.settle(relay)
        return True

    def subscriber_left(self, outbox: Outbox) -> None:
        """What only it held goes to another subscriber, or waits for one."""
        for relay in outbox.close():
            if not relay.settled and not relay.holders:
                self._route(relay)

    def subscriber_came(self) -> None:
        """Somebody subscribed: what waits may have a taker now."""
        waiting, self._homeless = self._homeless, {}
        for relay in waiting:
            self._route(relay)

    def device_left(self, inbox: Inbox) -> None:
        """It will send again what was not confirmed, so nothing of it needs to be kept."""
        for relay in inbox.relays:
            relay.settled = True
            self._homeless.pop(relay, None)
        inbox.relays.clear()
        inbox.room.set()

    def _route(self, relay: Relay) -> None:
        for outbox in self._takers(relay):
            outbox.push(relay)
        if not relay.holders:
            self._homeless[relay] = None

    def _takers(self, relay: Relay) -> Iterator[Outbox]:
        return (outbox for outbox in self._subscribers(relay.topic) if outbox.open)
