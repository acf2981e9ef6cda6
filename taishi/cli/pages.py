"""`taishi pages`: what operators open in a browser."""

from __future__ import annotations

import os
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

import click
import structlog
import uvicorn

from schemas.errors import SettingsError
from taishi import logs, metrics
from taishi.places import load_registry
from taishi.settings import Settings, load_settings

__all__ = ["pages", "pages_url"]

_LOG = structlog.get_logger(__name__)
_LEAVE_S: Final = 5.0
_METRICS: Final = 16


@click.group()
def pages() -> None:
    """实时页面。Live pages for operators: the wall, streets, communities, grids, domains, health."""


@pages.command()
def serve() -> None:
    """Serve the pages; `taishi up` runs this unless the setting `pages` is false."""
    # NiceGUI takes a second to load: other commands of this group shall not wait for it.
    from operations.outgoing.geography import Geography  # noqa: PLC0415
    from operations.pages.app import application  # noqa: PLC0415
    from operations.pages.layouts.pages import mount  # noqa: PLC0415
    from taishi.pages import check_host, pages_parts  # noqa: PLC0415

    settings = load_settings()
    logs.configure("pages")
    check_host(settings)
    places = load_registry(settings)
    geography = Geography(places)
    listener = _listener(settings)
    metrics.serve(settings.metrics_port + _METRICS if settings.metrics_port else 0)
    parts = pages_parts(settings, places, geography)
    app = application(replace(parts, background=tuple(map(_guarded, parts.background))))
    mount(app, places, geography)
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=int(_LEAVE_S),
    )
    _LOG.info("pages listening", host=settings.pages_host, port=settings.pages_port)
    uvicorn.Server(config).run([listener])


def pages_url(settings: Settings) -> str:
    """Where a browser of this machine finds the wall."""
    host = f"[{settings.pages_host}]" if ":" in settings.pages_host else settings.pages_host
    return f"http://{host}:{settings.pages_port}/"


def _guarded(run: Callable[[threading.Event], None]) -> Callable[[threading.Event], None]:
    """A fault ends the process: the supervisor starts it anew, while pages that do not hear of it say so."""

    def guarded(stopping: threading.Event) -> None:
        try:
            run(stopping)
        except Exception:  # noqa: BLE001 - whatever it is, half a picture is none
            _LOG.exception("cannot go on")
            sys.stderr.flush()
            os._exit(1)

    return guarded


def _listener(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.pages_host else socket.AF_INET
    try:
        return socket.create_server((settings.pages_host, settings.pages_port), family=family, backlog=1024)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {settings.pages_host}:{settings.pages_port}: {error.strerror}; set pages_port "
            "(TAISHI_PAGES_PORT)"
        ) from error
