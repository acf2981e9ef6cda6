"""The MQTT connector: one connection, one thread, and PUBACK only for what Kafka has confirmed.

All of the socket is one thread's (`run`); Kafka's delivery thread only puts (epoch, PUBACKs) into a queue and
wakes it. Dying between any two lines:
- message read, not produced, or produced and not confirmed: no PUBACK; the broker sends it again to
  the session (fixed client id, clean_session false), the fold drops what came twice;
- confirmed, PUBACK not sent: the same;
- connection lost with messages in flight: the broker sends them again under packet ids of its choice.
  A confirmation that belongs to an earlier connection would acknowledge another message: it carries
  the connection's epoch and is dropped when that has passed.

What has come is taken to the log up to 64 messages at a time, which are acknowledged together.
Without room in the gateway neither the socket nor what was read of it already is taken from;
acknowledgements and pings are still written. The broker is not held to answer a ping meanwhile.

Several processes of one `share` ask for `$share/<share>/<filter>`: the broker gives each message to one of
them. Each has a client id of its own, and its session keeps what it was given and has not acknowledged.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

import structlog

from connectors.base import Message
from connectors.gateway import Gateway
from connectors.mqtt import packets
from connectors.mqtt.routes import REPLAY, UNROUTED, TopicRoutes, replayed
from connectors.mqtt.settings import MqttSettings, tls_context

__all__ = ["MqttConnector"]

_LOG = structlog.get_logger(__name__)
_WAIT_S: Final = 0.5
_CONNECT_S: Final = 5.0
_BACK_OFF_S: Final = (0.2, 10.0)
_BLOCK_BYTES: Final = 256 * 1024
_TOGETHER: Final = 64
"""Most messages that go to the log, and are acknowledged, together."""

_AGAIN: Final = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class MqttConnector:
    """Reads the routes' topics into the gateway until `stop`."""

    def __init__(self, settings: MqttSettings, routes: TopicRoutes, gateway: Gateway) -> None:
        self._settings = settings
        self._routes = routes
        self._gateway = gateway
        self._tls = tls_context(settings.tls) if settings.tls is not None else None
        prefix = f"$share/{settings.share}/" if settings.share else ""
        self._filters = tuple(prefix + each for each in (*routes.filters, f"{REPLAY}#"))
        self._epoch = 0
        self._confirmed: deque[tuple[int, bytes]] = deque()
        self._stopping = threading.Event()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._back_off_s = _BACK_OFF_S[0]
        self._refused = ""
        self._begin()

    def stop(self) -> None:
        """Read no more, acknowledge what Kafka still confirms, leave; from any thread or a signal handler."""
        self._stopping.set()
        self._wake()

    def run(self) -> None:
        """Connect, and connect again, until stopped and drained; once per object."""
        while not self._stopping.is_set():
            connection = self._connect()
            if connection is not None:
                with connection:
                    self._serve_until_it_ends(connection)
            self._pause()
        self._wake_read.close()
        self._wake_write.close()
        _LOG.info("mqtt left", in_flight=self._gateway.in_flight)

    def _begin(self) -> None:
        """Nothing of an earlier connection counts any more."""
        self._epoch += 1
        self._confirmed.clear()
        self._packets = packets.Packets()
        self._waiting = False
        self._out = bytearray()
        self._spoke_s = time.monotonic()
        self._asked_s: float | None = None

    def _connect(self) -> socket.socket | None:
        settings = self._settings
        self._begin()
        try:
            connection = socket.create_connection((settings.host, settings.port), timeout=_CONNECT_S)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_hostname=settings.host)
        except OSError as error:
            if str(error) != self._refused:
                where = f"{settings.host}:{settings.port}"
                _LOG.warning("mqtt broker unreachable; trying again", broker=where, error=str(error))
            self._refused = str(error)
            return None
        connection.setblocking(False)
        self._ask(packets.connect(settings.client_id, settings.keepalive_s, settings.user, settings.password))
        return connection

    def _serve_until_it_ends(self, connection: socket.socket) -> None:
        try:
            self._serve(connection)
        except (OSError, packets.ProtocolError) as error:
            if not self._stopping.is_set() and str(error) != self._refused:
                _LOG.warning("mqtt connection ended; connecting again", reason=str(error))
                self._refused = str(error)
            return
        with contextlib.suppress(OSError):  # the broker may have gone first
            connection.send(packets.DISCONNECT)

    def _serve(self, connection: socket.socket) -> None:
        """Move bytes until stopped and drained; OSError or ProtocolError when the connection ends."""
        give_up_at = None
        while True:
            if self._stopping.is_set():
                give_up_at = give_up_at or time.monotonic() + self._settings.drain_s
                if time.monotonic() > give_up_at or not self._owing():
                    return
            reading = not self._stopping.is_set() and self._gateway.has_room()
            wanted = [self._wake_read, connection] if reading else [self._wake_read]
            # TLS decrypts a whole record at once: what it holds, select cannot see.
            pending = isinstance(connection, ssl.SSLSocket) and connection.pending() > 0
            held = reading and (self._waiting or pending)
            readable, _, _ = select.select(
                wanted, [connection] if self._out else [], [], 0.0 if held else _WAIT_S
            )
            if held or connection in readable:
                self._read(connection, wait=connection not in readable and not pending)
            self._acknowledge()
            self._keep_alive(reading)
            if self._out:
                self._write(connection)

    def _owing(self) -> bool:
        return bool(self._gateway.in_flight or self._confirmed or self._out)

    def _read(self, connection: socket.socket, wait: bool) -> None:
        """Take what came; `wait`: only what was read before."""
        if not wait:
            with contextlib.suppress(*_AGAIN):
                received = connection.recv(_BLOCK_BYTES)
                if not received:
                    raise ConnectionResetError("the broker closed it")
                self._packets.feed(received)
                self._asked_s = None
        self._waiting = True
        while (room := min(_TOGETHER, self._gateway.room())) > 0:
            messages, packet_ids = self._messages(room)
            if messages:
                self._gateway.accept_all(messages, self._confirmer(packet_ids))
            if len(messages) < room:
                self._waiting = False
                return

    def _messages(self, most: int) -> tuple[list[tuple[Message, str]], list[bytes]]:
        """The next messages that were read, with their codecs, and their packet ids; the rest is heeded."""
        messages: list[tuple[Message, str]] = []
        packet_ids: list[bytes] = []
        now_ms = time.time_ns() // 1_000_000
        for first, body in self._packets:
            if first >> 4 != packets.PUBLISH:
                self._heed(first >> 4, body)
                continue
            named, packet_id, payload = packets.published(first, body)
            try:
                topic, received_ms = replayed(named.decode(), now_ms)
                codec = self._routes.codec_of(topic)
            except UnicodeDecodeError:
                topic, received_ms, codec = "(a topic that is not UTF-8)", now_ms, UNROUTED
            messages.append((Message(payload, topic, received_ms, bool(first & 1)), codec))
            if packet_id:
                packet_ids.append(packet_id)
            if len(messages) >= most:
                break
        return messages, packet_ids

    def _heed(self, kind: int, body: bytearray) -> None:
        if kind == packets.CONNACK:
            self._connected(body)
        elif kind == packets.SUBACK:
            refused = [name for name, code in zip(self._filters, body[2:], strict=False) if code & 0x80]
            if refused:
                _LOG.error("mqtt broker refused subscriptions", topics=refused)

    def _confirmer(self, packet_ids: list[bytes]) -> Callable[[], None]:
        acknowledgements = (self._epoch, b"".join(map(packets.puback, packet_ids)))
        queue = self._confirmed

        def confirmed() -> None:
            queue.append(acknowledgements)
            # Behind another one no wake is needed: the thread empties the queue when it comes.
            if len(queue) == 1:
                self._wake()

        return confirmed

    def _connected(self, body: bytearray) -> None:
        if len(body) != 2:
            raise packets.ProtocolError("received a CONNACK of another length")
        if body[1]:
            reason = packets.REFUSED.get(body[1], f"return code {body[1]}")
            if reason != self._refused:
                _LOG.error("mqtt broker refused the connection; trying again", reason=reason)
            self._refused = reason
            raise ConnectionRefusedError(reason)
        self._back_off_s, self._refused = _BACK_OFF_S[0], ""
        if self._settings.share:  # the session may still hold what was asked for without a group
            self._ask(packets.unsubscribe(1, self._routes.filters))
        self._ask(packets.subscribe(2, self._filters))
        _LOG.info("mqtt connected", session_kept=bool(body[0] & 1), topics=self._filters)

    def _acknowledge(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_read.recv(65_536)
        epoch, queue = self._epoch, self._confirmed
        while queue:
            of, acknowledgements = queue.popleft()
            if of == epoch:
                self._out += acknowledgements

    def _keep_alive(self, reading: bool) -> None:
        """A ping when we were silent for long; TimeoutError when what we asked was not answered for long."""
        now_s, limit_s = time.monotonic(), self._settings.keepalive_s
        if self._asked_s is None:
            if now_s - self._spoke_s >= limit_s / 2 and not self._out:
                self._ask(packets.PINGREQ)
        elif not reading:
            self._asked_s = now_s
        elif now_s - self._asked_s > limit_s:
            raise TimeoutError(f"the broker said nothing for {limit_s} s")

    def _ask(self, packet: bytes) -> None:
        self._out += packet
        self._asked_s = time.monotonic()

    def _write(self, connection: socket.socket) -> None:
        with contextlib.suppress(*_AGAIN):
            sent = connection.send(self._out)
            del self._out[:sent]
            self._spoke_s = time.monotonic()

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full means already awake; closed, that nobody is left to wake
            self._wake_write.send(b"\0")

    def _pause(self) -> None:
        """Back off before connecting again, doubling; a connection that was accepted starts it anew."""
        if not self._stopping.wait(self._back_off_s):
            self._back_off_s = min(self._back_off_s * 2, _BACK_OFF_S[1])
