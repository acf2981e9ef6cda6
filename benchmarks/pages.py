"""What the live pages cost, and how fast they are, measured in Chromium against the running stack.

`python -m benchmarks.pages [--seconds 120] [--pages 200] [--json]` while `taishi up` runs:

- first paint: from the navigation of a new browser until 573 grids are coloured;
- update to paint: from a window's end + delay_s until the map is painted with it, in a page that stays open;
- bytes of the outlines as sent;
- the server with many pages open (connections that watch what the wall watches): share of a core, memory,
  and how long a beat takes to the last of them.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final

import click
import httpx
import msgspec
import numpy as np
import psutil
from playwright.sync_api import Page, sync_playwright
from websockets.asyncio.client import connect

from deploy.embedded.state import read_state
from schemas.errors import SettingsError
from taishi.cli.pages import pages_url
from taishi.settings import Settings, load_settings

__all__ = ["main"]

CHROMIUM: Final = "/usr/bin/chromium"
ARGUMENTS: Final = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PAINTED: Final = ".ts-canvas[data-painted^='parking.occupancy']"
KEYS: Final = "district,trend/370202,map/grid/parking.occupancy"
_FIRST: Final = 5
_COUNT_S: Final = 30.0


def first_paints_s(url: str) -> Iterator[float]:
    """Seconds from the navigation to the painted map; each time a browser that has nothing cached."""
    for _ in range(_FIRST):
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
            page = browser.new_page(viewport={"width": 1920, "height": 1080})
            page.goto(url, timeout=120_000)
            page.wait_for_selector(PAINTED, timeout=60_000)
            yield painted(page)[1] / 1000 - page.evaluate("performance.timeOrigin") / 1000
            browser.close()


def painted(page: Page) -> tuple[int, float]:
    """The end of the window that the map shows, and when it was painted, both ms."""
    _, end_ms, at_ms = str(page.get_attribute(PAINTED, "data-painted")).split()
    return int(end_ms), float(at_ms)


def updates_s(url: str, seconds: float, delay_s: float) -> Iterator[float]:
    """Seconds from a window's end + delay to its paint, of each window that came while the page was open."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.goto(url, timeout=120_000)
        page.wait_for_selector(PAINTED, timeout=60_000)
        known, until_s = painted(page)[0], time.monotonic() + seconds
        while time.monotonic() < until_s:
            page.wait_for_timeout(50)
            end_ms, at_ms = painted(page)
            if end_ms > known:
                known = end_ms
                yield at_ms / 1000 - end_ms / 1000 - delay_s
        browser.close()


async def crowd(url: str, pages: int, ready: threading.Event, late_s: list[float]) -> None:
    """So many pages for a while, `ready` once all are open; `late_s`: how long each beat took to each."""
    address = url.replace("http", "ws", 1) + f"live?keys={KEYS}"
    until_s = time.monotonic() + 60 + _COUNT_S

    waiting = set(range(pages))

    async def one(number: int) -> None:
        async with connect(address, max_size=None, open_timeout=60) as socket:
            waiting.discard(number)
            if not waiting:
                ready.set()
            while time.monotonic() < until_s:
                message = json.loads(await socket.recv())
                if message["key"] == "beat" and ready.is_set():
                    late_s.append(time.time() - message["frame"]["now_ms"] / 1000)

    await asyncio.gather(*map(one, range(pages)))


def server(settings: Settings) -> psutil.Process:
    """The process that serves the pages; SettingsError where none runs."""
    state = read_state(settings.home)
    pid = None if state is None else next((part.pid for part in state.parts if part.name == "pages"), None)
    if pid is None:
        raise SettingsError("pages: none are served; start them with: taishi up")
    return psutil.Process(pid)


def cost(process: psutil.Process) -> dict[str, float]:
    """Share of a core over half a minute, and memory at its end."""
    before_s, started_s = sum(process.cpu_times()[:2]), time.monotonic()
    time.sleep(_COUNT_S)
    share = (sum(process.cpu_times()[:2]) - before_s) / (time.monotonic() - started_s)
    return {"core_share": round(share, 3), "memory_mib": round(process.memory_info().rss / 2**20)}


def with_many(settings: Settings, pages: int) -> dict[str, float]:
    """The cost while so many pages are open."""
    ready, late_s = threading.Event(), list[float]()
    thread = threading.Thread(
        target=lambda: asyncio.run(crowd(pages_url(settings), pages, ready, late_s)), daemon=True
    )
    thread.start()
    if not ready.wait(60):
        raise SettingsError(f"pages: {pages} could not be opened within 60 s")
    found = cost(server(settings))
    thread.join(3 * _COUNT_S)
    return found | {"beat_p99_s": round(float(np.quantile(late_s, 0.99)), 3)}


def outlines(url: str) -> dict[str, float]:
    """Bytes of the grids' outlines, plain and as sent."""
    with httpx.Client(base_url=url, trust_env=False) as client:
        plain = client.get("map/grid.geojson", headers={"Accept-Encoding": "identity"})
        packed = client.get("map/grid.geojson", headers={"Accept-Encoding": "gzip"})
        return {"bytes": len(plain.content), "gzip_bytes": int(packed.headers["content-length"])}


def spread(values_s: Iterator[float]) -> dict[str, float]:
    """Median, 99th percentile and how many."""
    found = np.array(list(values_s))
    if not found.size:
        raise SettingsError("no window came while the page was open: does `taishi up` run?")
    told = {"p50_s": np.quantile(found, 0.5), "p99_s": np.quantile(found, 0.99)}
    return {"n": int(found.size)} | {name: round(float(value), 3) for name, value in told.items()}


@click.command()
@click.option("--seconds", default=120.0, show_default=True, help="How long to watch updates.")
@click.option("--pages", default=200, show_default=True, help="How many pages are open at once.")
@click.option("--json", "as_json", is_flag=True)
def main(seconds: float, pages: int, *, as_json: bool) -> None:
    """Print what the pages cost and how fast they are."""
    settings = load_settings()
    url = pages_url(settings)
    measures: dict[str, Callable[[], dict[str, float]]] = {
        "first_paint": lambda: spread(first_paints_s(url)),
        "update_to_paint": lambda: spread(updates_s(url, seconds, settings.delay_s)),
        "outlines": lambda: outlines(url),
        "idle": lambda: cost(server(settings)),
        f"with_{pages}_pages": lambda: with_many(settings, pages),
    }
    figures = {}
    for name, measure in measures.items():
        figures[name] = measure()
        if not as_json:
            click.echo(f"{name:20} " + "  ".join(f"{key} {value:g}" for key, value in figures[name].items()))
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())


if __name__ == "__main__":
    main()
