"""`taishi outgoing`: what the city's other platforms ask."""

from __future__ import annotations

import threading
from typing import Final

import click
import structlog

from operations.outgoing.app import application
from operations.outgoing.geography import Geography
from taishi import logs, metrics
from taishi.doors import tls_pair
from taishi.outgoing import admission, shelf
from taishi.places import load_registry
from taishi.serving import ended, listener, running
from taishi.settings import load_settings
from taishi.web import answer

__all__ = ["outgoing"]

_LOG = structlog.get_logger(__name__)
_LEAVE_S: Final = 10


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
    app = application(given, geography, admit, settings.outgoing_url)
    listening = listener(settings.outgoing_host, settings.outgoing_port, "outgoing")
    _LOG.info(
        "outgoing listening", host=settings.outgoing_host, port=settings.outgoing_port, tls=tls is not None
    )
    answer(app, listening, _LEAVE_S, tls=tls)
    ended(threads, stopping, _LEAVE_S)
