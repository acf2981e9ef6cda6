"""`taishi pages`: what operators open in a browser."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import click
import structlog

from taishi import logs, metrics
from taishi.places import load_registry
from taishi.serving import guarded, listener
from taishi.settings import Settings, load_settings
from taishi.web import answer

__all__ = ["pages", "pages_url"]

_LOG = structlog.get_logger(__name__)
_LEAVE_S: Final = 5
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
    listening = listener(settings.pages_host, settings.pages_port, "pages")
    metrics.serve(settings.metrics_port + _METRICS if settings.metrics_port else 0, settings.metrics_host)
    parts = pages_parts(settings, places, geography)
    app = application(replace(parts, background=tuple(map(guarded, parts.background))))
    mount(app, places, geography)
    _LOG.info("pages listening", host=settings.pages_host, port=settings.pages_port)
    answer(app, listening, _LEAVE_S)


def pages_url(settings: Settings) -> str:
    """Where a browser of this machine finds the wall."""
    host = f"[{settings.pages_host}]" if ":" in settings.pages_host else settings.pages_host
    return f"http://{host}:{settings.pages_port}/"
