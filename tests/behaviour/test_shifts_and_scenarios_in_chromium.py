"""The pages of hand-over, major events and scenarios, on a PC and on a phone; one desk, one browser."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from operations.people.audit import Said
from operations.people.roles import Role
from operations.store.cases import CaseSelection
from tests.behaviour.chromium import browser, needs_chromium, screen
from tests.behaviour.desk_drill import drill, furnished
from tests.behaviour.test_terminals_in_chromium import BADGE, enter, sideways, small
from tests.contract.desk_client import Served, WallClock, served

pytestmark = [needs_chromium]
PAGES = {
    "handover": ".tiles",
    "major": ".tree .missing",
    "parking": ".areas path.full",
    "patrol": ".round .chip.done",
    "care": ".panel .child",
    "party": ".areas .circle",
}
MORE = {"evaluation": ".evaluation td", "handover/evening": ".detail .notes", "major/drill": ".tree .missing"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("drill")
    with served(f"sqlite:///{folder / 'desk.db'}", WallClock(), **furnished(folder)) as made:
        made.enter("li", "operator")
        said = Said(at_ms=made.clock(), who="root", terminal="cli", what="people.badge")
        made.store.set_badge("operator", "badge", BADGE, said)
        drill(made)
        yield made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(os.environ.get("TAISHI_SCREENSHOTS", tmp_path_factory.mktemp("screens")))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_each_page_shows_what_there_is_and_who_signs_has_the_post(
    desk: Served, chromium: Browser, pictures: Path
) -> None:
    with screen(chromium, str(desk.client.base_url), "/") as shown:
        page = shown.page
        enter(page, desk, "li")
        for name, there in PAGES.items():
            page.goto(f"/#/{name}")
            page.wait_for_selector(there)
            page.screenshot(path=pictures / f"{name}-wall.png")
        page.goto("/#/handover/evening")
        page.get_by_role("button", name="签收接班").click()
        expect(page.locator(".cards")).to_contain_text("li 值守")
        assert shown.foreign() == []
        known = ("401", "503")  # before signing in; the last hours of an alert: this desk reads no InfluxDB
        assert [said for said in shown.complaints if not any(code in said for code in known)] == []


def test_who_a_pseudonym_is_of_a_care_worker_sees_after_saying_why(
    desk: Served, chromium: Browser, pictures: Path
) -> None:
    with screen(chromium, str(desk.client.base_url), "/m", "phone") as shown:
        page = shown.page
        enter(page, desk, "care_worker")
        page.goto("/m#/care")
        page.locator(".resident button").first.click()
        page.locator("dialog textarea").fill("上门探望，核对住址")
        page.locator("dialog[open] [type=submit]").click()
        expect(page.locator(".identity")).to_contain_text("周奶奶")
        page.screenshot(path=pictures / "care-phone.png")
        assert desk.store.newest(1, what="care.identity")[0].said.detail == "上门探望，核对住址"


def test_a_grid_worker_reports_for_the_unit_and_what_they_saw_from_a_phone(
    desk: Served, chromium: Browser, pictures: Path, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"\xff\xd8\xff" + b"x" * 500)
    with screen(chromium, str(desk.client.base_url), "/m", "phone") as shown:
        page = shown.page
        enter(page, desk, "grid_worker")
        page.goto("/m#/major/drill")
        page.wait_for_selector(".tree .missing")
        page.screenshot(path=pictures / "major-phone.png")
        page.locator(".tree li").last.get_by_role("button").click()
        page.locator("dialog[open] [type=submit]").click()
        expect(page.locator(".toast")).to_contain_text("已报告")
        page.goto("/m#/day")
        page.get_by_role("button", name="上报问题").click()
        page.locator("dialog input[type=file]").set_input_files(photo)
        page.locator("dialog input[type=text]").fill("井盖破损")
        page.locator("dialog[open] [type=submit]").click()
        expect(page.locator(".toast").last).to_contain_text("已上报")
        page.screenshot(path=pictures / "day-phone.png")
        (evidence,) = desk.cases.case(desk.cases.lines(_broken())[0].id).evidence
        name = hashlib.sha256(photo.read_bytes()).hexdigest()
        assert evidence.reference == f"photo:{name}"
        kept = desk.client.get(f"/api/photos/{name}", headers=desk.token("grid_worker"))
        assert (kept.content, kept.headers["content-type"]) == (photo.read_bytes(), "image/jpeg")


@pytest.mark.parametrize("layout", ["touch", "phone"])
def test_each_page_fits_a_finger_and_a_phone(
    desk: Served, chromium: Browser, pictures: Path, layout: str
) -> None:
    path, size = {"touch": ("/touch", "wall"), "phone": ("/m", "phone")}[layout]
    with screen(chromium, str(desk.client.base_url), path, size) as shown:
        page = enter(shown.page, desk, {"touch": "screen", "phone": "shift_leader"}[layout])
        if layout == "touch":
            page.locator(".head .primary").click()
            page.keyboard.type(BADGE)
            page.keyboard.press("Enter")
            expect(page.locator(".overlay")).to_have_count(0)
        for name, there in (PAGES | MORE).items():
            if layout == "phone" and name in {"care", "major"}:
                continue  # of care workers only; the list of events, of which the one is in MORE
            page.goto(f"{path}#/{name}")
            page.wait_for_selector(there)
            page.wait_for_load_state("networkidle")
            page.screenshot(path=pictures / f"{name.replace('/', '-')}-{layout}.png")
            if layout == "touch":
                assert small(page) == [], name
            assert sideways(page) == [], name


@pytest.mark.parametrize(
    ("who", "name", "there"), [("grid_worker", "day", ".round"), ("care_worker", "care", ".resident")]
)
def test_what_a_phone_is_for_fits_it(
    desk: Served, chromium: Browser, pictures: Path, who: Role, name: str, there: str
) -> None:
    with screen(chromium, str(desk.client.base_url), "/m", "phone") as shown:
        page = enter(shown.page, desk, who)
        page.goto(f"/m#/{name}")
        page.wait_for_selector(there)
        page.screenshot(path=pictures / f"{name}-{who}-phone.png")
        assert sideways(page) == []


def test_an_evaluation_by_many_streets_and_what_is_behind_a_figure_fits_a_finger_and_a_phone(
    desk: Served, chromium: Browser, pictures: Path
) -> None:
    token = desk.token("shift_leader")
    for place in ("370202002", "370202005", "370202007"):
        body = {"title": "路面塌陷", "place": place, "category": "other"}
        desk.client.post("/api/cases", json=body, headers=token).raise_for_status()
    for layout, path, who, size in (
        ("touch", "/touch", "screen", "wall"),
        ("phone", "/m", "shift_leader", "phone"),
    ):
        with screen(chromium, str(desk.client.base_url), path, size) as shown:
            page = enter(shown.page, desk, who)
            page.goto(f"{path}#/evaluation")
            page.get_by_role("button", name="街道").click()
            figure = page.locator("[data-measure=valid_reports] [data-of='370202007']")
            expect(figure).to_be_visible(timeout=15_000)
            for language in ("zh", "en"):
                page.screenshot(path=pictures / f"evaluation-street-{layout}-{language}.png")
                assert (sideways(page), layout == "touch" and small(page)) == ([], layout == "touch" and [])
                page.locator(".language").click()
            figure.click()
            expect(page.locator("[data-behind]")).to_have_count(1)
            page.screenshot(path=pictures / f"evaluation-behind-{layout}.png")
            assert (sideways(page), layout == "touch" and small(page)) == ([], layout == "touch" and [])


def test_an_answer_that_a_later_question_has_overtaken_is_not_shown(desk: Served, chromium: Browser) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    with screen(chromium, str(desk.client.base_url), "/") as shown:
        page = enter(shown.page, desk, "shift_leader")
        page.route("**/api/evaluation?by=total*", hold)
        page.goto("/#/evaluation")
        page.get_by_role("button", name="街道").click()
        streets = page.locator("[data-measure=valid_reports] [data-of^='370202']")
        expect(streets.first).to_be_visible(timeout=15_000)
        with page.expect_response("**/api/evaluation?by=total*") as answered:
            held[0].continue_()
        answered.value.finished()
        page.evaluate("fetch('/api/me').then(answer => answer.json())")  # asked later, so read later
        expect(streets.first).to_be_visible()


def _broken() -> CaseSelection:
    return CaseSelection(text="井盖破损")
