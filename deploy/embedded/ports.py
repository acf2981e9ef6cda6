"""Ports: checked before anything starts, and whoever holds one is named."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterable

import psutil

from deploy.embedded.parts import Part
from schemas.errors import SettingsError

__all__ = ["SCRATCH_PORTS", "check_ports", "free_ports", "holder", "is_free"]

SCRATCH_PORTS = "SCRATCH_PORTS"
"""Environment variable: where scratch ports are looked for, `20000-32000` if it says nothing.

Several test sessions at once have a range each: a part that is killed comes back to a port of its own.
"""


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether one can listen there now; connections still closing do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen()
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """The process that listens on the port, as `name (pid 17)`; what is known when it is another user's."""
    try:
        connections = psutil.net_connections("tcp")
    except psutil.AccessDenied:
        return "a process of another user"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,):
            return _name(connection.pid)
    return "an unknown process"


def check_ports(parts: Iterable[Part]) -> None:
    """SettingsError naming every taken port, who holds it and the setting that moves it."""
    taken = [
        f"{part.name}: port {port} is held by {holder(port)}; end it, or set TAISHI_{setting.upper()} "
        f"(or {setting} in taishi.toml) to a free port"
        for part in parts
        for setting, port in part.ports.items()
        if not is_free(port)
    ]
    if taken:
        raise SettingsError("; ".join(taken))


def free_ports(count: int, consecutive: bool = False) -> list[int]:
    """Ports free right now below the range that outgoing connections use, for tests and scratch stacks.

    Each call starts at a random place, so two at once seldom meet.
    """
    generator = random.SystemRandom()
    first, _, last = os.environ.get(SCRATCH_PORTS, "20000-32000").partition("-")
    while True:
        start = generator.randrange(int(first), int(last) - 2 * count)
        candidates = list(range(start, start + (count if consecutive else 2 * count)))
        free = [port for port in candidates if is_free(port)]
        if len(free) >= count:
            return free[:count]


def _name(pid: int | None) -> str:
    if pid is None:
        return "a process of another user"
    try:
        process = psutil.Process(pid)
        return f"{process.name()} (pid {pid}: {' '.join(process.cmdline())[:120]})"
    except psutil.Error:
        return f"pid {pid}"
