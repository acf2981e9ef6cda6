"""Walls and touch screens show for ever and act never; who acts there says who they are, for a moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from operations.people.audit import Said
from schemas.errors import Refused
from tests.contract.desk_client import PASSWORD, Served, served

BADGE, PIN = "04A2B6C81F", "518204"
DAY_MS = 86_400_000


@pytest.fixture
def desk(desk_url: str) -> Iterator[Served]:
    with served(desk_url) as made:
        made.store.set_badge("shift_leader", "badge", BADGE, said(made))
        made.store.set_badge("operator", "pin", PIN, said(made))
        yield made


def said(desk: Served) -> Said:
    return Said(at_ms=desk.clock(), who="root", terminal="cli", what="people.badge")


@contextmanager
def screen(desk: Served) -> Iterator[httpx.Client]:
    """A screen that was registered: its cookie, nobody's else."""
    asked = {"id": "screen", "password": PASSWORD, "code": desk.code("screen"), "terminal": "wall"}
    with httpx.Client(base_url=desk.client.base_url, timeout=30) as client:
        assert client.post("/api/session", json=asked).status_code == 200
        assert set(client.cookies) == {"taishi_screen"}
        yield client


def at(client: httpx.Client, secret: str, identity: str = "") -> httpx.Response:
    return client.post("/api/session/screen", json={"id": identity, "secret": secret})


def test_a_screen_shows_for_ever_and_acts_never(desk):
    alert = desk.raise_alert()
    with screen(desk) as client:
        desk.clock.now_ms += 399 * DAY_MS
        assert [each["id"] for each in client.get("/api/alerts").json()] == [alert]
        refused = client.post(f"/api/alerts/{alert}/acknowledge", json={})
        assert refused.status_code == 403
        assert "received 屏幕 screen" in refused.json()["detail"]


def test_who_has_a_badge_or_a_pin_acts_at_a_screen_for_two_minutes(desk):
    alert = desk.raise_alert()
    with screen(desk) as client:
        assert at(client, BADGE).json()["id"] == "shift_leader"
        assert client.post(f"/api/alerts/{alert}/acknowledge", json={}).json()["by"] == "shift_leader"
        assert client.get("/api/audit").status_code == 403
        desk.clock.now_ms += 121_000
        assert client.get("/api/me").json()["id"] == "screen"
        assert at(client, PIN, "operator").json()["id"] == "operator"
        client.delete("/api/session")
        assert client.get("/api/me").json()["id"] == "screen"


def test_badges_are_nothing_elsewhere_and_five_wrong_ones_lock_the_screen(desk):
    answer = desk.client.post(
        "/api/session/screen", json={"secret": BADGE}, headers=desk.token("shift_leader")
    )
    assert answer.status_code == 403
    with screen(desk) as client:
        wrong = [*(at(client, "04FFFFFFFF") for _ in range(4)), at(client, PIN, "shift_leader")]
        assert {each.status_code for each in wrong} == {401}
        assert at(client, BADGE).status_code == 429
        desk.clock.now_ms += 61_000
        assert at(client, BADGE).status_code == 200


def test_an_account_of_a_screen_is_for_screens_only_and_no_other_is(desk):
    for identity, terminal in (("screen", "desk"), ("operator", "wall")):
        asked = {"id": identity, "password": PASSWORD, "code": desk.code(identity), "terminal": terminal}
        answer = desk.client.post("/api/session", json=asked)
        assert answer.status_code == 401
        assert "终端不符 terminal" in answer.json()["detail"]


def test_a_badge_is_one_persons_and_the_database_does_not_hold_it(desk):
    with pytest.raises(Refused, match="somebody else's"):
        desk.store.set_badge("operator", "badge", BADGE, said(desk))
    with pytest.raises(Refused, match="not all alike"):
        desk.store.set_badge("operator", "pin", "111111", said(desk))
    assert desk.store.drop_badge("shift_leader", "badge", said(desk))
    assert desk.store.of_badge(BADGE) == ""


def test_what_was_said_first_counts_also_when_it_comes_later(desk):
    alert, phone, token = desk.raise_alert(), desk.token("grid_worker"), desk.token("operator")
    first_ms = desk.clock()
    desk.clock.now_ms += 60_000
    assert desk.client.post(f"/api/alerts/{alert}/acknowledge", json={}, headers=token).status_code == 200
    desk.clock.now_ms += 60_000
    asked = {"id": "phone-1", "said_ms": first_ms}
    late = desk.client.post(f"/api/alerts/{alert}/acknowledge", json=asked, headers=phone)
    assert (late.status_code, late.json()["at_ms"]) == (200, first_ms)
    whole = desk.client.get(f"/api/alerts/{alert}", headers=token).json()
    assert whole["state"]["acknowledged"]["by"] == "grid_worker"
    assert [each["by"] for each in whole["history"][1:]] == ["grid_worker", "operator"]
    later = {"id": "phone-2", "said_ms": first_ms + 1}
    again = desk.client.post(f"/api/alerts/{alert}/acknowledge", json=later, headers=token)
    assert "already acknowledged by grid_worker" in again.json()["detail"]
