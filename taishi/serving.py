"""What every door of ours that people or programs come to has: a listener, and loops that never die alone."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable

import structlog

from schemas.errors import SettingsError

__all__ = ["guarded", "listener", "running"]

_LOG = structlog.get_logger(__name__)


def listener(host: str, port: int, setting: str) -> socket.socket:
    """A socket that listens; SettingsError names the settings `<setting>_host` and `<setting>_port`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {host}:{port}: {error.strerror}; set {setting}_host or {setting}_port "
            f"(TAISHI_{setting.upper()}_PORT)"
        ) from error


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
