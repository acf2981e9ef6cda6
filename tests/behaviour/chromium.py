"""Debian's Chromium, driven by Playwright, as an operator's browser: it asks nobody but the page's server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

PROGRAM = Path("/usr/bin/chromium")
ARGUMENTS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
SIZES = {"wall": (1920, 1080), "uhd": (3840, 2160), "phone": (390, 844)}
needs_chromium = pytest.mark.skipif(
    not PROGRAM.exists(), reason=f"{PROGRAM} is not installed: scripts/system-packages installs it"
)


@contextmanager
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(PROGRAM), args=list(ARGUMENTS))
        yield started
        started.close()


@dataclass
class Screen:
    """An open page, and what it asked for and complained of."""

    page: Page
    base: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def foreign(self) -> list[str]:
        """Everything it loaded that is not its server's."""
        own = urlsplit(self.base).netloc
        return [
            url
            for url in self.asked
            if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != own
        ]


@contextmanager
def screen(started: Browser, base: str, path: str, size: str = "wall") -> Iterator[Screen]:
    """A page in a window of its own."""
    width, height = SIZES[size]
    context = started.new_context(viewport={"width": width, "height": height}, base_url=base)
    page = context.new_page()
    opened = Screen(page, base)
    page.on("request", lambda request: opened.asked.append(request.url))
    page.on("websocket", lambda socket: opened.asked.append(socket.url))
    page.on("pageerror", lambda error: opened.complaints.append(str(error)))
    page.on("console", lambda said: opened.complaints.append(said.text) if said.type == "error" else None)
    page.goto(path)
    yield opened
    context.close()


PAINTED = ".ts-canvas[data-painted]:not([data-painted=''])"
