"""The embedded MQTT broker: a device's QoS 1 publish is confirmed when a subscriber has confirmed it.

Stock amqtt confirms to the device at once and then holds the message in memory only, drops an outgoing
message whose PUBACK takes longer than five seconds, and forgets everything when it is killed: three ways
to lose what was acknowledged. Here the broker holds nothing it has confirmed:

- PUBLISH (QoS 1) from a device → PUBLISH to every QoS ≥ 1 subscriber → the first PUBACK of one → PUBACK
  to the device. Nobody subscribed or connected: the device's PUBACK waits for one.
- A subscriber that dies before its PUBACK: another gets the message, or it itself when it is back.
- A device that leaves before its PUBACK sends again, as MQTT asks it to; what waited for it ends.
- The broker killed between any two lines: no PUBACK was sent that a subscriber had not sent before, so
  the device sends again. A duplicate is possible, as QoS 1 says; a loss is not.

Every QoS 1 subscriber can confirm, so whoever only watches subscribes with QoS 0. QoS 0 and QoS 2 are as
in amqtt; a retained QoS 1 message is relayed like any other and kept in memory as well.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any, Final

from amqtt.adapters import ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.mqtt.constants import QOS_1
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.session import Session

from deploy.embedded.mqtt_relay import Exchange, Inbox, Outbox, Relay

__all__ = ["EndToEndBroker", "serve"]

_FLUSH_LIMIT_S: Final = 2.0
_KEEP_ALIVE_GRACE: Final = 1.5
"""MQTT 3.1.1, 3.1.2.10: a client silent for one and a half keep-alives is gone."""


class _GatedReader(StreamReaderAdapter):  # type: ignore[misc]
    """Reads only while the device has room for more unconfirmed messages: back-pressure by TCP."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        super().__init__(reader)
        self.room: asyncio.Event | None = None

    async def read(self, n: int = -1) -> bytes:
        if self.room is not None and not self.room.is_set():
            await self.room.wait()
        data: bytes = await super().read(n)
        return data


class _Writer(StreamWriterAdapter):  # type: ignore[misc]
    """Closes within a limit, also when the other side no longer reads."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        super().__init__(writer)
        self._transport = writer.transport

    async def close(self) -> None:
        try:
            await asyncio.wait_for(super().close(), _FLUSH_LIMIT_S)
        except TimeoutError:
            self._transport.abort()


class _Handler(BrokerProtocolHandler):  # type: ignore[misc]
    """One connection: QoS 1 goes through the exchange, the rest through amqtt."""

    def __init__(self, broker: EndToEndBroker) -> None:
        super().__init__(broker.plugins_manager)
        self.inbox = Inbox(self._confirm)
        self.outbox = Outbox(self._deliver, lambda: self.session.next_packet_id)
        self._broker = broker

    def attach(self, session: Session, reader: ReaderAdapter, writer: WriterAdapter) -> None:
        super().attach(session, reader, writer)
        if isinstance(reader, _GatedReader):
            reader.room = self.inbox.room

    async def handle_publish(self, publish_packet: PublishPacket) -> None:
        topic, data = publish_packet.topic_name, publish_packet.data
        if publish_packet.qos != QOS_1 or not topic or topic.startswith("$") or data is None:
            await super().handle_publish(publish_packet)
            return
        await self._broker.relay(self, publish_packet.packet_id, topic, data, publish_packet.retain_flag)

    async def handle_puback(self, puback: PubackPacket) -> None:
        packet_id = puback.variable_header.packet_id
        if self._broker.exchange.confirmed(self.outbox, packet_id):
            self.session.inflight_out.pop(packet_id, None)
        else:
            await super().handle_puback(puback)

    async def stop(self) -> None:
        if self.outbox.open:
            for packet_id in self.outbox.unconfirmed:
                self.session.inflight_out.pop(packet_id, None)
            self._broker.exchange.device_left(self.inbox)
            self._broker.exchange.subscriber_left(self.outbox)
        await super().stop()

    def handle_read_timeout(self) -> None:
        """Silent beyond its keep-alive: gone, unless it is we who do not read."""
        if self.inbox.room.is_set():
            self._broker.end_later(self)

    def _confirm(self, packet_id: int) -> None:
        if self.writer is not None:
            self.writer.write(b"\x40\x02" + packet_id.to_bytes(2, "big"))

    def _deliver(self, packet_id: int, relay: Relay, duplicate: bool) -> None:
        self.session.inflight_out[packet_id] = relay  # keeps amqtt from giving the id out again
        packet = PublishPacket.build(relay.topic, relay.data, packet_id, duplicate, QOS_1, False)
        self.writer.write(packet.to_bytes())


class EndToEndBroker(Broker):  # type: ignore[misc]
    """amqtt's broker with QoS 1 from end to end. Start and shut down as that one."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.exchange = Exchange(self._outboxes)
        self._ending: set[asyncio.Task[None]] = set()

    async def relay(self, handler: _Handler, packet_id: int, topic: str, data: bytes, retain: bool) -> None:
        """Take a device's QoS 1 message: to QoS 0 subscribers now, to the others until one confirms."""
        for session, qos in self._matching(topic):
            watcher = self._get_handler(session)
            if qos == 0 and watcher is not None and session.transitions.state == "connected":
                watcher.writer.write(PublishPacket.build(topic, data, None, False, 0, False).to_bytes())
        if retain:
            await self.retain_message(handler.session, topic, data, QOS_1)
        self.exchange.publish(Relay(handler.inbox, packet_id, topic, data))

    def end_later(self, handler: _Handler) -> None:
        """Close a connection from where one cannot wait for it."""
        task = asyncio.create_task(handler.handle_connection_closed())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def stream_connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
    ) -> None:
        """A new connection, read only while its device has room, closed within a limit."""
        await self._client_connected(listener_name, _GatedReader(reader), _Writer(writer))

    async def _initialize_client_session(
        self, reader: ReaderAdapter, writer: WriterAdapter, remote_address: str, remote_port: int
    ) -> tuple[_Handler, Session]:
        _, session = await super()._initialize_client_session(reader, writer, remote_address, remote_port)
        session.keep_alive = int(session.keep_alive * _KEEP_ALIVE_GRACE)
        return _Handler(self), session

    async def _client_message_loop(self, client_session: Session, handler: _Handler) -> None:
        self.exchange.subscriber_came()  # a session that came back with its subscriptions
        await super()._client_message_loop(client_session, handler)

    async def _handle_subscription(self, client_session: Session, handler: _Handler, waiter: Any) -> None:
        await super()._handle_subscription(client_session, handler, waiter)
        self.exchange.subscriber_came()

    async def _delete_session(self, client_id: str) -> None:
        """A clean session takes the place of an old one; 3.1.4-2: the old connection must end."""
        _, handler = self._sessions.get(client_id, (None, None))
        if handler is not None:
            await handler.handle_connection_closed()
            await handler.stop()
        await super()._delete_session(client_id)

    def _outboxes(self, topic: str) -> Iterator[Outbox]:
        seen: set[str] = set()
        for session, qos in self._matching(topic):
            handler = self._get_handler(session)
            connected = session.transitions.state == "connected"
            if qos and connected and isinstance(handler, _Handler) and session.client_id not in seen:
                seen.add(session.client_id)
                yield handler.outbox

    def _matching(self, topic: str) -> Iterator[tuple[Session, int]]:
        for topic_filter, subscriptions in self._subscriptions.items():
            if self._matches(topic, topic_filter):
                yield from subscriptions


async def serve(host: str, port: int, stop: asyncio.Event, started: asyncio.Future[EndToEndBroker]) -> None:
    """Serve MQTT 3.1.1 until `stop`; anonymous clients are let in, so listen on loopback only.

    OSError's message when the port is taken comes as amqtt's BrokerError.
    """
    plugin = "amqtt.plugins.authentication.AnonymousAuthPlugin"
    broker = EndToEndBroker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{host}:{port}"}},
            "plugins": {plugin: {"allow_anonymous": True}},
        }
    )
    await broker.start()
    started.set_result(broker)
    await stop.wait()
    with contextlib.suppress(asyncio.CancelledError):
        await broker.shutdown()
