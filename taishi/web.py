"""HTTP on a socket of ours until this process is told to end: what each of its servers starts with."""

from __future__ import annotations

import signal
import socket
from pathlib import Path
from typing import Any, Literal

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["answer"]


def answer(
    app: Any,
    listening: socket.socket,
    leave_s: int,
    *,
    tls: tuple[Path, Path] | None = None,
    http: type[H11Protocol] | Literal["auto"] = "auto",
) -> None:
    """Answer with the ASGI application until SIGTERM or SIGINT, requests under way at most `leave_s` longer.

    Returns then, so that what stands behind it is done. `tls` is certificate and key. From the main thread.
    """
    config = uvicorn.Config(
        app,
        http=http,
        ssl_certfile=tls and tls[0],
        ssl_keyfile=tls and tls[1],
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=leave_s,
    )
    server = uvicorn.Server(config)

    def leave(*_: object) -> None:
        server.should_exit = True

    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn has handlers of its own while it runs, and raises the signal again when it has ended:
        # with the system's own handler the process would end there, before what the caller does last.
        signal.signal(number, leave)
    server.run([listening])
