"""What every door of ours that people or programs come to has: a listener, and loops that never die alone."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable

import structlog

from schemas.errors import SettingsError

__all__ = ["ended", "guarded", "listener", "running"]

_LOG = structlog.get_logger(__name__)


def listener(host: str, port: int, setting: str) -> socket.socket:
    """A socket that listens; SettingsError names the settings `<setting>_host` and `<setting>_port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror}; set {setting}_host or {setting}_port "
            f"(TAISHI_{setting.upper()}_PORT)"
        ) from error
    # Accepted sockets inherit it. asyncio does not set it on them, and without it the second packet of
    # an answer waits 40 ms for the sender's delayed ACK.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def guarded(run: Callable[[threading.Event], None]) -> Callable[[threading.Event], None]:
    """A fault of the loop ends the process: the supervisor starts it anew; half a service says nothing."""

    def guarded_run(stopping: threading.Event) -> None:
        try:
            run(stopping)
        except Exception:  # noqa: BLE001 - whatever it is, half a service is none
            _LOG.exception("cannot go on")
            sys.stderr.flush()
            os._exit(1)

    return guarded_run


def running(name: str, run: Callable[[threading.Event], None], stopping: threading.Event) -> threading.Thread:
    """The loop in a thread of its own, until told to stop."""
    thread = threading.Thread(target=guarded(run), args=(stopping,), name=name, daemon=True)
    thread.start()
    return thread


def ended(threads: Iterable[threading.Thread], stopping: threading.Event, leave_s: float) -> None:
    """Tell the loops to stop, and wait for all of them together at most so many seconds."""
    stopping.set()
    until_s = time.monotonic() + leave_s
    for thread in threads:
        thread.join(max(0.0, until_s - time.monotonic()))
