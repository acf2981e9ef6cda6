"""What changes reaches every open page, of its places only; a page that comes anew gets the whole list."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy.exc import OperationalError

from operations.desk.store import DeskStore
from tests.contract.desk_client import GRID, Served, served

Event = tuple[str, Any]
Wanted = Callable[[Event], bool]
OTHER = "370202002001001"


@pytest.fixture
def desk(desk_url: str) -> Iterator[Served]:
    with served(desk_url) as made:
        yield made


def events_until(
    desk: Served,
    token: dict[str, str],
    wanted: Callable[[Event], bool],
    ready: threading.Barrier | None = None,
) -> list[Event]:
    """The events of one page up to the wanted one; `ready` is passed when the list has come."""
    found: list[Event] = []
    name = ""
    with desk.client.stream("GET", "/api/events", headers=token) as answer:
        for line in answer.iter_lines():
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((name, json.loads(line.removeprefix("data: "))))
                if name == "listed" and ready is not None:
                    ready.wait(20)
                if wanted(found[-1]):
                    return found
    raise AssertionError(f"the stream ended after {found}")


def acknowledged(event: Event) -> bool:
    return event[0] == "changed" and any(each["state"]["acknowledged"] for each in event[1])


def test_an_acknowledgement_reaches_all_open_pages_with_the_name(desk):
    alert, token, wall = desk.raise_alert(), desk.token("operator"), desk.token("analyst")
    ready = threading.Barrier(9)
    with ThreadPoolExecutor(8) as pages:
        open_pages = [pages.submit(events_until, desk, wall, acknowledged, ready) for _ in range(8)]
        ready.wait(20)
        desk.client.post(f"/api/alerts/{alert}/acknowledge", json={}, headers=token)
        for page in open_pages:
            events = page.result(30)
            assert [each["id"] for each in events[0][1]] == [alert]
            assert events[-1][1][0]["state"]["acknowledged"]["by"] == "operator"


def test_what_a_slow_transaction_wrote_is_told_however_old_its_time_is(desk):
    token, ready = desk.token("operator"), threading.Barrier(2)

    def is_old(event: Event) -> bool:
        return event[0] == "changed" and any(each["rule"] == "signal.old" for each in event[1])

    with ThreadPoolExecutor(1) as pages:
        page = pages.submit(events_until, desk, token, is_old, ready)
        ready.wait(20)
        new = desk.raise_alert("signal.new", GRID)
        (known,) = desk.store.find(new)
        old = replace(known.alert, id="f" * 32, rule="signal.old")
        desk.store.know([old], desk.clock() - 600_000)  # stamped before it waited for its turn
        assert page.result(30)


def test_a_new_alert_is_told_once_and_of_other_places_nothing(desk):
    desk.enter("worker", "grid_worker", places=("370202001",))
    token, ready = desk.token("worker"), threading.Barrier(2)

    def is_mine(event: Event) -> bool:
        return event[0] == "changed" and any(each["rule"] == "signal.last" for each in event[1])

    with ThreadPoolExecutor(1) as pages:
        page = pages.submit(events_until, desk, token, is_mine, ready)
        ready.wait(20)
        desk.raise_alert("signal.fire", OTHER)
        desk.raise_alert("signal.gas", GRID)
        desk.raise_alert("signal.last", GRID)
        told = [each["rule"] for name, body in page.result(30) if name == "changed" for each in body]
    assert sorted(told) == ["signal.gas", "signal.last"]


def test_who_connects_anew_gets_the_whole_list_and_only_what_is_listed(desk):
    desk.raise_alert("signal.gas")
    desk.raise_alert("rule.over", active=False)
    token = desk.token("operator")
    for _ in range(2):
        ((name, listed),) = events_until(desk, token, lambda event: event[0] == "listed")
        assert name == "listed"
        assert [each["rule"] for each in listed] == ["signal.gas"]


def test_a_page_on_which_nothing_happens_hears_a_beat(desk):
    events = events_until(desk, desk.token("operator"), lambda event: event[0] == "beat")
    assert [name for name, _ in events] == ["listed", "beat"]
    assert events[-1][1] == desk.clock()


def test_what_happens_to_cases_reaches_pages_that_see_them_once_and_in_order(desk):
    """A party member's page, who reads no alerts: the call in their community, and nothing of others."""
    desk.enter("member", "party_member", places=(GRID[:12],))
    desk.raise_alert("signal.gas")
    token, ready = desk.token("member", "phone"), threading.Barrier(2)

    def is_claimed(event: Event) -> bool:
        return event[0] == "cases" and event[1][-1]["entry"]["verb"] == "claim"

    with ThreadPoolExecutor(1) as pages:
        page = pages.submit(events_until, desk, token, is_claimed, ready)
        ready.wait(20)
        desk.open_case("signal.sos", OTHER)
        call = desk.open_case("signal.sos", GRID)
        desk.client.post(f"/api/cases/{call}/claim", json={}, headers=token)
        events = [event for event in page.result(30) if event[0] != "beat"]
    assert events[0] == ("listed", [])
    assert {name for name, _ in events[1:]} == {"cases"}
    told = [each for _, body in events[1:] for each in body]
    assert [(each["case"]["id"], each["entry"]["verb"]) for each in told] == [(call, "open"), (call, "claim")]
    assert told[-1]["case"]["person"] == "member"
    assert told[0]["number"] < told[1]["number"]


def test_a_store_that_fails_for_a_while_loses_no_change(desk, monkeypatch):
    """What was changed meanwhile is told by the first look that succeeds."""
    token, ready, failing = desk.token("operator"), threading.Barrier(2), threading.Event()
    looked = threading.Semaphore(0)
    touched = DeskStore.touched_after

    def touched_or_not(store: DeskStore, number: int) -> Any:
        if failing.is_set():
            looked.release()
            raise OperationalError("SELECT", {}, Exception("gone"))
        return touched(store, number)

    monkeypatch.setattr(DeskStore, "touched_after", touched_or_not)
    with ThreadPoolExecutor(1) as pages:
        page = pages.submit(events_until, desk, token, lambda event: event[0] == "changed", ready)
        ready.wait(20)
        failing.set()
        alert = desk.raise_alert("signal.gas")
        for _ in range(3):
            assert looked.acquire(timeout=20)
        failing.clear()
        assert [each["id"] for each in page.result(30)[-1][1]] == [alert]
