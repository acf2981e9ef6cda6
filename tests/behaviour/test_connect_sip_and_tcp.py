"""`taishi connect sip` and `taishi connect tcp` as processes, with a real Kafka: they serve and end."""

from __future__ import annotations

import json
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

LIMIT_S = 60.0
HEADER = "device,model,kind,grid,longitude,latitude,crs,subject,capacity,simulated\n"


@contextmanager
def command(stack: Stack, name: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    (stack.settings.home / "devices.csv").write_text(HEADER, encoding="utf-8")
    process = stack.start("connect", name, log=stack.settings.logs / f"test-connect-{name}.log")
    try:
        yield process, stack.settings.sip_port if name == "sip" else stack.settings.tcp_port
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(LIMIT_S)


def ended(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(LIMIT_S)


def test_sip_answers_a_keepalive_and_ends_by_signal(stack: Stack) -> None:
    body = b"<Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>37020200001320000011</DeviceID></Notify>"
    head = (
        "MESSAGE sip:37020200002000000001@3702020000 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK1\r\n"
        "From: <sip:37020200001320000011@3702020000>;tag=a\r\nTo: <sip:37020200002000000001@3702020000>\r\n"
        f"Call-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with command(stack, "sip") as (process, port), socket.socket(type=socket.SOCK_DGRAM) as device:
        device.settimeout(0.2)
        for _ in range(int(LIMIT_S / 0.2)):  # as a device does it: again until there is an answer
            device.sendto(head.encode() + body, ("127.0.0.1", port))
            try:
                said = device.recv(65_536)
            except TimeoutError:
                continue
            break
        assert said.startswith(b"SIP/2.0 200 OK\r\n")
        assert ended(process) == 0


def frame(kind: int, serial: int) -> bytes:
    at, adu = bytes((0, 0, 8, 23, 11, 26)), bytes((kind, 0))
    head = struct.pack("<2sHH6s6s6sHB", b"@@", serial, 257, at, bytes(6), bytes(6), len(adu), 2) + adu
    return head + bytes((sum(head[2:]) % 256,)) + b"##"


def connected(port: int) -> socket.socket:
    tick = threading.Event()
    for _ in range(int(LIMIT_S / 0.1)):
        try:
            return socket.create_connection(("127.0.0.1", port), LIMIT_S)
        except ConnectionRefusedError:
            tick.wait(0.1)
    raise AssertionError("nobody listens")


def test_tcp_confirms_each_frame_once_the_log_has_what_it_led_to(stack: Stack) -> None:
    with command(stack, "tcp") as (process, port), connected(port) as device:
        device.sendall(frame(0x97, 1) + frame(0x96, 2))  # neither is taken: both stand in quarantine
        said = b""
        while len(said) < 60:
            said += device.recv(60)
        assert sorted((said[at + 2 : at + 4], said[at + 26]) for at in (0, 30)) == [
            (b"\x01\x00", 3),
            (b"\x02\x00", 3),
        ]
        assert ended(process) == 0
        assert device.recv(30) == b""
    listed = json.loads(stack.run("quarantine", "list", "--source", "tcp.gb26875", "--json").stdout)
    assert [record["sealed"] for record in listed] == [True, True]
