"""Take a snapshot, or show one after the other until the operator has seen enough."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from rich.console import Console
from rich.live import Live

from taishi.settings import Settings
from taishi.status.assemble import assemble
from taishi.status.collect import Collector
from taishi.status.render import render
from taishi.status.snapshot import Snapshot

__all__ = ["show_live", "take"]

_REFRESH_S: Final = 1.0


def take(settings: Settings) -> Snapshot:
    """One snapshot from two looks a second apart: rates need two, and so do the accounts."""
    with Collector(settings) as collector:
        before = collector.gather()
        threading.Event().wait(_REFRESH_S)
        return assemble(settings.district, settings.window_s[0], collector.gather(), before)


def show_live(settings: Settings, until: Callable[[], bool] = lambda: False) -> None:
    """Refresh the table each second until `until()`; one print where there is no terminal.

    Ctrl-C ends it as KeyboardInterrupt, with the terminal in order.
    """
    console = Console()
    if not console.is_terminal:
        console.print(render(take(settings)))
        return
    pause = threading.Event()
    with Collector(settings) as collector, Live(console=console, auto_refresh=False) as live:
        before = None
        while not until():
            now = collector.gather()
            snapshot = assemble(settings.district, settings.window_s[0], now, before)
            live.update(render(snapshot), refresh=True)
            before = now
            pause.wait(_REFRESH_S)
