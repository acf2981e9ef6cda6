"""`taishi connect sip` and `taishi connect tcp` as processes: they serve, and end when told.

Without Kafka: what leads to no record is answered at once, what leads to one waits, so both are seen.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deploy.embedded.ports import free_ports

LIMIT_S = 60.0
HEADER = "device,model,kind,grid,longitude,latitude,crs,subject,capacity,simulated\n"


@contextmanager
def command(name: str, home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    (home / "devices.csv").write_text(HEADER)
    port, metrics, kafka = free_ports(3)
    environment = dict(os.environ) | {
        "TAISHI_HOME": str(home),
        f"TAISHI_{name.upper()}_PORT": str(port),
        "TAISHI_KAFKA_PORT": str(kafka),
        "TAISHI_METRICS_PORT": str(metrics - (7 if name == "sip" else 8)),
        "TAISHI_CODEC_OPTIONS": json.dumps({"gb26875": {"uncounted": [150]}}),
    }
    process = subprocess.Popen([sys.executable, "-m", "taishi.cli.main", "connect", name], env=environment)
    try:
        yield process, port
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(LIMIT_S)


def ended(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(LIMIT_S)


def test_sip_answers_a_keepalive_and_ends_by_signal(tmp_path: Path) -> None:
    body = b"<Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>37020200001320000011</DeviceID></Notify>"
    head = (
        "MESSAGE sip:37020200002000000001@3702020000 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1;rport;branch=z9hG4bK1\r\n"
        "From: <sip:37020200001320000011@3702020000>;tag=a\r\nTo: <sip:37020200002000000001@3702020000>\r\n"
        f"Call-ID: 1\r\nCSeq: 1 MESSAGE\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with command("sip", tmp_path) as (process, port), socket.socket(type=socket.SOCK_DGRAM) as device:
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


def test_tcp_confirms_what_leads_to_no_record_alone_and_ends_by_signal(tmp_path: Path) -> None:
    with command("tcp", tmp_path) as (process, port), connected(port) as device:
        device.sendall(frame(0x97, 1) + frame(0x96, 2))  # the first waits for a Kafka that is not there
        said = device.recv(30, socket.MSG_WAITALL)
        assert (said[:4], said[26]) == (b"@@\x02\x00", 3)
        assert ended(process) == 0
        assert device.recv(30) == b""
