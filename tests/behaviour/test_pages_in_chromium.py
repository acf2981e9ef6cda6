"""An operator before the pages: what they show, how one gets to a grid's devices, and when they warn."""

from __future__ import annotations

import base64
import io
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest
from confluent_kafka import Producer
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from connectors.registry import COLUMNS
from schemas.alerts import Alert
from tests.behaviour.chromium import PAINTED, SIZES, browser, needs_chromium, screen
from tests.behaviour.pages_district import (
    COMMUNITY,
    DISTRICT,
    GRID,
    PLACES,
    STREET,
    Beats,
    District,
    newest_start_ms,
    now_ms,
)
from tests.conftest import Stack
from tests.waiting import wait_until

pytestmark = [pytest.mark.stack, needs_chromium]

WARNED_S = 10.0
"""Within which a page says that what it shows is not the present."""
OCCUPANCY = "[data-figure='parking.occupancy'] strong"
PATHS = {
    "wall": "/",
    "street": f"/place/{STREET}",
    "community": f"/place/{COMMUNITY}",
    "grid": f"/place/{GRID}",
    "parking": "/domain/parking",
    "security": "/domain/security",
    "care": "/domain/care",
    "governance": "/domain/governance",
    "health": "/health",
}
FIXED = ("wall", "parking", "security", "care", "governance")
"""Pages that stand on a wall and cannot be scrolled there."""


@pytest.fixture(scope="module")
def district(stack: Stack) -> District:
    header = ",".join(COLUMNS)
    rows = [
        header,
        f"bay-7,native,parking.space,{GRID},,,,,,true",
        f"bed-1,native,care.bed,{GRID},,,,p-1,,true",
    ]
    (stack.settings.home / "devices.csv").write_text("\n".join(rows) + "\n", "utf-8")
    made = District(stack.influxdb_url, stack.influxdb_database)
    hour_ms, now = 3_600_000, now_ms()
    made.hours(
        3600,
        [now // hour_ms * hour_ms - n * hour_ms for n in range(1, 24 * 14)],
        {"parking": "occupancy=0.2"},
    )
    minutes = [newest_start_ms(60) - n * 60_000 for n in range(2, 90)]
    made.hours(60, minutes, {"parking": "occupancy=0.4,turnover=3.0", "security": "people_entered=7.0"})
    return made


@dataclass(frozen=True)
class Server:
    """`taishi pages serve`, running."""

    address: str
    pid: int


@pytest.fixture(scope="module")
def server(stack: Stack, district: District, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    log = tmp_path_factory.mktemp("pages") / "pages.log"
    process = stack.start("pages", "serve", log=log)
    base = f"http://127.0.0.1:{stack.settings.pages_port}"
    try:
        wait_until(lambda: answers(base), 120)
        yield Server(base, process.pid)
    finally:
        process.terminate()
        assert process.wait(30) is not None
    assert "Traceback" not in log.read_text("utf-8")


@pytest.fixture(scope="module")
def address(server: Server) -> str:
    return server.address


def answers(base: str) -> bool:
    try:
        return httpx.get(f"{base}/ready", trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def test_the_wall_shows_the_district_and_follows_it_without_a_reload(
    stack: Stack, district: District, address: str, chromium: Browser
) -> None:
    with Beats(district, 0.5) as beats, screen(chromium, address, "/") as wall:
        page = wall.page
        expect(page.locator(OCCUPANCY)).to_have_text("50.0%", timeout=30_000)
        expect(page.locator("[data-figure='parking.occupancy'] .ts-usual")).to_have_text("▲ 高于往常 20.0%")
        expect(page.locator(".ts-simulated")).to_be_visible()
        page.wait_for_selector(PAINTED)
        page.wait_for_selector("[data-domain='parking'] .ts-spark path", timeout=30_000)
        before, opened = page.get_attribute(PAINTED, "data-painted"), page.evaluate("performance.timeOrigin")
        beats.share = 0.8
        expect(page.locator(OCCUPANCY)).to_have_text("80.0%", timeout=30_000)
        wait_until(lambda: page.get_attribute(PAINTED, "data-painted") != before, 30)
        produce(stack, smoke())
        alert = page.locator(f"[data-alert='{smoke().id}']")
        expect(alert).to_contain_text("烟雾报警", timeout=10_000)
        expect(alert).to_contain_text(PLACES.place(STREET).name)  # type: ignore[union-attr]
        produce(stack, msgspec.structs.replace(smoke(), active=False, cleared_ms=now_ms(), revision=2))
        expect(alert).to_have_count(0, timeout=10_000)
        assert page.evaluate("performance.timeOrigin") == opened
        assert (wall.foreign(), wall.complaints) == ([], [])


def smoke() -> Alert:
    return Alert(
        id="c" * 32,
        rule="signal.smoke",
        severity="life_safety",
        domain="security",
        level="grid",
        place=GRID,
        onset_ms=now_ms(),
        active=True,
        title="烟雾报警 smoke",
        revision=1,
    )


def produce(stack: Stack, alert: Alert) -> None:
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap})
    producer.produce("alerts", msgspec.json.encode(alert), alert.id)
    assert producer.flush(30) == 0


def test_three_clicks_lead_from_the_district_to_the_devices_of_a_grid(
    district: District, address: str, chromium: Browser
) -> None:
    with Beats(district), screen(chromium, address, "/") as wall:
        for code in (STREET, COMMUNITY, GRID):
            wall.page.locator(f".ts-places a[href='/place/{code}']").click(timeout=30_000)
            wall.page.wait_for_url(f"**/place/{code}")
        devices = wall.page.locator(".ts-devices")
        expect(devices.locator("tbody th")).to_have_text("bay-7", timeout=30_000)
        expect(devices).to_contain_text("床位 人数少，不显示")
        expect(devices).not_to_contain_text("bed-1")
        trail = wall.page.locator(".ts-trail a")
        expect(trail).to_have_count(4)
        expect(trail.nth(1)).to_have_attribute("href", f"/place/{STREET}")
        assert (wall.foreign(), wall.complaints) == ([], [])


def test_a_click_on_the_map_leads_to_the_place(district: District, address: str, chromium: Browser) -> None:
    with Beats(district), screen(chromium, address, "/") as wall:
        wall.page.locator("[data-level='street']").click()
        wall.page.wait_for_selector(PAINTED)
        wall.page.locator(".ts-canvas canvas").click()
        wall.page.wait_for_url(re.compile(r"/place/\d{9}$"))


def test_the_keyboard_reaches_metrics_and_places(district: District, address: str, chromium: Browser) -> None:
    with Beats(district), screen(chromium, address, "/") as wall:
        page = wall.page
        page.wait_for_selector(PAINTED)
        reached = []
        for _ in range(60):
            page.keyboard.press("Tab")
            reached.append(page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))
            if f'href="/place/{STREET}"' in reached[-1]:
                break
        assert 'class="ts-skip"' in reached[0]
        assert any("data-metric" in html for html in reached)
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/place/{STREET}")


def test_a_page_that_is_not_there_says_what_is(address: str, chromium: Browser) -> None:
    with screen(chromium, address, "/place/370203") as missing:
        expect(missing.page.locator("#main")).to_contain_text("received /place/370203")
    assert httpx.get(f"{address}/place/370203", trust_env=False).status_code == 404


def banner(page: Page, text: str, limit_s: float = WARNED_S) -> None:
    expect(page.locator(".ts-banner")).to_contain_text(text, timeout=limit_s * 1000)
    expect(page.locator(".ts-live")).not_to_have_text("实时")


def fresh(page: Page) -> None:
    expect(page.locator(".ts-live")).to_have_text("实时", timeout=30_000)
    expect(page.locator(".ts-banner")).to_have_count(0)


def test_a_lost_server_is_told_within_ten_seconds_and_its_return_too(
    district: District, server: Server, chromium: Browser
) -> None:
    with Beats(district), screen(chromium, server.address, "/") as wall:
        fresh(wall.page)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            banner(wall.page, "连接中断")
            expect(wall.page.locator("body")).to_have_class(re.compile("ts-stale"))
        finally:
            os.kill(server.pid, signal.SIGCONT)
        fresh(wall.page)


def test_a_lost_influxdb_is_told_within_ten_seconds(
    stack: Stack, district: District, address: str, chromium: Browser
) -> None:
    with Beats(district), screen(chromium, address, "/") as wall:
        fresh(wall.page)
        pid = stack.part("influxdb").pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            banner(wall.page, "时序库无应答")
        finally:
            os.kill(pid, signal.SIGCONT)
        stack.wait_healthy("influxdb")
        fresh(wall.page)


def test_a_feed_that_stops_is_told_within_ten_seconds_after_its_next_window_is_due(
    stack: Stack, district: District, address: str, chromium: Browser
) -> None:
    with screen(chromium, address, "/") as wall:
        with Beats(district):
            fresh(wall.page)
            newest_ms = newest_start_ms() + 10_000
        due_s = (newest_ms + 10_000) / 1000 + stack.settings.delay_s - time.time()
        banner(wall.page, "数据停在", due_s + WARNED_S)


def test_a_page_whose_script_hangs_says_so_by_itself(
    district: District, address: str, chromium: Browser
) -> None:
    with Beats(district), screen(chromium, address, "/") as wall:
        fresh(wall.page)
        assert not framed(painted(wall.page))
        assert framed(painted(wall.page, hang=True))


def painted(page: Page, *, hang: bool = False) -> Image.Image:
    """What the screen shows, without asking the page; with `hang`, after it stopped for too long."""
    told = page.context.new_cdp_session(page)
    frames: list[str] = []

    def took(frame: dict[str, str]) -> None:
        frames.append(frame["data"])
        told.send("Page.screencastFrameAck", {"sessionId": frame["sessionId"]})

    told.on("Page.screencastFrame", took)
    told.send("Page.startScreencast", {"format": "png"})
    if hang:
        told.send("Debugger.enable")
        told.send("Debugger.pause")
    until_s = time.monotonic() + (3 * WARNED_S if hang else 1.0)
    while time.monotonic() < until_s and not (hang and framed(image(frames))):
        page.wait_for_timeout(200)
    told.send("Page.stopScreencast")
    if hang:
        told.send("Debugger.resume")
    told.detach()
    return image(frames)


def image(frames: list[str]) -> Image.Image:
    """The last of them; black before the first."""
    if not frames:
        return Image.new("RGB", SIZES["wall"])
    return Image.open(io.BytesIO(base64.b64decode(frames[-1]))).convert("RGB")


def framed(image: Image.Image) -> bool:
    """Whether the warning frame, #ff6b81, stands at the edge."""
    red, green, blue = image.getpixel((2, image.height // 2))  # type: ignore[misc]
    return abs(red - 0xFF) < 12 and abs(green - 0x6B) < 12 and abs(blue - 0x81) < 12


@pytest.mark.parametrize("size", SIZES)
def test_every_page_fits_every_screen(
    size: str, district: District, address: str, chromium: Browser, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("TAISHI_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    width, height = SIZES[size]
    with Beats(district), screen(chromium, address, "/", size) as shown:
        page = shown.page
        for name, path in PATHS.items():
            page.goto(path)
            page.wait_for_selector("table tbody tr" if name == "health" else PAINTED, timeout=30_000)
            page.screenshot(path=folder / f"{name}-{size}.png", full_page=size == "phone")
            across = page.evaluate("document.body.scrollWidth")
            assert across <= width, f"{name} is wider than {size}"
            if name in FIXED and size != "phone":
                down = page.evaluate("document.documentElement.scrollHeight")
                assert down <= height, f"{name} is higher than {size}"
            assert (shown.foreign(), shown.complaints) == ([], []), name
    assert len(list(folder.glob(f"*-{size}.png"))) == len(PATHS)


def test_a_4k_wall_shows_the_same_twice_as_large(district: District, address: str, chromium: Browser) -> None:
    boxes = {}
    with Beats(district):
        for size in ("wall", "uhd"):
            with screen(chromium, address, "/", size) as shown:
                shown.page.wait_for_selector(PAINTED)
                boxes[size] = shown.page.locator(".ts-map").bounding_box()
    assert boxes["uhd"] is not None
    assert boxes["wall"] is not None
    for side in ("x", "y", "width", "height"):
        assert boxes["uhd"][side] == pytest.approx(2 * boxes["wall"][side], abs=6)


def test_other_programs_get_the_state_and_the_map(district: District, address: str) -> None:
    with Beats(district, 0.5), httpx.Client(base_url=address, trust_env=False, timeout=30) as client:
        wait_until(
            lambda: (
                client.get(f"/state/place/{DISTRICT}").json()["domains"][0]["figures"][0].get("text")
                == "50.0%"
            )
        )
        found = client.get("/map/grid.geojson", params={"metric": "parking.occupancy"})
        assert found.headers["content-encoding"] == "gzip"
        bands = [feature["properties"]["band"] for feature in found.json()["features"]]
        assert (len(bands), bands[:3]) == (573, [5, 0, 2])


def occupancy(client: httpx.Client) -> str:
    figures = client.get(f"/state/place/{DISTRICT}").json()["domains"][0]["figures"]
    return str(figures[0].get("text"))
