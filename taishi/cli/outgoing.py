"""`taishi outgoing`: what the city's other platforms ask."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from typing import Final

import click
import structlog
import uvicorn

from operations.outgoing.app import application
from operations.outgoing.geography import Geography
from operations.outgoing.tail import Tail
from schemas.errors import SettingsError
from taishi import logs, metrics
from taishi.doors import tls_pair
from taishi.outgoing import admission, shelf
from taishi.places import load_registry
from taishi.settings import Settings, load_settings

__all__ = ["outgoing"]

_LOG = structlog.get_logger(__name__)
_LEAVE_S: Final = 10.0


@click.group()
def outgoing() -> None:
    """对外共享。Windows and parking readings as NGSI-LD, alerts as CAP 1.2, read-only."""


@outgoing.command()
def serve() -> None:
    """Answer other platforms; `taishi up` runs this where the setting `outgoing` is true."""
    settings = load_settings()
    logs.configure("outgoing")
    admit = admission(settings)
    tls = tls_pair("outgoing_tls", settings.outgoing_tls_certificate, settings.outgoing_tls_key)
    metrics.serve(settings.metrics_port + 12)
    geography = Geography(load_registry(settings))
    given, tails = shelf(settings, geography)
    stopping = threading.Event()
    threads = [_running(tail, stopping) for tail in tails]
    config = uvicorn.Config(
        application(given, geography, admit, settings.outgoing_url),
        ssl_certfile=tls and tls[0],
        ssl_keyfile=tls and tls[1],
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(_LEAVE_S),
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn has handlers of its own while it runs, and raises the signal again when it has ended.
        signal.signal(number, lambda *_: None)
    listener = _listener(settings)
    _LOG.info(
        "outgoing listening", host=settings.outgoing_host, port=settings.outgoing_port, tls=tls is not None
    )
    uvicorn.Server(config).run([listener])
    stopping.set()
    for thread in threads:
        thread.join(_LEAVE_S)


def _running(tail: Tail, stopping: threading.Event) -> threading.Thread:
    """A thread whose fault ends the process: the supervisor starts it anew, and it reads the log again."""

    def guarded() -> None:
        try:
            tail.run(stopping)
        except Exception:  # noqa: BLE001 - whatever it is, half a service tells half
            _LOG.exception("cannot go on")
            sys.stderr.flush()
            os._exit(1)

    thread = threading.Thread(target=guarded, name="tail", daemon=True)
    thread.start()
    return thread


def _listener(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.outgoing_host else socket.AF_INET
    try:
        return socket.create_server(
            (settings.outgoing_host, settings.outgoing_port), family=family, backlog=256
        )
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {settings.outgoing_host}:{settings.outgoing_port}: {error.strerror}; set "
            "outgoing_host or outgoing_port (TAISHI_OUTGOING_PORT)"
        ) from error
