"""What the TCP connector promises, over a real socket: a confirmation only for what the log confirmed."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from connectors.base import Device
from connectors.codecs import load_codecs
from connectors.gateway import Gateway, Limits
from connectors.gb26875.frame import Frame, parse
from connectors.peers import Peers
from connectors.producer import Record
from connectors.resolve import Resolver
from connectors.tcp.framing import framing_of
from connectors.tcp.server import TcpSettings, serve
from deploy.embedded.ports import free_ports
from schemas.errors import SettingsError
from schemas.topics import QUARANTINE, SIGNALS
from tests.waiting import wait_until

HEX = Path(__file__).resolve().parents[3] / "shared" / "data" / "payloads" / "gb26875_frame.hex"
DETECTOR = "010000000000/1-1-25"
AT = bytes((0, 0, 8, 23, 11, 26))
LIMIT_S = 5.0
NAMES = (f"tcp-test{number}" for number in count())


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
    """The connector on a thread."""

    def __init__(self, log: HeldLog, limits: Limits | None = None, **options: Any) -> None:
        devices = {DETECTOR: Device(DETECTOR, "", "", "370202001001001", None, "", None, simulated=False)}
        self.transport = next(NAMES)
        codecs = load_codecs(["gb26875"], {})
        self._gateway = Gateway(self.transport, codecs, devices, Resolver(devices, Places()), log, limits)  # type: ignore[arg-type]
        self._framing = framing_of("gb26875", codecs["gb26875"])
        (self.port,) = free_ports(1)
        self._settings = TcpSettings("127.0.0.1", self.port, "gb26875", **options)
        self._ready = threading.Event()
        self.ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await serve(self._settings, self._framing, self._gateway, self._stop)
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

    def connect(self) -> socket.socket:
        tick = threading.Event()
        for _ in range(500):
            try:
                opened = socket.create_connection(("127.0.0.1", self.port), LIMIT_S)
            except ConnectionRefusedError:
                tick.wait(0.01)
            else:
                opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                return opened
        raise AssertionError("nobody listens")


@contextmanager
def running(
    log: HeldLog, limits: Limits | None = None, **options: float
) -> Iterator[tuple[Server, socket.socket]]:
    server = Server(log, limits, **options)
    server.start()
    peer = server.connect()
    try:
        yield server, peer
    finally:
        peer.close()
        server.stop()
        log.confirm()
        server.join()


def frame(serial: int = 1, status: int = 2, kind: int = 2, command: int = 2) -> bytes:
    item = struct.pack("<BBBIH31s6s", 1, 1, 42, 25, status, "3号楼".encode("gb18030"), AT)
    adu = bytes((kind, 1)) + item
    head = struct.pack(
        "<2sHH6s6s6sHB", b"@@", serial, 257, AT, b"\1" + bytes(5), b"\xff" * 6, len(adu), command
    )
    head += adu
    return head + bytes((sum(head[2:]) % 256,)) + b"##"


def confirmed(peer: socket.socket) -> int:
    """Serial of the next confirmation."""
    said = b""
    while len(said) < 30:
        piece = peer.recv(30 - len(said))
        assert piece, "closed"
        said += piece
    read = parse(said)
    assert isinstance(read, Frame)
    assert read.command == 3
    return read.serial


def silent(peer: socket.socket, for_s: float = 0.3) -> None:
    peer.settimeout(for_s)
    with pytest.raises(TimeoutError):
        peer.recv(1)
    peer.settimeout(LIMIT_S)


def dropped(reason: str) -> float:
    return REGISTRY.get_sample_value("taishi_dropped_total", {"transport": "tcp", "reason": reason}) or 0.0


def test_a_frame_is_confirmed_when_the_log_has_it_and_not_before() -> None:
    log = HeldLog()
    with running(log) as (_, peer):
        peer.sendall(frame(serial=513))
        wait_until(lambda: log.groups)
        assert [record.topic for record in log.groups[0][0]] == [SIGNALS, "readings.security"]
        silent(peer)
        log.confirm()
        assert confirmed(peer) == 513


def test_byte_by_byte_with_garbage_between_and_several_in_one() -> None:
    log, noise = HeldLog(), dropped("noise")
    with running(log) as (_, peer):
        for each in b"\x00@@garbage" + frame(1) + b"\xff#@" + frame(2):
            peer.sendall(bytes((each,)))
        peer.sendall(frame(3) + frame(4) + frame(5)[:20])
        peer.sendall(frame(5)[20:])
        wait_until(lambda: len(log.groups) == 5)
        log.confirm()
        assert [confirmed(peer) for _ in range(5)] == [1, 2, 3, 4, 5]
        assert dropped("noise") == noise + 10 + 3


def test_what_is_kept_in_quarantine_is_confirmed_and_a_damaged_frame_is_not() -> None:
    log = HeldLog()
    damaged = bytearray(frame(2))
    damaged[60] ^= 1
    with running(log) as (_, peer):
        peer.sendall(frame(1, kind=0x96) + bytes(damaged) + frame(3, command=3) + frame(4))
        wait_until(lambda: len(log.groups) == 4)
        topics = [[record.topic for record in records] for records, _ in log.groups]
        assert topics[:3] == [[QUARANTINE], [QUARANTINE], []]
        log.confirm()
        assert [confirmed(peer), confirmed(peer)] == [1, 4]


@pytest.mark.skipif(not HEX.is_file(), reason="no ../shared/data/payloads beside the repository")
def test_the_published_frame_is_kept_and_confirmed() -> None:
    log = HeldLog()
    with running(log) as (_, peer):
        published = bytes.fromhex(HEX.read_text())
        peer.sendall(published)
        wait_until(lambda: log.groups)
        (record,) = log.groups[0][0]
        assert (record.topic, record.value) == (QUARANTINE, published)
        log.confirm()
        assert confirmed(peer) == 0


def test_a_device_is_not_read_while_its_window_waits_for_the_log() -> None:
    log = HeldLog()
    with running(log, window=2) as (_, peer):
        peer.sendall(frame(1) + frame(2) + frame(3))
        wait_until(lambda: len(log.groups) == 2)
        silent(peer)
        assert len(log.groups) == 2
        log.confirm()
        wait_until(lambda: log.groups)
        log.confirm()
        assert [confirmed(peer) for _ in range(3)] == [1, 2, 3]


def test_without_room_a_frame_is_not_confirmed_and_comes_again() -> None:
    log = HeldLog()
    with running(log, Limits(messages=1)) as (server, peer):
        peer.sendall(frame(1) + frame(2))
        labels = {"source": f"{server.transport}.gb26875", "reason": "busy"}
        wait_until(lambda: REGISTRY.get_sample_value("taishi_refused_total", labels))
        log.confirm()
        assert confirmed(peer) == 1
        peer.sendall(frame(2))
        wait_until(lambda: log.groups)
        log.confirm()
        assert confirmed(peer) == 2


def test_a_silent_device_is_closed_and_what_was_cut_is_counted() -> None:
    cut = dropped("cut")
    with running(HeldLog(), idle_s=0.1) as (_, peer):
        peer.sendall(frame()[:20])
        assert peer.recv(1) == b""
    assert dropped("cut") == cut + 20


def test_one_device_too_many_is_sent_away() -> None:
    with running(HeldLog(), connections=1) as (server, peer):
        peer.sendall(b"x")
        wait_until(lambda: dropped("noise"))
        second = server.connect()
        with suppress(ConnectionResetError):
            assert second.recv(1) == b""
        second.close()


def test_a_stranger_is_closed_unread() -> None:
    log, strangers = HeldLog(), dropped("stranger")
    with running(log, peers=Peers(["10.2.0.0/16"])) as (_, peer):
        with suppress(ConnectionResetError):
            assert peer.recv(1) == b""
        assert dropped("stranger") == strangers + 1
        assert not log.groups


def test_a_device_that_left_harms_nobody() -> None:
    log = HeldLog()
    with running(log) as (server, peer):
        peer.sendall(frame(1))
        wait_until(lambda: log.groups)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        log.confirm()
        other = server.connect()
        other.sendall(frame(2))
        wait_until(lambda: log.groups)
        log.confirm()
        assert confirmed(other) == 2
        other.close()


def test_an_end_waits_for_what_is_under_way() -> None:
    log = HeldLog()
    with running(log) as (server, peer):
        peer.sendall(frame(1))
        wait_until(lambda: log.groups)
        server.stop()
        assert not server.ended.wait(0.2)
        log.confirm()
        assert confirmed(peer) == 1
        assert peer.recv(1) == b""
        assert server.ended.wait(LIMIT_S)


def test_an_end_does_not_wait_for_ever() -> None:
    log = HeldLog()
    with running(log, drain_s=0.2, window=1) as (server, peer):
        peer.sendall(frame(1) + frame(2))
        wait_until(lambda: log.groups)
        server.stop()
        assert server.ended.wait(LIMIT_S)


def test_a_port_that_is_taken_and_a_codec_without_frames_are_settings_to_change() -> None:
    codecs = load_codecs(["gb26875", "native"], {})
    taken = socket.create_server(("127.0.0.1", 0))
    settings = TcpSettings("127.0.0.1", taken.getsockname()[1], "gb26875")

    async def serving() -> None:
        await serve(settings, framing_of("gb26875", codecs["gb26875"]), None, asyncio.Event())  # type: ignore[arg-type]

    with pytest.raises(SettingsError, match="tcp_port"):
        asyncio.run(serving())
    taken.close()
    with pytest.raises(SettingsError, match="gb26875"):
        framing_of("native", codecs["native"])
