"""A fire called by a phone and by its sensor, until it is closed: each person at their terminal."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import paho.mqtt.client as mqtt
import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from connectors.registry import COLUMNS
from operations.desk.store import DeskStore
from operations.people.audit import Said
from operations.people.passwords import Passwords
from operations.people.roles import Person, Role
from operations.store.people import Credentials
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer
from tests.behaviour.chromium import browser, needs_chromium, screen
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = [pytest.mark.stack, needs_chromium]

PASSWORD = "correct horse battery"  # noqa: S105 - of a test
DEVICE = "smoke-of-the-story"
PLACES = PlaceRegistry(known_places("370202"), synthetic_layer("370202"))
GRID = PLACES.grid_codes[333]
STREET = GRID[:9]
WHO: dict[str, tuple[Role, str]] = {
    "王值班": ("shift_leader", "370202"),
    "街道李": ("street", STREET),
    "网格员张": ("grid_worker", GRID[:12]),
    "党员赵": ("party_member", STREET),
    "大厅屏幕": ("screen", "370202"),
}


@dataclass
class Story:
    """A desk on the stack, and people who open their terminals."""

    stack: Stack
    base: str
    secrets: dict[str, str]
    sensor: mqtt.Client

    def smoke(self, value: int) -> None:
        """What the detector says."""
        said = {
            "device": DEVICE,
            "kind": "security.fire",
            "metric": "smoke",
            "value": value,
            "observed_at_ms": time.time_ns() // 1_000_000,
        }
        self.sensor.publish(f"taishi/readings/{DEVICE}", json.dumps(said), qos=1).wait_for_publish(30)

    @contextmanager
    def at(self, chromium: Browser, path: str, who: str) -> Iterator[Page]:
        """Somebody signed in at a terminal; a phone knows where it is."""
        with screen(chromium, self.base, path, "phone" if path == "/m" else "wall") as shown:
            page = shown.page
            if path == "/m":
                page.context.grant_permissions(["geolocation"])
                at = next(grid for grid in PLACES.layer.grids if grid.code == GRID).polygon.centroid
                page.context.set_geolocation({"longitude": at.x, "latitude": at.y})
            page.locator("[name=id]").fill(who)
            page.locator("[name=password]").fill(PASSWORD)
            page.locator("[name=code]").fill(pyotp.TOTP(self.secrets[who]).now())
            page.locator("button.primary").click()
            expect(page.locator(".shell")).to_be_visible()
            yield page
            assert shown.foreign() == []


@pytest.fixture(scope="module")
def story(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """Connector, signals worker and desk; everybody of WHO may sign in."""
    folder = tmp_path_factory.mktemp("story")
    url = f"sqlite:///{folder / 'desk.db'}"
    secrets = entered(url)
    rows = [",".join(COLUMNS), f"{DEVICE},native,security.fire,{GRID},,,,,,true"]
    (stack.settings.home / "devices.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    before = dict(stack.environment)
    stack.environment["TAISHI_OPERATIONS_DATABASE"] = url
    processes = [
        stack.start(*words, log=folder / f"{words[0]}.log")
        for words in (("connect", "mqtt"), ("worker", "signals"), ("desk", "serve"))
    ]
    sensor = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    try:
        base = f"http://127.0.0.1:{stack.settings.desk_port}"
        wait_until(lambda: answers(base, processes[-1]), 120)
        sensor.connect("127.0.0.1", stack.mqtt_port)
        sensor.loop_start()
        yield Story(stack, base, secrets, sensor)
    finally:
        sensor.disconnect()
        sensor.loop_stop()
        for process in processes:
            process.kill()
            process.wait()
        stack.environment.clear()
        stack.environment.update(before)


def entered(url: str) -> dict[str, str]:
    """Everybody in the database; the secrets of their codes."""
    secrets, store = {who: pyotp.random_base32() for who in WHO}, DeskStore(url)
    hashed = Passwords().hashed(PASSWORD)
    for who, (role, place) in WHO.items():
        person = Person(id=who, name=who, roles=(role,), places=(place,))
        said = Said(at_ms=time.time_ns() // 1_000_000, who="root", terminal="cli", what="people.add", of=who)
        store.add_person(person, Credentials(hashed, secrets[who]), said)
    store.close()
    return secrets


def answers(base: str, desk: subprocess.Popen[bytes]) -> bool:
    assert desk.poll() is None, "the desk ended"
    try:
        return httpx.get(f"{base}/health", trust_env=False, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


def act(page: Page, verb: str, given: Callable[[Page], None] | None = None) -> None:
    """Press the verb's button, and give what the dialog asks for."""
    page.locator(f"[data-verb={verb}]").click()
    if given is not None:
        given(page)
        page.locator("dialog.ask[open] button.primary").click()


def test_a_fire_is_called_merged_dispatched_claimed_resolved_checked_and_closed(
    story: Story, chromium: Browser, tmp_path: Path
) -> None:
    with ExitStack() as terminals:
        wall, desk, street, worker, member = (
            terminals.enter_context(story.at(chromium, path, who))
            for path, who in (
                ("/wall", "大厅屏幕"), ("/", "王值班"), ("/", "街道李"), ("/m", "网格员张"), ("/m", "党员赵"),
            )
        )  # fmt: skip
        story.smoke(1)
        alert = desk.locator("[data-alert]", has_text="烟雾报警").first
        expect(alert).to_be_visible(timeout=60_000)
        expect(wall.locator("[data-alert]", has_text="烟雾报警")).to_contain_text("未确认")
        case = called(worker)
        alert.locator("a").click()
        desk.keyboard.press("a")
        expect(wall.locator("[data-alert]", has_text="烟雾报警")).to_contain_text("王值班", timeout=2_000)
        desk.locator("[data-act=case]").click()
        desk.wait_for_url(f"**/#/cases/{case}")  # merged: the same fire
        act(desk, "dispatch", lambda page: page.locator("[name=department]").fill("消防救援站"))
        member.goto(f"{story.base}/m#/cases/{case}")
        act(member, "claim")
        expect(wall.locator(f"[data-case='{case}']")).to_contain_text("党员赵")
        act(member, "arrive")
        act(member, "hand_back")
        street.goto(f"{story.base}/#/cases/{case}")
        expect(street.locator(".hindered")).to_contain_text("仍在活动")
        act(street, "ask_post_check")
        worker.goto(f"{story.base}/m#/cases/{case}")
        act(worker, "report_post_check", lambda page: page.locator("[name=result][value=passed]").check())
        story.smoke(0)
        act(street, "confirm", lambda page: page.locator("[name=outcome][value=real]").check())
        told(story, case, wall, desk, street)
        desk.screenshot(path=tmp_path / "closed.png")


def called(worker: Page) -> str:
    """The grid worker's report; returns the case's number."""
    worker.locator(".nav a[href='#/report']").click()
    worker.locator("[name=category][value=fire]").check()
    worker.locator("[name=title]").fill("楼道着火")
    expect(worker.locator(".located")).to_be_visible()
    worker.locator(".report button.primary").click()
    row = worker.locator("[data-case]", has_text="楼道着火")
    expect(row).to_be_visible()
    return row.get_attribute("data-case") or ""


def told(story: Story, case: str, wall: Page, desk: Page, street: Page) -> None:
    """The wall, the desk and the evaluation tell the same story."""
    for page in (desk, street):
        expect(page.locator(".detail .stage")).to_have_text("结案")
    flow = desk.locator(".history li")
    for words in ("网格员张", "王值班", "党员赵", "街道李"):
        expect(flow.filter(has_text=words).first).to_be_visible()
    expect(desk.locator(".detail .similar", has_text="烟雾报警").first).to_contain_text("已恢复")
    expect(wall.locator(f"[data-case='{case}']")).to_have_count(0)
    expect(wall.locator("[data-alert]", has_text="烟雾报警")).to_contain_text("王值班")
    desk.goto(f"{story.base}/#/evaluation")
    desk.locator("[data-measure=closed] [data-of='']").click()
    expect(desk.locator(f"[data-behind='{case}']")).to_contain_text("是")
    assert "the record holds" in story.stack.run("audit", "verify").stdout
