"""Cases at the desk: from an alert or a report to the end; who sees and may what; lists; the record."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from operations.cases.decide import SYSTEM
from operations.cases.limits import Limit
from operations.cases.model import Command, Standard
from operations.cases.people import holds, sees
from operations.people.roles import Person, Role
from operations.store.cases import CaseSelection
from tests.contract.desk_client import CITY, GRID, STREET, Served, served

OTHER = "370202002001001"
_POINT = CITY.places.layer.grids[CITY.places.grid_codes.index(GRID)].polygon.representative_point()
HERE = {"longitude": _POINT.x, "latitude": _POINT.y}
STANDARD = Standard(
    code="0101",
    category="device",
    name="井盖破损",
    filing="破损",
    closing=("完好",),
    limit=Limit(4, "working_hour"),
)
Token = dict[str, str]


@pytest.fixture
def desk(desk_url: str) -> Iterator[Served]:
    with served(desk_url) as made:
        yield made


def act(desk: Served, case: str, verb: str, token: Token, **given: object) -> Any:
    """What the desk says to it, which it takes."""
    answer = desk.client.post(f"/api/cases/{case}/{verb}", json=given, headers=token)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refused(desk: Served, case: str, verb: str, token: Token, **given: object) -> str:
    answer = desk.client.post(f"/api/cases/{case}/{verb}", json=given, headers=token)
    assert answer.status_code == 409, answer.text
    return str(answer.json()["detail"])


def test_an_alert_is_a_case_in_one_action_which_closes_only_when_the_alert_is_over(desk):
    """街呼区应, by the people of the desk: called by the sensor, dispatched, answered, confirmed."""
    onset_ms = desk.clock()
    alert = desk.raise_alert("signal.smoke", onset_ms=onset_ms, explanation="烟感 7 报警")
    desk.enter("fire-chief", "department", department="消防")
    operator, chief, street = (desk.token(each) for each in ("operator", "fire-chief", "street"))
    opened = desk.client.post(f"/api/alerts/{alert}/case", json={}, headers=operator).json()
    case = opened["case"]["case"]["id"]
    assert (opened["how"], opened["case"]["case"]["alerts"]) == ("opened", [alert])
    again = desk.client.post(f"/api/alerts/{alert}/case", json={}, headers=street).json()
    assert (again["how"], again["case"]["case"]["id"]) == ("known", case)
    assert desk.client.get(f"/api/alerts/{alert}", headers=operator).json()["case"] == case

    assert "部门 department" in refused(desk, case, "dispatch", operator)
    act(desk, case, "dispatch", operator, department="消防")
    act(desk, case, "answer", chief, person="fire-chief")
    act(desk, case, "hand_back", chief)
    assert "still active" in refused(desk, case, "confirm", street)
    shown = desk.client.get(f"/api/cases/{case}", headers=street).json()
    hindrances = {each["verb"]: each["hindrance"] for each in shown["allowed"]}
    assert "still active" in hindrances["confirm"]
    desk.raise_alert("signal.smoke", onset_ms=onset_ms, active=False, cleared_ms=onset_ms + 1, revision=2)
    assert "结论 outcome" in refused(desk, case, "confirm", street)
    closed = act(desk, case, "confirm", street, outcome="nuisance")
    assert closed["case"]["state"] == "closed"
    flow = [(each["verb"], each["by"]) for each in closed["flow"]]
    assert flow == [("open", "operator"), ("dispatch", "operator"), ("answer", "fire-chief"),
                    ("hand_back", "fire-chief"), ("confirm", "street")]  # fmt: skip
    concluded = desk.client.get(f"/api/alerts/{alert}", headers=street).json()["state"]["concluded"]
    assert (concluded["outcome"], concluded["by"], case in concluded["why"]) == ("nuisance", "street", True)
    later = desk.raise_alert("signal.smoke", onset_ms=onset_ms + 60_000)
    (before,) = desk.store.became(desk.store.find(later)[0].alert)
    assert "误报 nuisance" in before.words()
    assert [clock["stopped_at"] != "" for clock in closed["clocks"]] == [True] * len(closed["clocks"])


def test_a_report_from_a_phone_counts_once_and_is_where_its_coordinates_are(desk):
    asked = {"title": "井盖破损", "category": "device", "id": "phone-7-1", **HERE}
    token = desk.token("grid_worker", "phone")
    first, again = (desk.client.post("/api/cases", json=asked, headers=token).json() for _ in range(2))
    assert (first["how"], again["how"]) == ("opened", "known")
    assert first["case"]["case"]["place"] == GRID
    assert (first["case"]["case"]["source"], first["case"]["case"]["reporter"]) == (
        "collector",
        "grid_worker",
    )
    assert first["case"]["flow"][0]["terminal"] == "phone"
    neighbour = desk.client.post("/api/cases", json=asked, headers=desk.token("community")).json()
    assert (neighbour["how"], neighbour["case"]["case"]["citizens"]) == ("attached", 2)
    outside = desk.client.post("/api/cases", json=asked | {"longitude": 121.0}, headers=token)
    assert outside.status_code == 422
    assert f"121.000000,{_POINT.y:.6f}" in outside.json()["detail"][0]["msg"]
    assert desk.client.post("/api/cases", json={"title": "x"}, headers=token).status_code == 422
    recorded = desk.store.newest(10, what="cases.open")
    assert [each.said.who for each in recorded] == ["community", "grid_worker"]
    assert {each.said.of for each in recorded} == {first["case"]["case"]["id"]}


def test_as_what_somebody_reports_is_of_their_roles_or_a_residents_word(desk):
    token = desk.token("grid_worker")
    asked = {"title": "想修路灯", "category": "order", "place": GRID}
    as_street = desk.client.post("/api/cases", json=asked | {"source": "street"}, headers=token)
    assert as_street.status_code == 422
    assert "allowed: collector, resident" in as_street.json()["detail"][0]["msg"]
    told = desk.client.post(
        "/api/cases", json=asked | {"source": "resident", "reporter": "居民乙"}, headers=token
    )
    assert (told.json()["case"]["case"]["reporter"], told.json()["case"]["case"]["citizens"]) == ("居民乙", 1)
    own = desk.client.post("/api/cases", json=asked | {"reporter": "居民乙"}, headers=token)
    assert own.status_code == 422


def test_what_is_of_other_places_is_not_there(desk):
    mine, other = desk.open_case("signal.smoke"), desk.open_case("signal.smoke", OTHER)
    desk.enter("worker-1", "grid_worker", places=(STREET,))
    token = desk.token("worker-1")
    page = desk.client.get("/api/cases", headers=token).json()
    assert ([each["id"] for each in page["cases"]], page["total"]) == ([mine], 1)
    assert desk.client.get(f"/api/cases/{other}", headers=token).status_code == 404
    answer = desk.client.post(f"/api/cases/{other}/comment", json={"why": "?"}, headers=token)
    assert answer.status_code == 404


def test_of_members_who_claim_at_once_one_gets_it_and_arrives(desk):
    """A call reaches the members of its community, whatever else they answer for."""
    call = desk.open_case("signal.sos", severity="life_safety")
    for number in range(4):
        desk.enter(f"member-{number}", "party_member", places=(GRID[:12],))
    desk.enter("member-far", "party_member", places=(OTHER[:12],))
    tokens = [desk.token(f"member-{number}", "phone") for number in range(4)]
    assert desk.client.get(f"/api/cases/{call}", headers=desk.token("member-far")).status_code == 404

    def claim(token: Token) -> int:
        return desk.client.post(f"/api/cases/{call}/claim", json={}, headers=token).status_code

    with ThreadPoolExecutor(4) as members:
        codes = list(members.map(claim, tokens))
    assert sorted(codes) == [200, 409, 409, 409]
    winner = tokens[codes.index(200)]
    loser = tokens[codes.index(409)]
    assert "already claimed by member-" in refused(desk, call, "claim", loser)
    arrived = act(desk, call, "arrive", winner, **HERE)
    assert arrived["case"]["arrived_ms"] == desk.clock()
    assert arrived["flow"][-1]["given"] == {"at": f"{_POINT.x:.6f},{_POINT.y:.6f}"}
    assert [each.said.what for each in desk.store.newest(10, of=call)] == ["cases.arrive", "cases.claim"]


def test_an_act_under_its_identity_counts_once_and_an_old_look_is_told_to_look_again(desk):
    case, token = desk.open_case("signal.smoke"), desk.token("street", "phone")
    evidence = [{"what": "照片 picture", "reference": "p-1.jpg"}]
    given = {"id": "phone-9-1", "why": "门口有烟", "version": 1, "evidence": evidence}
    first, again = (act(desk, case, "comment", token, **given) for _ in range(2))
    assert first["case"] == again["case"]
    assert first["case"]["evidence"][-1]["by"] == "street"
    assert len(desk.store.newest(10, of=case)) == 1
    words = refused(desk, case, "comment", token, why="又及", version=1)
    assert "received version 1, it is 2: look again" in words


def test_a_list_is_what_was_asked_for_in_pages_that_go_on(desk):
    cases = [desk.open_case("signal.smoke", place) for place in (GRID, "370202001001002", OTHER)]
    desk.clock.now_ms += 60_000
    cases.append(desk.open_case("tamper-x"))
    desk.enter("pump", "department", department="水务")
    token, pump = desk.token("operator"), desk.token("pump")
    act(desk, cases[3], "comment", token, why="看一看")
    act(desk, cases[1], "dispatch", token, department="水务")

    def ids(query: str = "", who: Token = token) -> list[str]:
        page = desk.client.get(f"/api/cases?{query}", headers=who).json()
        return [each["id"] for each in page["cases"]]

    everything = ids()
    assert sorted(everything) == sorted(cases)
    pages, after = [], ""
    while after or not pages:
        page = desk.client.get(f"/api/cases?limit=3&after={after}", headers=token).json()
        assert page["total"] == 4
        pages.append([each["id"] for each in page["cases"]])
        after = page["next"]
    assert pages == [everything[:3], everything[3:]]
    assert page["stages"] == {"dispatch": 2, "handle": 1, "report": 1}
    assert ids("category=device") == ids("workflow=city-management") == ids("stage=report") == [cases[3]]
    assert ids("state=to_handle") == ids("department=水务") == ids("mine=true", pump) == [cases[1]]
    assert ids(f"place={OTHER}") == ids(f"text={cases[2]}") == [cases[2]]
    assert ids("text=烟感") == everything
    assert ids("overdue=true") == []
    desk.clock.now_ms += 10 * 86_400_000
    assert sorted(ids("overdue=true", desk.token("operator"))) == sorted(cases)


@pytest.mark.parametrize("role", ["operator", "party_member", "department"])
def test_the_list_holds_what_somebody_sees_and_nothing_else(desk: Served, role: Role) -> None:
    """The condition of the database is the decision of the code, wherever one is and whatever the call."""
    for number, (rule, place) in enumerate(
        (rule, place)
        for rule in ("signal.smoke", "signal.sos", "tamper-x")
        for place in (GRID, "370202001002001", "370202001001", STREET, "370202002001001", "370202")
    ):
        case = desk.open_case(rule, place)
        if number % 2 and rule == "signal.sos":
            desk.cases.do(case, Command(verb="widen", actor=SYSTEM), desk.clock())
    cases = [desk.cases.case(line.id) for line in desk.cases.lines(CaseSelection())]
    for places in (("370202",), (STREET,), (GRID[:12],), (GRID,), ("370202002", "370202001002"), ("370203",)):
        for name, department in (("somebody", ""), ("system", "水务")):
            person = Person(id="p", name=name, roles=(role,), places=places, department=department)
            seen = {line.id for line in desk.cases.lines(CaseSelection(seen_by=person))}
            assert seen == {case.id for case in cases if sees(person, case)}, person
            held = {line.id for line in desk.cases.lines(CaseSelection(held_by=person))}
            assert held == {case.id for case in cases if holds(person, case)}, person


def test_an_evaluation_is_of_what_one_sees_with_the_cases_behind_it_and_taking_it_is_recorded(desk):
    mine, other = desk.open_case("signal.smoke"), desk.open_case("signal.smoke", OTHER)
    desk.enter("leader-1", "shift_leader", places=(STREET,))
    leader, everybody = desk.token("leader-1"), desk.token("analyst")

    def reported(token: Token) -> list[str]:
        found = desk.client.get("/api/evaluation?period=2027-01&by=street", headers=token).json()
        figures = [each for each in found["figures"] if each["measure"] == "valid_reports"]
        assert all(each["rate"] == 1.0 and "÷" in each["definition"] and each["name"] for each in figures)
        return [case for each in figures for case in each["among"]]

    assert reported(leader) == [mine]
    assert reported(everybody) == [mine, other]
    taken = desk.client.get("/api/evaluation.csv?period=2027-01&by=street", headers=everybody)
    assert taken.headers["content-type"].startswith("text/csv")
    assert taken.content.decode("utf-8-sig").startswith("period,measure,指标")
    (entry,) = desk.store.newest(10, what="export.evaluation")
    assert (entry.said.who, entry.said.of) == ("analyst", "370202")
    assert desk.client.get("/api/evaluation?by=person", headers=desk.token("street")).status_code == 403
    wrong = desk.client.get("/api/evaluation?period=soon", headers=everybody)
    assert wrong.status_code == 422
    assert "2026-W47" in wrong.json()["detail"][0]["msg"]


def test_a_client_gets_the_words_the_standards_and_whom_one_may_name(desk):
    desk.cases.take_standards([STANDARD], "standards.xlsx", desk.clock(), replace=True)
    for name in ("chief", "worker"):
        desk.enter(name, "department", department="市政公司")
    operator, chief = desk.token("operator"), desk.token("chief")
    words = desk.client.get("/api/case-words", headers=desk.token("grid_worker")).json()
    assert words["sources"] == ["collector", "resident"]
    verbs = {each["name"]: [move["verb"] for move in each["verbs"]] for each in words["workflows"]}
    assert "claim" in verbs["grid-calls"]
    assert {"code": "fire", "name": "火情", "workflow": "street-calls"} in words["categories"]
    found = desk.client.get("/api/standards?text=井盖", headers=operator).json()
    assert [each["code"] for each in found["standards"]] == ["0101"]
    assert desk.client.get("/api/standards?text=树", headers=operator).json()["total"] == 0
    mine = desk.client.get("/api/colleagues", headers=chief).json()
    assert [each["name"] for each in mine["people"]] == ["chief", "worker"]
    known = desk.client.get("/api/colleagues", headers=operator).json()
    assert {"chief", "grid_worker"} <= {each["name"] for each in known["people"]}
    assert known["departments"] == ["市政公司"]
