"""The MQTT connector: one connection, one thread, and PUBACK only for what Kafka has confirmed.

All of paho's calls are made by one thread (`run`); Kafka's delivery thread only puts (epoch, packet id)
into a queue and wakes it. Dying between any two lines:
- message read, not produced, or produced and not confirmed: no PUBACK; the broker sends it again to
  the session (fixed client id, clean_session false), the fold drops what came twice;
- confirmed, PUBACK not sent: the same;
- connection lost with messages in flight: the broker sends them again under packet ids of its choice.
  A confirmation that belongs to an earlier connection would acknowledge another message: it carries
  the connection's epoch and is dropped when that has passed.

Without room in the gateway the socket is not read; acknowledgements and pings are still written. If that
lasts for longer than the keep-alive, paho misses its ping's answer and connects anew: one more redelivery.
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import paho.mqtt.client as mqtt
import structlog
from paho.mqtt.enums import CallbackAPIVersion

from connectors.base import Message
from connectors.gateway import Gateway, Outcome
from connectors.mqtt.routes import UNROUTED, TopicRoutes

__all__ = ["MqttConnector", "MqttSettings", "MqttTls", "show_mqtt"]

_LOG = structlog.get_logger(__name__)
_WAIT_S: Final = 0.5
_BACK_OFF_S: Final = (0.2, 10.0)
_BURST: Final = 64


@dataclass(frozen=True, slots=True)
class MqttTls:
    """Speak TLS, and to a broker with another name than its certificate's do not speak at all.

    `ca_file` None: the system's CAs. `certificate` and `key`: ours, where the broker asks for one. All PEM.
    """

    ca_file: Path | None = None
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """Where the broker is and who we are to it. Two connectors with one client id throw each other out."""

    host: str
    port: int
    client_id: str = "taishi-connect-mqtt"
    user: str = ""
    password: str = ""
    tls: MqttTls | None = None
    keepalive_s: int = 60
    drain_s: float = 10.0


def show_mqtt(settings: MqttSettings, client: mqtt.Client) -> None:
    """Have the client, not yet connected, show who we are, and over TLS where that is set."""
    if settings.user:
        client.username_pw_set(settings.user, settings.password)
    if settings.tls is not None:
        files = (settings.tls.ca_file, settings.tls.certificate, settings.tls.key)
        ca_file, certificate, key = (None if file is None else str(file) for file in files)
        client.tls_set(ca_file, certificate, key)


class MqttConnector:
    """Reads the routes' topics into the gateway until `stop`."""

    def __init__(self, settings: MqttSettings, routes: TopicRoutes, gateway: Gateway) -> None:
        self._settings = settings
        self._routes = routes
        self._gateway = gateway
        self._epoch = 0
        self._taken = 0
        self._confirmed: deque[tuple[int, int]] = deque()
        self._stopping = threading.Event()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._back_off_s = _BACK_OFF_S[0]
        self._refused = ""
        self._client = self._new_client()

    def stop(self) -> None:
        """Read no more, acknowledge what Kafka still confirms, leave; from any thread or a signal handler."""
        self._stopping.set()
        self._wake()

    def run(self) -> None:
        """Connect, and connect again, until stopped and drained; once per object."""
        while not self._stopping.is_set():
            if self._connect():
                self._serve()
            self._pause()
        if self._client.socket() is not None:
            self._client.disconnect()
            self._client.loop_write()
        self._wake_read.close()
        self._wake_write.close()
        _LOG.info("mqtt left", in_flight=self._gateway.in_flight)

    def _connect(self) -> bool:
        where = f"{self._settings.host}:{self._settings.port}"
        self._epoch += 1
        self._confirmed.clear()
        try:
            self._client.connect(self._settings.host, self._settings.port, self._settings.keepalive_s)
        except OSError as error:
            if str(error) != self._refused:
                _LOG.warning("mqtt broker unreachable; trying again", broker=where, error=str(error))
            self._refused = str(error)
            return False
        return True

    def _serve(self) -> None:
        """Move bytes until the connection ends, or stopped and drained."""
        give_up_at = None
        while (sock := self._client.socket()) is not None:
            if self._stopping.is_set():
                give_up_at = give_up_at or time.monotonic() + self._settings.drain_s
                if time.monotonic() > give_up_at or not self._owing():
                    return
            reading = not self._stopping.is_set() and self._gateway.has_room()
            wanted = [self._wake_read, sock] if reading else [self._wake_read]
            # TLS decrypts a whole record at once: what it holds, select cannot see.
            held = reading and isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
            readable, writable, _ = select.select(
                wanted, [sock] if self._client.want_write() else [], [], 0.0 if held else _WAIT_S
            )
            self._acknowledge()
            if held or sock in readable:
                self._read()
            if sock in writable or self._client.want_write():
                self._client.loop_write()
            self._client.loop_misc()

    def _owing(self) -> bool:
        return bool(self._gateway.in_flight or self._confirmed or self._client.want_write())

    def _read(self) -> None:
        """Some packets at once: a select for each would cost more than the packet."""
        for _ in range(_BURST):
            before = self._taken
            if self._client.loop_read() != mqtt.MQTT_ERR_SUCCESS or self._taken == before:
                return
            if not self._gateway.has_room():
                return

    def _acknowledge(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wake_read.recv(65_536)
        while self._confirmed:
            epoch, packet_id = self._confirmed.popleft()
            if epoch == self._epoch:
                self._client.ack(packet_id, 1)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # full means already awake; closed, that nobody is left to wake
            self._wake_write.send(b"\0")

    def _pause(self) -> None:
        """Back off before connecting again, doubling; a connection that was accepted starts it anew."""
        if not self._stopping.wait(self._back_off_s):
            self._back_off_s = min(self._back_off_s * 2, _BACK_OFF_S[1])

    def _on_connect(self, client: mqtt.Client, _user: object, flags: Any, code: Any, _more: object) -> None:
        if code.is_failure:
            if str(code) != self._refused:
                _LOG.error("mqtt broker refused the connection; trying again", reason=str(code))
            self._refused = str(code)
            return
        self._back_off_s, self._refused = _BACK_OFF_S[0], ""
        client.subscribe([(topic_filter, 1) for topic_filter in self._routes.filters])
        _LOG.info("mqtt connected", session_kept=flags.session_present, topics=self._routes.filters)

    def _on_subscribe(
        self, _client: object, _user: object, _mid: int, codes: list[Any], _more: object
    ) -> None:
        refused = [name for name, code in zip(self._routes.filters, codes, strict=False) if code.is_failure]
        if refused:
            _LOG.error("mqtt broker refused subscriptions", topics=refused)

    def _on_disconnect(
        self, _client: object, _user: object, _flags: object, code: Any, _more: object
    ) -> None:
        if not self._stopping.is_set():
            _LOG.warning("mqtt connection ended; connecting again", reason=str(code))

    def _on_message(self, _client: object, _user: object, received: mqtt.MQTTMessage) -> None:
        self._taken += 1
        try:
            topic = received.topic
            codec = self._routes.codec_of(topic)
        except UnicodeDecodeError:
            topic, codec = "(a topic that is not UTF-8)", UNROUTED
        message = Message(bytes(received.payload), topic, time.time_ns() // 1_000_000, received.retain)
        self._gateway.accept(message, codec, self._confirmer(received))

    def _confirmer(self, received: mqtt.MQTTMessage) -> Callable[[Outcome], None]:
        epoch, packet_id, qos = self._epoch, received.mid, received.qos

        def confirmed(_outcome: Outcome) -> None:
            if qos:
                self._confirmed.append((epoch, packet_id))
                # Behind another one no wake is needed: the thread empties the queue when it comes.
                if len(self._confirmed) == 1:
                    self._wake()

        return confirmed

    def _new_client(self) -> mqtt.Client:
        settings = self._settings
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            settings.client_id,
            clean_session=False,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        show_mqtt(settings, client)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        # With this hook paho queues what we send and leaves the writing to `loop_write`.
        client.on_socket_register_write = lambda *_: None
        return client
