"""`taishi outgoing`: what the city's other platforms ask."""

from __future__ import annotations

import signal
import threading
from typing import Final

import click
import structlog
import uvicorn

from operations.outgoing.app import application
from operations.outgoing.geography import Geography
from taishi import logs, metrics
from taishi.doors import tls_pair
from taishi.outgoing import admission, shelf
from taishi.places import load_registry
from taishi.serving import listener, running
from taishi.settings import load_settings

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
    metrics.serve(settings.metrics_port + 12, settings.metrics_host)
    geography = Geography(load_registry(settings))
    given, tails = shelf(settings, geography)
    stopping = threading.Event()
    threads = [running("tail", tail.run, stopping) for tail in tails]
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
    listening = listener(settings.outgoing_host, settings.outgoing_port, "outgoing")
    _LOG.info(
        "outgoing listening", host=settings.outgoing_host, port=settings.outgoing_port, tls=tls is not None
    )
    uvicorn.Server(config).run([listening])
    stopping.set()
    for thread in threads:
        thread.join(_LEAVE_S)
