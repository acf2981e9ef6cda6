"""What the SIP connector promises, over a real UDP socket: an answer only for what the log confirmed."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from typing import Any

import pytest
from prometheus_client import REGISTRY

from connectors.base import Device
from connectors.codecs import load_codecs
from connectors.gateway import Gateway, Limits
from connectors.peers import Peers
from connectors.producer import Record
from connectors.resolve import Resolver
from connectors.sip.message import Request, parse
from connectors.sip.server import SipSettings, serve
from deploy.embedded.ports import free_ports
from schemas.errors import SettingsError
from schemas.topics import QUARANTINE, SIGNALS
from tests.waiting import wait_until

CAMERA = "37020200001320000011"
LIMIT_S = 5.0
NAMES = (f"sip-test{number}" for number in count())


class HeldLog:
    """Keeps what it is given; `confirm` is Kafka's delivery report, from another thread than the server's."""

    def __init__(self) -> None:
        self.groups: list[tuple[Sequence[Record], Callable[[], None]]] = []

    def deliver(self, records: Sequence[Record], on_delivered: Callable[[], None]) -> None:
        self.groups.append((records, on_delivered))

    def confirm(self) -> None:
        groups, self.groups = self.groups, []
        for _, on_delivered in groups:
            on_delivered()


class Places:
    def locate(self, *_point: float) -> str | None:
        return None

    def has_grid(self, *_code: str) -> bool:
        return True


class Server:
    """The connector on a thread, and a device that speaks to it."""

    def __init__(self, log: HeldLog, limits: Limits | None = None, **options: Any) -> None:
        devices = {CAMERA: Device(CAMERA, "", "", "370202001001001", None, "", None, simulated=False)}
        self.transport = next(NAMES)
        codecs = load_codecs(["gb28181"], {})
        self.gateway = Gateway(self.transport, codecs, devices, Resolver(devices, Places()), log, limits)  # type: ignore[arg-type]
        (self.port,) = free_ports(1)
        self.settings = SipSettings("127.0.0.1", self.port, "gb28181", **options)
        self._ready = threading.Event()
        self.ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._loop.call_soon(self._ready.set)
        await serve(self.settings, self.gateway, self._stop)
        self.ended.set()

    def start(self) -> None:
        self._thread.start()
        assert self._ready.wait(LIMIT_S)

    def stop(self) -> None:
        with suppress(RuntimeError):  # it has ended already
            self._loop.call_soon_threadsafe(self._stop.set)

    def join(self) -> None:
        self._thread.join(LIMIT_S)
        assert self.ended.is_set()


class Peer:
    """A device's socket."""

    def __init__(self, port: int) -> None:
        self._to = ("127.0.0.1", port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def send(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, self._to)

    def receive(self, limit_s: float = LIMIT_S) -> bytes:
        self._socket.settimeout(limit_s)
        return self._socket.recv(65_536)

    def silence(self, for_s: float = 0.3) -> None:
        with pytest.raises(TimeoutError):
            self.receive(for_s)

    def close(self) -> None:
        self._socket.close()


@contextmanager
def running(log: HeldLog, limits: Limits | None = None, **options: Any) -> Iterator[tuple[Server, Peer]]:
    server = Server(log, limits, **options)
    server.start()
    peer = Peer(server.port)
    try:
        yield server, peer
    finally:
        server.stop()
        log.confirm()
        server.join()
        peer.close()


def alarm(kind: int = 6, serial: int = 3, device: str = CAMERA) -> bytes:
    return (
        '<?xml version="1.0" encoding="GB2312"?>\r\n<Notify><CmdType>Alarm</CmdType>'
        f"<SN>{serial}</SN><DeviceID>{device}</DeviceID><AlarmPriority>1</AlarmPriority>"
        "<AlarmMethod>5</AlarmMethod><AlarmTime>2026-11-23T08:00:00</AlarmTime>"
        f"<AlarmDescription>视频告警</AlarmDescription><Info><AlarmType>{kind}</AlarmType></Info></Notify>"
    ).encode("gb18030")


def message(body: bytes, number: int = 1, method: str = "MESSAGE") -> bytes:
    head = (
        f"{method} sip:37020200002000000001@3702020000 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 192.0.2.9:5060;rport;branch=z9hG4bK{number}\r\n"
        f"From: <sip:{CAMERA}@3702020000>;tag=a\r\nTo: <sip:37020200002000000001@3702020000>\r\n"
        f"Call-ID: call-{number}\r\nCSeq: {number} {method}\r\nContent-Type: Application/MANSCDP+xml\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def dropped(reason: str) -> float:
    return counted("taishi_dropped_total", transport="sip", reason=reason)


def test_an_alarm_is_answered_when_the_log_has_it_and_not_before() -> None:
    log = HeldLog()
    with running(log) as (_, peer):
        peer.send(message(alarm()))
        wait_until(lambda: log.groups)
        peer.silence()
        assert [record.topic for record in log.groups[0][0]] == [SIGNALS, "readings.security"]
        log.confirm()
        ok = peer.receive().decode()
        assert ok.startswith("SIP/2.0 200 OK\r\n")
        assert f"rport={peer.port};received=127.0.0.1" in ok
        told = parse(peer.receive())
        assert isinstance(told, Request)
        assert told.method == "MESSAGE"
        assert told.header("call-id") != "call-1"
        assert b"<CmdType>Alarm</CmdType>" in told.body
        assert b"<SN>3</SN>" in told.body
        assert b"<Result>OK</Result>" in told.body


def test_a_keepalive_is_answered_once_with_200_and_leads_to_nothing() -> None:
    body = f"<Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>{CAMERA}</DeviceID></Notify>".encode()
    log = HeldLog()
    with running(log) as (_, peer):
        peer.send(message(body))
        wait_until(lambda: log.groups)
        assert log.groups[0][0] == ()
        log.confirm()
        assert peer.receive().startswith(b"SIP/2.0 200 OK")
        peer.silence()


def test_a_retransmission_is_not_taken_twice_and_gets_the_same_answer() -> None:
    log, before = HeldLog(), dropped("retransmission")
    with running(log) as (server, peer):
        peer.send(message(alarm()))
        peer.send(message(alarm()))
        wait_until(lambda: dropped("retransmission") == before + 1)
        peer.silence()
        assert len(log.groups) == 1
        log.confirm()
        first = [peer.receive(), peer.receive()]
        peer.send(message(alarm()))
        assert [peer.receive(), peer.receive()] == first
        peer.silence()
        assert log.groups == []
        assert counted("taishi_messages_received_total", source=f"{server.transport}.gb28181") == 1


def test_another_alarm_of_a_device_that_forgot_its_counters_is_taken() -> None:
    log = HeldLog()
    with running(log) as (_, peer):
        peer.send(message(alarm(serial=3)))
        peer.send(message(alarm(serial=4)))
        wait_until(lambda: len(log.groups) == 2)


def test_memory_of_answers_is_bounded_and_forgetting_only_takes_it_again() -> None:
    log = HeldLog()
    with running(log, remembered=2) as (_, peer):
        for number in (1, 2, 3, 1):
            peer.send(message(alarm(), number))
            wait_until(lambda: log.groups)
            log.confirm()
            assert peer.receive().startswith(b"SIP/2.0 200 OK")
            assert peer.receive().startswith(b"MESSAGE ")


def test_what_is_kept_in_quarantine_is_answered_too() -> None:
    log = HeldLog()
    with running(log) as (_, peer):
        peer.send(message(alarm(kind=1)))
        wait_until(lambda: log.groups)
        assert [record.topic for record in log.groups[0][0]] == [QUARANTINE]
        log.confirm()
        assert peer.receive().startswith(b"SIP/2.0 200 OK")
        assert peer.receive().startswith(b"MESSAGE ")
        peer.send(message(b"\xff<not xml", 2))
        wait_until(lambda: log.groups)
        log.confirm()
        assert peer.receive().startswith(b"SIP/2.0 200 OK")


@pytest.mark.parametrize(
    ("method", "status"), [("REGISTER", b"405"), ("NOTIFY", b"405"), ("FROBNICATE", b"501")]
)
def test_what_is_not_offered_says_what_is(method: str, status: bytes) -> None:
    with running(HeldLog()) as (_, peer):
        peer.send(message(b"", method=method))
        said = peer.receive()
        assert said.startswith(b"SIP/2.0 " + status)
        assert b"\r\nAllow: MESSAGE\r\n" in said


def test_malformed_datagrams_and_responses_are_counted_and_dropped() -> None:
    malformed, responses = dropped("malformed"), dropped("response")
    with running(HeldLog()) as (_, peer):
        for datagram in (b"", b"\x00" * 50, b"GET / HTTP/1.1\r\n\r\n", message(b"")[:60]):
            peer.send(datagram)
        peer.send(b"SIP/2.0 200 OK\r\nCSeq: 1 MESSAGE\r\n\r\n")
        peer.send(message(b"", method="ACK"))
        peer.silence()
        assert dropped("malformed") == malformed + 4
        assert dropped("response") == responses + 1


def test_a_stranger_is_not_heard_and_hears_nothing() -> None:
    log, strangers = HeldLog(), dropped("stranger")
    with running(log, peers=Peers(["10.2.0.0/16"])) as (_, peer):
        peer.send(message(alarm()))
        peer.silence()
        assert dropped("stranger") == strangers + 1
        assert not log.groups


def test_without_room_a_device_hears_nothing_and_its_next_retransmission_is_taken() -> None:
    log = HeldLog()
    with running(log, Limits(messages=1)) as (server, peer):
        refused = {"source": f"{server.transport}.gb28181", "reason": "busy"}
        peer.send(message(alarm(), 1))
        wait_until(lambda: log.groups)
        peer.send(message(alarm(), 2))
        wait_until(lambda: counted("taishi_refused_total", **refused) == 1)
        peer.silence()
        log.confirm()
        assert [peer.receive()[:7], peer.receive()[:7]] == [b"SIP/2.0", b"MESSAGE"]
        peer.send(message(alarm(), 2))
        wait_until(lambda: log.groups)
        log.confirm()
        assert peer.receive().startswith(b"SIP/2.0 200 OK")


def test_an_end_waits_for_what_is_under_way() -> None:
    log = HeldLog()
    with running(log) as (server, peer):
        peer.send(message(alarm()))
        wait_until(lambda: log.groups)
        server.stop()
        assert not server.ended.wait(0.2)
        log.confirm()
        assert peer.receive().startswith(b"SIP/2.0 200 OK")
        assert server.ended.wait(LIMIT_S)


def test_an_end_does_not_wait_for_ever() -> None:
    log = HeldLog()
    with running(log, drain_s=0.1) as (server, peer):
        peer.send(message(alarm()))
        wait_until(lambda: log.groups)
        server.stop()
        assert server.ended.wait(LIMIT_S)
        peer.silence()


def test_a_port_that_is_taken_is_a_setting_to_change() -> None:
    taken = Peer(9)
    settings = SipSettings("127.0.0.1", taken.port, "gb28181")

    async def serving() -> None:
        await serve(settings, None, asyncio.Event())  # type: ignore[arg-type]

    with pytest.raises(SettingsError, match="sip_port"):
        asyncio.run(serving())
    taken.close()
