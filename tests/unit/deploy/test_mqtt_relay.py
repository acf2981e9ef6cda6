"""The broker's bookkeeping under any order of events: nothing is confirmed that no subscriber confirmed."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from deploy.embedded import mqtt_relay
from deploy.embedded.mqtt_relay import Exchange, Inbox, Outbox, Relay


class Device:
    def __init__(self) -> None:
        self.confirmed: list[int] = []
        self.inbox = Inbox(self.confirmed.append)
        self.published = 0


class Subscriber:
    def __init__(self) -> None:
        self.sent: list[tuple[int, Relay]] = []
        self.outbox = Outbox(self._send, self._next_id)
        self._last = 0

    def _next_id(self) -> int:
        self._last += 1
        return self._last

    def _send(self, packet_id: int, relay: Relay, duplicate: bool) -> None:
        assert duplicate == relay.sent
        self.sent.append((packet_id, relay))


class Broker(RuleBasedStateMachine):
    """Devices publish and leave, subscribers come, confirm in any order and leave."""

    def __init__(self) -> None:
        super().__init__()
        self.devices = [Device(), Device()]
        self.subscribers: list[Subscriber] = []
        self.exchange = Exchange(self._outboxes)
        self.open: set[Relay] = set()
        self.confirmed_by_a_subscriber: set[tuple[Inbox, int]] = set()

    def _outboxes(self, _topic: str) -> Iterator[Outbox]:
        return (subscriber.outbox for subscriber in self.subscribers)

    @rule(which=st.integers(0, 1), size=st.integers(0, 40))
    def publish(self, which: int, size: int) -> None:
        device = self.devices[which]
        if not device.inbox.room.is_set():
            return
        device.published += 1
        relay = Relay(device.inbox, device.published, "a/b", b"x" * size)
        self.open.add(relay)
        self.exchange.publish(relay)

    @rule()
    def come(self) -> None:
        if len(self.subscribers) < 3:
            self.subscribers.append(Subscriber())
            self.exchange.subscriber_came()

    @precondition(lambda self: self.subscribers)
    @rule(which=st.integers(0, 2), choice=st.integers(0, 1000))
    def confirm(self, which: int, choice: int) -> None:
        subscriber = self.subscribers[which % len(self.subscribers)]
        if subscriber.sent:
            packet_id, relay = subscriber.sent.pop(choice % len(subscriber.sent))
            self.confirmed_by_a_subscriber.add((relay.inbox, relay.packet_id))
            assert self.exchange.confirmed(subscriber.outbox, packet_id)
            assert not self.exchange.confirmed(subscriber.outbox, packet_id)

    @precondition(lambda self: self.subscribers)
    @rule(which=st.integers(0, 2))
    def leave(self, which: int) -> None:
        subscriber = self.subscribers.pop(which % len(self.subscribers))
        self.exchange.subscriber_left(subscriber.outbox)

    @rule(which=st.integers(0, 1))
    def device_leaves(self, which: int) -> None:
        gone = self.devices[which]
        self.exchange.device_left(gone.inbox)
        self.open = {relay for relay in self.open if relay.inbox is not gone.inbox}
        self.devices[which] = Device()

    @invariant()
    def nothing_is_confirmed_that_no_subscriber_confirmed(self) -> None:
        for device in self.devices:
            assert {(device.inbox, packet) for packet in device.confirmed} <= self.confirmed_by_a_subscriber
            assert len(device.confirmed) == len(set(device.confirmed))

    @invariant()
    def every_open_message_is_held_or_waits(self) -> None:
        self.open = {relay for relay in self.open if not relay.settled}
        waiting = {relay for relay in self.open if not relay.holders}
        assert self.exchange.waiting == len(waiting)
        assert not waiting or not self.subscribers
        assert {relay for device in self.devices for relay in device.inbox.relays} == self.open

    @invariant()
    def windows_are_bounded(self) -> None:
        for subscriber in self.subscribers:
            assert len(subscriber.outbox.unconfirmed) <= mqtt_relay.LIMIT_MESSAGES
        for device in self.devices:
            assert len(device.inbox.relays) <= mqtt_relay.LIMIT_MESSAGES

    def teardown(self) -> None:
        """A subscriber that confirms everything settles everything."""
        for subscriber in self.subscribers:
            self.exchange.subscriber_left(subscriber.outbox)
        last = Subscriber()
        self.subscribers = [last]
        self.exchange.subscriber_came()
        while last.sent:
            self.exchange.confirmed(last.outbox, last.sent.pop(0)[0])
        assert all(relay.settled for relay in self.open)
        assert all(device.inbox.room.is_set() for device in self.devices)


TestBroker = Broker.TestCase
TestBroker.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)


def setup_module() -> None:
    mqtt_relay.LIMIT_MESSAGES = 6  # type: ignore[misc] # small, so that limits are met
    mqtt_relay.LIMIT_BYTES = 120  # type: ignore[misc]


def teardown_module() -> None:
    mqtt_relay.LIMIT_MESSAGES = 1000  # type: ignore[misc]
    mqtt_relay.LIMIT_BYTES = 64 * 1024 * 1024  # type: ignore[misc]
