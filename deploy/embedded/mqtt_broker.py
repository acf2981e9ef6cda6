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

With users (deploy.embedded.mqtt_trust) nobody gets in without a password, a device publishes to its own
topics and subscribes to nothing. MQTT 3.1.1 has no way to refuse one message: what goes to a foreign topic
ends the connection without a PUBACK, because a PUBACK says that the message is kept (3.3.5-2 leaves the
choice). Credentials are looked at before any session is touched, and a user's client ids are its own, so
nobody ends or takes over the session of somebody else by calling itself as it does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from amqtt.adapters import ReaderAdapter, StreamReaderAdapter, StreamWriterAdapter, WriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import Action
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.mqtt.connack import NOT_AUTHORIZED, ConnackPacket
from amqtt.mqtt.constants import QOS_1
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.mqtt.publish import PublishPacket
from amqtt.session import Session

from deploy.embedded.mqtt_relay import Exchange, Inbox, Outbox, Relay
from deploy.embedded.mqtt_trust import MqttUsers

__all__ = ["REFUSALS", "BrokerSettings", "EndToEndBroker", "Refusal", "TlsListener", "serve"]

Refusal = Literal["unauthorised", "forbidden", "slow", "rate"]
REFUSALS: Final[tuple[Refusal, ...]] = ("unauthorised", "forbidden", "slow", "rate")
"""Why a connection was refused or ended: no good password, a foreign topic, no CONNECT in time; or held
back, and nothing refused: more messages than its user may send.
"""

_FLUSH_LIMIT_S: Final = 2.0
_KEEP_ALIVE_GRACE: Final = 1.5
"""MQTT 3.1.1, 3.1.2.10: a client silent for one and a half keep-alives is gone."""
_CONNECT_LIMIT_S: Final = 10.0
_TOLD: Final = "refused; told already"
_NAME_SHOWN: Final = 64


@dataclass(frozen=True, slots=True)
class TlsListener:
    """Where to listen with TLS besides loopback, and with which PEM files."""

    host: str
    port: int
    certificate: Path
    key: Path


@dataclass(slots=True)
class BrokerSettings:
    """`port` is on loopback and without TLS. `users` None: everybody may do everything.

    `users` may be replaced while the broker runs; what is asked from then on is judged by the new ones.
    `wait_s(user)` is asked for every message of a user: how long not to read its connection after it.
    `told(reason, who, detail)` hears of every refusal, on the broker's thread.
    """

    port: int
    tls: TlsListener | None = None
    users: MqttUsers | None = None
    told: Callable[[Refusal, str, str], None] = field(default=lambda _reason, _who, _detail: None)
    wait_s: Callable[[str], float] = field(default=lambda _user: 0.0)
    connect_s: float = _CONNECT_LIMIT_S


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
        if not self._broker.may_publish(self.session, topic or ""):
            self._broker.end_later(self)
            return
        if wait_s := self._broker.wait_s(self.session):
            self.inbox.hold()
            asyncio.get_running_loop().call_later(wait_s, self.inbox.release)
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

    def __init__(self, settings: BrokerSettings) -> None:
        super().__init__(_configuration(settings))
        self.settings = settings
        self.logger.addFilter(_not_told_already)
        self.exchange = Exchange(self._outboxes)
        self._ending: set[asyncio.Task[None]] = set()

    async def relay(self, handler: _Handler, packet_id: int, topic: str, data: bytes, retain: bool) -> None:
        """Take a device's QoS 1 message: to QoS 0 subscribers now, to the others until one confirms."""
        for session, qos in self._matching(topic):
            watcher = self._get_handler(session)
            connected = session.transitions.state == "connected" and self._may_receive(session)
            if qos == 0 and watcher is not None and connected:
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
        self,
        reader: ReaderAdapter,
        writer: WriterAdapter,
        remote_address: str,
        remote_port: int,  # noqa: ARG002 - amqtt's
    ) -> tuple[_Handler, Session]:
        """Read the CONNECT and find its session; nothing is touched before the credential is good."""
        try:
            async with asyncio.timeout(self.settings.connect_s):
                _, session = await BrokerProtocolHandler.init_from_connect(
                    reader, writer, self.plugins_manager
                )
        except TimeoutError as error:
            self.settings.told("slow", remote_address, f"no CONNECT within {self.settings.connect_s:g} s")
            await writer.close()
            raise MQTTError(_TOLD) from error
        except (AMQTTError, MQTTError, NoDataError):
            await writer.close()
            raise
        if not self._lets_in(session):
            writer.write(ConnackPacket.build(0, NOT_AUTHORIZED).to_bytes())
            await writer.close()
            raise MQTTError(_TOLD)
        session = await self._resumed(session)
        session.keep_alive = int(session.keep_alive * _KEEP_ALIVE_GRACE)
        return _Handler(self), session

    def _lets_in(self, session: Session) -> bool:
        users = self.settings.users
        if users is None:
            return True
        name = session.username
        if not users.lets_in(name, session.password):
            shown = (name or "")[:_NAME_SHOWN]
            detail = f"received user {shown!r} with no good password, allowed: a sender's name and secret"
            self.settings.told("unauthorised", session.remote_address, detail)
            return False
        session.client_id = f"{name}/{session.client_id}"
        return not session.will_flag or self.may_publish(session, session.will_topic or "")

    async def _resumed(self, session: Session) -> Session:
        """The session to go on with: a new one, or the kept one with what this CONNECT says."""
        if session.clean_session:
            await self._delete_session(session.client_id)
        kept, _ = self._sessions.get(session.client_id, (None, None))
        if kept is None:
            session.parent = 0
            return session
        for name in ("flag", "message", "topic", "qos", "retain"):
            setattr(kept, f"will_{name}", getattr(session, f"will_{name}"))
        for name in ("keep_alive", "username", "password", "remote_address", "remote_port", "ssl_object"):
            setattr(kept, name, getattr(session, name))
        kept.parent = 1
        return kept

    def may_publish(self, session: Session, topic: str) -> bool:
        """Whether the session's user may publish there; tells when it may not."""
        users = self.settings.users
        if users is None or users.may_publish(session.username, topic):
            return True
        allowed = ", ".join(users.topics(session.username)) or "none"
        detail = f"publish: received topic {topic!r}, allowed for {session.username}: {allowed}"
        self.settings.told("forbidden", session.username or "", detail)
        return False

    def wait_s(self, session: Session) -> float:
        """How long to leave the session's connection unread; tells when that is not 0."""
        if self.settings.users is None or not session.username:
            return 0.0
        wait_s = self.settings.wait_s(session.username)
        if wait_s:
            detail = f"received more than {session.username} may send; read again in {wait_s:.3f} s"
            self.settings.told("rate", session.username, detail)
        return wait_s

    async def _topic_filtering(self, session: Session, topic: str, action: Action) -> bool:
        """Whether it may subscribe, or still receive; publishing was asked before."""
        users = self.settings.users
        if users is None or action == Action.PUBLISH or users.may_subscribe(session.username):
            return True
        if action == Action.SUBSCRIBE:
            detail = f"subscribe: received {topic!r}, allowed for {session.username}: nothing"
            self.settings.told("forbidden", session.username or "", detail)
        return False

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
            connected = session.transitions.state == "connected" and self._may_receive(session)
            if qos and connected and isinstance(handler, _Handler) and session.client_id not in seen:
                seen.add(session.client_id)
                yield handler.outbox

    async def _publish_retained_messages_for_subscription(
        self, subscription: tuple[str, int], session: Session
    ) -> None:
        """Retained messages to whom they are for: amqtt offers every filter's to every session that comes."""
        own = self._subscriptions.get(subscription[0], [])
        if self._may_receive(session) and any(each.client_id == session.client_id for each, _ in own):
            await super()._publish_retained_messages_for_subscription(subscription, session)

    def _may_receive(self, session: Session) -> bool:
        """A subscription does not outlive the right to it."""
        users = self.settings.users
        return users is None or users.may_subscribe(session.username)

    def _matching(self, topic: str) -> Iterator[tuple[Session, int]]:
        for topic_filter, subscriptions in self._subscriptions.items():
            if self._matches(topic, topic_filter):
                yield from subscriptions


def _not_told_already(record: logging.LogRecord) -> bool:
    """Refusals are told with a bound; amqtt would log every one."""
    return _TOLD not in record.getMessage()


def _configuration(settings: BrokerSettings) -> dict[str, Any]:
    """What amqtt must know. Its plugin lets everybody in: the broker above has asked before."""
    listeners: dict[str, Any] = {"default": {"type": "tcp", "bind": f"127.0.0.1:{settings.port}"}}
    if (tls := settings.tls) is not None:
        host = f"[{tls.host}]" if ":" in tls.host else tls.host
        files = {"certfile": tls.certificate, "keyfile": tls.key}
        listeners["tls"] = {"type": "tcp", "bind": f"{host}:{tls.port}", "ssl": True, **files}
    plugin = "amqtt.plugins.authentication.AnonymousAuthPlugin"
    return {"listeners": listeners, "plugins": {plugin: {"allow_anonymous": True}}}


async def serve(
    settings: BrokerSettings, stop: asyncio.Event, started: asyncio.Future[EndToEndBroker]
) -> None:
    """Serve MQTT 3.1.1 until `stop`: on loopback, and with TLS where the settings say.

    OSError's message when a port is taken comes as amqtt's BrokerError.
    """
    broker = EndToEndBroker(settings)
    await broker.start()
    started.set_result(broker)
    await stop.wait()
    with contextlib.suppress(asyncio.CancelledError):
        await broker.shutdown()
