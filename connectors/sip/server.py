"""The SIP connector: a UDP server of MESSAGE requests that answers when Kafka has the record, not before.

accept: 1 parse   2 know it again   3 gateway   4 Kafka confirms   5 answer: 200 OK, and the MANSCDP Response

What a kill leaves behind: before 5 the sender has no answer, so it sends the same again (RFC 3261,
17.1.2) and then raises the alarm anew; what reached the log meanwhile has the same reading id, and the
fold drops the second. After 5 it is in the log. Nothing here is written to disk.

The same MESSAGE (sender's address, Call-ID, CSeq, body) is taken once while it is remembered: before the
answer it is dropped, after it the very same answer goes out again. Forgetting one (the memory is bounded)
costs nothing but a second record with the same id.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import secrets
import socket
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, cast

import structlog

from connectors.base import Message
from connectors.gateway import Gateway, Outcome
from connectors.peers import Peers
from connectors.sip.manscdp import alarm_response
from connectors.sip.message import (
    Malformed,
    Request,
    Response,
    answer,
    message_to,
    parse,
    reply_port,
    user_of,
)
from connectors.telemetry import DropTelemetry
from schemas.errors import SettingsError

__all__ = ["SipServer", "SipSettings", "serve"]

_LOG = structlog.get_logger(__name__)
_DROPS: Final = ("stranger", "malformed", "response", "method", "retransmission")
_KNOWN: Final = frozenset(
    (
        *("INVITE", "BYE", "CANCEL", "OPTIONS", "REGISTER", "PRACK", "SUBSCRIBE", "NOTIFY", "PUBLISH"),
        *("INFO", "REFER", "UPDATE"),
    )
)
_RECEIVE_BYTES: Final = 4 * 1024 * 1024
_WILDCARDS: Final = {"0.0.0.0", "::"}  # noqa: S104 - to recognise it, not to bind it


@dataclass(frozen=True, slots=True)
class SipSettings:
    """Where to listen and which codec reads the bodies; `remembered` requests are known again.

    SIP MESSAGE as GB/T 28181 devices send it shows no credential: datagrams of others than `peers` are
    dropped unread.
    """

    host: str
    port: int
    codec: str
    peers: Peers = field(default_factory=Peers)
    remembered: int = 10_000
    drain_s: float = 10.0


@dataclass(frozen=True, slots=True)
class _Answered:
    """The datagrams of an answer and where they went."""

    datagrams: tuple[bytes, ...]
    address: tuple[str, int]


class SipServer(asyncio.DatagramProtocol):
    """One socket. Everything but the delivery report runs on the event loop's thread."""

    def __init__(self, settings: SipSettings, gateway: Gateway) -> None:
        self._settings = settings
        self._gateway = gateway
        self._drops = DropTelemetry("sip", _DROPS)
        self._pending: set[bytes] = set()
        self._answered: OrderedDict[bytes, _Answered] = OrderedDict()
        self._idle = asyncio.Event()
        self._idle.set()
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.DatagramTransport | None = None
        self._stopping = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is open."""
        # A cast: asyncio's own datagram transport is no subclass of DatagramTransport.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def error_received(self, exc: Exception) -> None:
        """A device that went away (ICMP): it will ask again if it wants the answer."""
        _LOG.debug("sip peer unreachable", error=str(exc))

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One datagram of anybody."""
        peer = (addr[0], addr[1])
        if not self._settings.peers.allow(peer[0]):
            self._drops.dropped("stranger")
            return
        message = parse(data)
        if isinstance(message, Malformed):
            self._drops.dropped("malformed")
        elif isinstance(message, Response):
            self._drops.dropped("response")
        elif message.method != "MESSAGE":
            self._not_offered(message, peer)
        else:
            self._message(message, peer)

    async def drain(self) -> None:
        """Take nothing more; wait, at most `drain_s`, until what was taken is answered."""
        self._stopping = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_s):
                await self._idle.wait()

    def _not_offered(self, request: Request, peer: tuple[str, int]) -> None:
        self._drops.dropped("method")
        if request.method == "ACK":
            return  # RFC 3261: never answered
        status = "405 Method Not Allowed" if request.method in _KNOWN else "501 Not Implemented"
        self._send(answer(request, status, peer, ("Allow: MESSAGE",)), _reply_to(request, peer))

    def _message(self, request: Request, peer: tuple[str, int]) -> None:
        key = _key(request, peer)
        if key in self._pending:
            self._drops.dropped("retransmission")
        elif (answered := self._answered.get(key)) is not None:
            self._drops.dropped("retransmission")
            for datagram in answered.datagrams:
                self._send(datagram, answered.address)
        elif self._stopping or not self._gateway.has_room():
            # No 503: it would end the transaction, and silence makes the device send it again for 32 s.
            self._gateway.refuse(self._settings.codec, "busy")
        else:
            self._take(key, request, peer)

    def _take(self, key: bytes, request: Request, peer: tuple[str, int]) -> None:
        self._pending.add(key)
        self._idle.clear()
        headers = (("content-type", request.header("content-type")),)
        at_ms = time.time_ns() // 1_000_000
        message = Message(request.body, f"sip:{user_of(request.header('from'))}", at_ms, headers=headers)

        def done(_outcome: Outcome) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody is left to tell
                self._loop.call_soon_threadsafe(self._settle, key, request, peer)

        self._gateway.accept(message, self._settings.codec, done)

    def _settle(self, key: bytes, request: Request, peer: tuple[str, int]) -> None:
        """Kafka has it, as readings or in quarantine: answer, and remember the answer."""
        self._pending.discard(key)
        address = _reply_to(request, peer)
        datagrams = [answer(request, "200 OK", peer)]
        body = alarm_response(request.body)
        if body is not None and user_of(request.header("from")):
            token = secrets.token_hex(12)
            datagrams.append(message_to(request, body, self._local(address), address, token))
        answered = _Answered(tuple(datagrams), address)
        self._answered[key] = answered
        if len(self._answered) > self._settings.remembered:
            self._answered.popitem(last=False)
        for datagram in answered.datagrams:
            self._send(datagram, address)
        if not self._pending:
            self._idle.set()

    def _send(self, datagram: bytes, address: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(datagram, address)

    def _local(self, peer: tuple[str, int]) -> tuple[str, int]:
        """Our own address as the peer sees it, for Via."""
        host, port = self._settings.host, self._settings.port
        if self._transport is not None:
            host, port = self._transport.get_extra_info("sockname")[:2]
        return (_towards(peer) if host in _WILDCARDS else host), port


async def serve(settings: SipSettings, gateway: Gateway, stop: asyncio.Event) -> None:
    """Listen until `stop` is set, then answer what is under way; SettingsError if the port is not ours."""
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(
        lambda: SipServer(settings, gateway), sock=_socket(settings)
    )
    _LOG.info("sip listening", host=settings.host, port=settings.port, codec=settings.codec)
    try:
        await stop.wait()
        await server.drain()
    finally:
        transport.close()


def _socket(settings: SipSettings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_DGRAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BYTES)
        opened.bind((settings.host, settings.port))
    except OSError as error:
        opened.close()
        raise SettingsError(
            f"cannot listen on UDP {settings.host}:{settings.port}: {error.strerror}; set sip_host or "
            "sip_port (TAISHI_SIP_PORT)"
        ) from error
    opened.setblocking(False)
    return opened


def _key(request: Request, peer: tuple[str, int]) -> bytes:
    """Another body is another message, whatever a device that forgot its counters calls it."""
    head = "\0".join((peer[0], request.header("call-id"), request.header("cseq")))
    return hashlib.blake2b(head.encode("latin-1") + b"\0" + request.body, digest_size=16).digest()


def _reply_to(request: Request, peer: tuple[str, int]) -> tuple[str, int]:
    """Always the host the request came from: an answer goes to nobody else."""
    return peer[0], reply_port(request, peer[1])


def _towards(peer: tuple[str, int]) -> str:
    """The address this host would send from; no packet is sent. Without a route nothing will be either."""
    family = socket.AF_INET6 if ":" in peer[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(peer)
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])
