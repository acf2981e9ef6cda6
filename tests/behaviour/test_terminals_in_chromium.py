"""People at their terminals: PC desk, phone, touch screen, wall; a desk on SQLite, one browser for all."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from operations.people.audit import Said
from tests.behaviour.chromium import SIZES, browser, needs_chromium, screen
from tests.behaviour.desk_evening import cases_of, evening
from tests.contract.desk_client import CITY, PASSWORD, Served, WallClock, served

pytestmark = [needs_chromium]

SHOWN_MS, WARNED_S, TARGET_PX = 2_000, 10.0, 48
BADGE = "04A2B6C81F"
ALL_SIZES = {"desk": ("wall", "uhd"), "touch": ("wall",), "wall": ("wall", "uhd"), "phone": ("phone",)}
PAGES = {
    "desk": ("alerts", "hidden", "cases", "report"),
    "touch": ("alerts", "hidden", "cases", "report"),
    "phone": ("alerts", "cases", "report", "me", "alerts/FIRE", "cases/CASE"),
    "wall": ("wall",),
}
PATHS = {"desk": "/", "phone": "/m", "touch": "/touch", "wall": "/wall"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(f"sqlite:///{tmp_path_factory.mktemp('terminals') / 'desk.db'}", WallClock()) as made:
        said = Said(at_ms=made.clock(), who="root", terminal="cli", what="people.badge")
        made.store.set_badge("operator", "badge", BADGE, said)
        yield made


@pytest.fixture(scope="module")
def fire(desk: Served) -> str:
    return evening(desk)


@pytest.fixture(scope="module")
def case(desk: Served, fire: str) -> str:
    return cases_of(desk, fire)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def base(desk: Served) -> str:
    return str(desk.client.base_url).rstrip("/")


def enter(page: Page, desk: Served, identity: str) -> Page:
    page.locator("[name=id]").fill(identity)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=code]").fill(desk.code(identity))
    page.locator("button.primary").click()
    expect(page.locator(".shell")).to_be_visible()
    return page


def acknowledge(page: Page, alert: str) -> None:
    page.goto(f"{page.url.split('#')[0]}#/alerts/{alert}")
    page.locator("[data-act=acknowledge]").click()


def test_a_key_acknowledges_and_a_second_one_is_told_by_whom(
    desk: Served, fire: str, base: str, chromium: Browser
) -> None:
    mine = desk.raise_alert("signal.gas", severity="life_safety", title="燃气报警 gas")
    with screen(chromium, base, "/") as shown:
        page = enter(shown.page, desk, "shift_leader")
        first = page.locator(f"[data-alert='{mine}']")
        expect(first).to_contain_text("未确认")
        page.keyboard.press("a")
        expect(first).to_contain_text("shift_leader 已确认")
        page.keyboard.press("a")
        expect(page.locator(".toast.bad")).to_contain_text("已由 shift_leader 于")
        page.keyboard.press("j")
        expect(page.locator(f"[data-alert='{fire}'] a")).to_have_attribute("aria-current", "true")
        page.locator(".language").click()
        expect(page.locator(".head h1")).to_have_text("Alerts")
        assert shown.foreign() == []


def test_what_a_phone_says_shows_on_the_wall_and_on_the_pc_within_two_seconds(
    desk: Served, base: str, chromium: Browser
) -> None:
    alert = desk.raise_alert(
        "signal.smoke", CITY.places.grid_codes[150], severity="life_safety", title="烟雾报警 smoke"
    )
    with ExitStack() as open_pages:
        wall, pc, phone = (
            enter(open_pages.enter_context(screen(chromium, base, PATHS[layout])).page, desk, who)
            for layout, who in (("wall", "screen"), ("desk", "operator"), ("phone", "grid_worker"))
        )
        for page in (wall, pc):
            expect(page.locator(f"[data-alert='{alert}']")).to_contain_text("未确认")
        acknowledge(phone, alert)
        for page in (wall, pc):
            row = page.locator(f"[data-alert='{alert}']")
            expect(row).to_contain_text("grid_worker 已确认", timeout=SHOWN_MS)


def test_a_phone_without_a_connection_goes_on_and_what_was_said_first_counts(
    desk: Served, base: str, chromium: Browser
) -> None:
    wins, loses = (
        desk.raise_alert("signal.heat", CITY.places.grid_codes[500 + n], title=f"高温报警 heat {n}")
        for n in (1, 2)
    )
    token = desk.token("operator")
    with screen(chromium, base, "/m", "phone") as shown:
        phone = enter(shown.page, desk, "grid_worker")
        expect(phone.locator(f"[data-alert='{wins}']")).to_be_visible()
        phone.evaluate("navigator.serviceWorker.ready.then(() => null)")
        phone.context.set_offline(True)
        acknowledge(phone, wins)
        expect(phone.locator(".toast.wait")).to_be_visible()
        phone.reload()  # the phone was switched off meanwhile
        expect(phone.locator(".head")).to_contain_text("1 条待发送")
        for alert in (wins, loses):
            desk.client.post(f"/api/alerts/{alert}/acknowledge", json={}, headers=token).raise_for_status()
        acknowledge(phone, loses)
        expect(phone.locator(".head")).to_contain_text("2 条待发送")
        phone.context.set_offline(False)
        phone.goto(f"{base}/m#/me")
        refused = phone.locator(".outbox .refused")
        expect(refused).to_contain_text("already acknowledged by operator", timeout=15_000)
        expect(phone.locator(".outbox li")).to_have_count(1)
    first = [desk.client.get(f"/api/alerts/{alert}", headers=token).json() for alert in (wins, loses)]
    by = [each["state"]["acknowledged"]["by"] for each in first]
    assert by == ["grid_worker", "operator"]


def test_at_a_touch_screen_a_badge_lets_one_act_and_everything_is_large_enough(
    desk: Served, fire: str, case: str, base: str, chromium: Browser
) -> None:
    alert = desk.raise_alert("signal.manual_call", severity="life_safety", title="手动报警 manual call")
    with screen(chromium, base, "/touch") as shown:
        page = enter(shown.page, desk, "screen")
        page.goto(f"{base}/touch#/alerts/{alert}")
        expect(page.locator("[data-act=acknowledge]")).to_have_count(0)
        page.locator(".head .primary").click()
        assert small(page) == []
        page.keyboard.type(BADGE)
        page.keyboard.press("Enter")
        page.locator("[data-act=acknowledge]").click()
        expect(page.locator(f"[data-alert='{alert}']")).to_contain_text("operator 已确认")
        for name in PAGES["touch"]:
            page.goto(f"{base}/touch#/{name}")
            expect(page.locator(".nav [aria-current]")).to_be_visible()
            page.wait_for_load_state("networkidle")
            assert small(page) == [], name


def test_every_terminal_shows_the_path_of_a_place_and_what_became_of_those_alike(
    desk: Served, base: str, chromium: Browser
) -> None:
    place, token = CITY.places.grid_codes[550], desk.token("operator")
    before, alert = (
        desk.raise_alert("signal.leak", place, onset_ms=desk.clock() - ago_ms, title="水浸报警 leak")
        for ago_ms in (7_200_000, 0)
    )
    for verb, given in (("acknowledge", {}), ("conclude", {"outcome": "nuisance", "why": "拖地积水"})):
        desk.client.post(f"/api/alerts/{before}/{verb}", json=given, headers=token).raise_for_status()
    path = " › ".join(each.name for each in CITY.places.path(place))
    assert path.count("›") == 3
    for layout, who in (("desk", "operator"), ("phone", "grid_worker"), ("touch", "screen")):
        size = "phone" if layout == "phone" else "wall"
        with screen(chromium, base, PATHS[layout], size) as shown:
            page = enter(shown.page, desk, who)
            page.goto(f"{base}{PATHS[layout]}#/alerts/{alert}")
            expect(page.locator(".detail header .place")).to_contain_text(path)
            alike = page.locator(".detail .similar li")
            expect(alike).to_have_count(1)
            for words in ("operator 已确认", "误报", "拖地积水"):
                expect(alike).to_contain_text(words)


def small(page: Page) -> list[str]:
    """What can be touched and is smaller than it should be."""
    return page.evaluate(
        """least => [...document.querySelectorAll(
                'button, a[href], input:not([type=radio]), select, textarea, .options label')]
            .map(node => [node, node.getBoundingClientRect()])
            .filter(([node, box]) => box.width > 1 && (box.width < least || box.height < least))
            .map(([node, box]) => `${node.outerHTML.slice(0, 80)} ${box.width} × ${box.height}`)""",
        TARGET_PX,
    )  # type: ignore[no-any-return]


def sideways(page: Page) -> list[str]:
    """What one could scroll sideways: the document, and every part of it that scrolls by itself."""
    return page.evaluate(
        """() => [...document.querySelectorAll('html, body *')]
            .filter(node => node.clientWidth > 1 && node.scrollWidth > node.clientWidth)
            .filter(node => node.localName === 'html' || /auto|scroll/.test(getComputedStyle(node).overflowX))
            .map(node => `${node.localName}.${node.className} ${node.scrollWidth} > ${node.clientWidth}`)"""
    )  # type: ignore[no-any-return]


def test_every_terminal_says_within_ten_seconds_that_its_server_is_lost(
    chromium: Browser, tmp_path: Path
) -> None:
    people = {"desk": "operator", "phone": "grid_worker", "touch": "screen", "wall": "screen"}
    with ExitStack() as open_pages:
        pages = []
        with served(f"sqlite:///{tmp_path / 'desk.db'}", WallClock()) as lost:
            for layout, who in people.items():
                shown = open_pages.enter_context(screen(chromium, str(lost.client.base_url), PATHS[layout]))
                pages.append(enter(shown.page, lost, who))
            for page in pages:
                expect(page.locator(".present")).to_have_text("实时")
            since_s = time.monotonic()
        for page in pages:
            left_ms = (since_s + WARNED_S - time.monotonic()) * 1000
            expect(page.locator(".banner")).to_contain_text("连接中断", timeout=max(1.0, left_ms))


def test_every_page_fits_its_screens(
    desk: Served, fire: str, case: str, base: str, chromium: Browser, tmp_path: Path
) -> None:
    folder = Path(os.environ.get("TAISHI_SCREENSHOTS", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    people = {"desk": "shift_leader", "phone": "grid_worker", "touch": "screen", "wall": "screen"}
    for layout, sizes in ALL_SIZES.items():
        with screen(chromium, base, PATHS[layout], sizes[0]) as shown:
            page = enter(shown.page, desk, people[layout])
            if layout == "touch":
                page.locator(".head .primary").click()
                page.keyboard.type(BADGE)
                page.keyboard.press("Enter")
                expect(page.locator(".overlay")).to_have_count(0)
            for name in PAGES[layout]:
                page.goto(f"{base}{PATHS[layout]}#/{name.replace('FIRE', fire).replace('CASE', case)}")
                page.wait_for_load_state("networkidle")
                if page.locator(".map").count():
                    page.wait_for_selector(".map path.here")
                for size in sizes if name == PAGES[layout][0] else sizes[:1]:
                    width, height = SIZES[size]
                    page.set_viewport_size({"width": width, "height": height})
                    picture = f"{layout}-{name.replace('/', '-').lower()}-{size}.png"
                    page.screenshot(path=folder / picture)
                    assert sideways(page) == [], f"{layout} {name} is wider than {size}"
            assert [each for each in shown.complaints if "Failed to load" not in each] == []
