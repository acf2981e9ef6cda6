"""People at their terminals: PC desk, phone, touch screen, wall; a desk on SQLite, one browser for all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.behaviour.chromium import browser, needs_chromium, screen
from tests.behaviour.desk_evening import evening
from tests.contract.desk_client import PASSWORD, Served, WallClock, served

pytestmark = [needs_chromium]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(f"sqlite:///{tmp_path_factory.mktemp('terminals') / 'desk.db'}", WallClock()) as made:
        yield made


@pytest.fixture(scope="module")
def fire(desk: Served) -> str:
    return evening(desk)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("TAISHI_SCREENSHOTS", tmp_path_factory.mktemp("screens")))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def enter(page: Page, desk: Served, identity: str) -> None:
    page.locator("[name=id]").fill(identity)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("[name=code]").fill(desk.code(identity))
    page.locator("button.primary").click()
    expect(page.locator(".shell")).to_be_visible()


def test_the_desk_shows_what_is_and_a_key_acknowledges_it(
    desk: Served, fire: str, chromium: Browser, pictures: Path
) -> None:
    with screen(chromium, str(desk.client.base_url), "/") as shown:
        page = shown.page
        enter(page, desk, "shift_leader")
        first = page.locator(f"[data-alert='{fire}']")
        expect(first).to_contain_text("未确认")
        page.wait_for_selector(".map path.here")
        page.screenshot(path=pictures / "desk-wall.png")
        page.keyboard.press("a")
        expect(first).to_contain_text("shift_leader 已确认")
        page.keyboard.press("a")
        expect(page.locator(".toast.bad")).to_contain_text("已由 shift_leader 于")
        assert shown.foreign() == []
