"""Hand-over and major events through the API, on both databases: one shift and one event."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from operations.people.audit import first_broken
from tests.contract.desk_client import EVENT, GRID, Served, served

HOUR_MS = 3_600_000


@pytest.fixture
def desk(desk_url: str) -> Iterator[Served]:
    with served(desk_url) as made:
        made.enter("li", "operator")
        yield made


def asked(desk: Served, method: str, path: str, token: dict[str, str], **body: object):
    answer = desk.client.request(
        method, f"/api{path}", headers=token, json=body if method == "POST" else None
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_shift_goes_over_with_its_list_and_the_post_with_the_signature(desk):
    fire, case = desk.raise_alert(severity="life_safety"), desk.open_case("signal.gas")
    wang, li = desk.token("operator"), desk.token("li")
    hiding = {"kind": "out_of_service", "device": "camera-1", "why": "坏了 broken"}
    desk.client.post("/api/hidings", json=hiding, headers=desk.token("shift_leader"))
    assert asked(desk, "GET", "/posts", wang)[0]["person"] == ""
    draft = asked(desk, "GET", "/handover-list", wang)
    assert fire in [line["id"] for line in draft["unacknowledged"]]
    whole = asked(desk, "POST", "/handovers", wang, notes="看锅炉房", id="h1")
    assert whole["listed"]["out_of_service"][0]["what"] == "设备 device camera-1"
    assert case in [due["id"] for name in ("overdue", "soon_overdue") for due in whole["listed"][name]]
    again = desk.client.post("/api/handovers", json={}, headers=wang)
    assert (again.status_code, "already offered by operator" in again.json()["detail"]) == (409, True)
    own = desk.client.post("/api/handovers/h1/sign", headers=wang)
    assert (own.status_code, "who hands over" in own.json()["detail"]) == (409, True)
    signed = asked(desk, "POST", "/handovers/h1/sign", li)
    assert (signed["incoming"], signed["list_hash"]) == ("li", whole["list_hash"])
    assert asked(desk, "GET", "/posts", wang)[0]["name"] == "li"
    entries = desk.store.newest(10, what="handover.")
    assert [(e.said.who, e.said.what) for e in entries] == [
        ("li", "handover.sign"),
        ("operator", "handover.offer"),
    ]
    assert whole["list_hash"] in entries[0].said.detail
    assert first_broken(desk.store.entries()) == ""


def test_an_offer_nobody_signs_says_so_and_can_be_taken_back(desk):
    token = desk.token("operator")
    asked(desk, "POST", "/handovers", token, id="h1")
    desk.clock.now_ms += 900_000
    assert asked(desk, "GET", "/handovers", token)[0]["unsigned"] is True
    assert asked(desk, "POST", "/handovers/h1/withdraw", token)["withdrawn_ms"] > 0
    assert asked(desk, "GET", "/handovers", token)[0]["unsigned"] is False


def test_an_event_is_set_up_switched_on_reported_to_and_summed_up(desk):
    leader, gate, wang = desk.token("shift_leader"), desk.token("grid_worker"), desk.token("operator")
    wrong = desk.client.post(
        "/api/major-events", json={"text": EVENT.replace("theatre", "army")}, headers=leader
    )
    assert wrong.status_code == 422
    assert "event.toml:8: units[1].kind: received 'army', allowed: headquarters" in wrong.text
    asked(desk, "POST", "/major-events", leader, text=EVENT)
    crowd = desk.raise_alert("rule.crowd", GRID, severity="low")
    parked = desk.raise_alert("rule.parking_full", GRID)
    asked(desk, "POST", "/major-events/drill/on", leader, why="开幕")
    listed = {each["id"]: each for each in asked(desk, "GET", "/alerts?hidden=true", wang)}
    assert (listed[crowd]["severity"], listed[crowd]["state"]["hidden"]) == ("high", False)
    assert "战时 啤酒节开幕" in listed[parked]["state"]["suppressed"][0]["why"]
    report = {"unit": "gate", "kind": "zero", "text": "平稳", "id": "r1"}
    first = asked(desk, "POST", "/major-events/drill/reports", gate, **report)
    assert asked(desk, "POST", "/major-events/drill/reports", gate, **report) == first
    stranger = desk.client.post(
        "/api/major-events/drill/reports", json=report | {"unit": "east", "id": "r2"}, headers=gate
    )
    assert (stranger.status_code, "allowed: street" in stranger.json()["detail"]) == (409, True)
    desk.clock.now_ms += HOUR_MS
    leader = desk.token("shift_leader")
    whole = asked(desk, "GET", "/major-events/drill", leader)
    missing = {unit["code"]: unit["missing"] for unit in whole["board"]["units"]}
    assert missing == {"hq": 0, "east": 1, "square": 1, "gate": 0}
    assert [each["by_name"] for each in whole["reports"]] == ["grid_worker"]
    over = asked(desk, "POST", "/major-events/drill/off", leader, why="散场")
    assert (over["reports"]["due"], over["reports"]["in_time"], over["reports"]["missing"]) == (3, 1, 2)
    assert dict(over["alerts"])["high"] == 2
    assert [e.said.what for e in reversed(desk.store.newest(9, what="major."))] == [
        "major.add", "major.on", "major.report", "major.off",
    ]  # fmt: skip
