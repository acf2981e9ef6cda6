"""S4: every role at every route of the desk, in its own area and another, on its own case and not.

The routes and what each needs are the application's own table; what a foreign area means is said here, so a
route that is new fails until somebody has said it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from operations.cases.decide import SYSTEM
from operations.cases.opening import Report
from operations.cases.people import sees
from operations.desk.policies import POLICY, guarded, refuse_undeclared
from operations.people.roles import GRANTS, ROLES, Role
from operations.scenarios.identity import Resident
from operations.scenarios.parking import ParkingNow, Spaces
from operations.scenarios.photos import Photos
from tests.contract.desk_client import EVENT, GRID, NOW, STREET, Served, served

Area = Literal["absent", "refused", "listed", "district", "self"]
FOREIGN: Final = "370202002"
AREAS: Final[dict[str, Area]] = {
    "POST /api/session": "self",
    "DELETE /api/session": "self",
    "POST /api/session/screen": "self",
    "GET /api/me": "self",
    "PUT /api/me/password": "self",
    "GET /api/alerts": "listed",
    "GET /api/alerts/{alert_id}": "absent",
    **{
        f"POST /api/alerts/{{alert_id}}/{verb}": "absent"
        for verb in (
            *("acknowledge", "assign", "comment", "conclude", "reset", "shelve", "shelve_once", "unshelve"),
            *("suppress", "unsuppress", "case"),
        )
    },
    "GET /api/cases": "listed",
    "POST /api/cases": "district",  # what one sees is reported, wherever it is
    "GET /api/cases/{case_id}": "absent",
    "POST /api/cases/{case_id}/claim": "absent",
    "POST /api/cases/{case_id}/{verb}": "absent",
    "GET /api/case-words": "district",
    "GET /api/standards": "district",
    "GET /api/colleagues": "listed",
    "GET /api/evaluation": "listed",
    "GET /api/evaluation.csv": "listed",
    "GET /api/posts": "district",
    "GET /api/handover-list": "listed",
    "GET /api/handovers": "district",  # whose a post was, without the lists
    "POST /api/handovers": "district",  # one post for all; its list is that of handover-list
    "GET /api/handovers/{handover_id}": "absent",
    "POST /api/handovers/{handover_id}/sign": "absent",
    "POST /api/handovers/{handover_id}/withdraw": "absent",
    "GET /api/major-events": "district",  # an event calls all units; figures, no alert and no case
    "POST /api/major-events": "refused",
    "GET /api/major-events/{event_id}": "district",
    "POST /api/major-events/{event_id}/on": "refused",
    "POST /api/major-events/{event_id}/off": "refused",
    "GET /api/major-events/{event_id}/summary": "district",
    "POST /api/major-events/{event_id}/reports": "district",  # by unit: 409 for who is none of it
    "GET /api/parking/pressure": "listed",
    "GET /api/parking/free": "district",  # free spaces are for everybody who drives
    "GET /api/patrols": "district",
    "POST /api/patrols/{point}/check-in": "district",  # by where one stands
    "GET /api/care/places": "district",  # counts of five and more
    "GET /api/care/residents": "listed",
    "POST /api/care/residents/{subject}/identity": "absent",
    "GET /api/party/coverage": "district",
    "GET /api/party/members": "listed",
    "GET /api/party/branches": "district",
    "POST /api/photos": "district",
    "GET /api/photos/{name}": "district",  # its name is a hash of 256 bits: who has it was shown the case
    "GET /api/hidings": "district",  # what hides alerts is for all to see
    "POST /api/hidings": "refused",
    "GET /api/events": "listed",
    "GET /api/places": "district",
    "GET /api/places/{code}/trend": "absent",
    "GET /api/map/{level}": "district",
    "GET /api/people": "district",
    "GET /api/audit": "district",
    "GET /health": "self",
}
"""`absent`: 404 from a foreign area, as if it were not. `refused`: 403. `listed`: answered, and nothing of
another area is in it. `district`: the same for everybody. `self`: of who asks, no area is asked for."""
BODIES: Final[dict[str, object]] = {
    "POST /api/cases": {"title": "井盖破损", "place": GRID},
    "POST /api/handovers": {"post": "值班台"},
    "POST /api/handovers/{handover_id}/sign": None,
    "POST /api/handovers/{handover_id}/withdraw": None,
    "POST /api/hidings": {"kind": "suppress", "rule": "rule.x", "place": GRID, "why": "演练 drill"},
    "POST /api/alerts/{alert_id}/case": {},
    "POST /api/major-events": {"text": EVENT},
    "POST /api/major-events/{event_id}/reports": {"unit": "gate", "kind": "zero"},
    "POST /api/patrols/{point}/check-in": {"longitude": 120.38, "latitude": 36.07},
}
QUERIES: Final = {"GET /api/parking/free": {"longitude": 120.38, "latitude": 36.07}}
JPEG: Final = b"\xff\xd8\xff" + b"x" * 100
RESIDENT: Final = Resident(name="周奶奶", telephone="139", address="香港中路 1 号", contact="女儿")
PARKING: Final = ParkingNow(at_ms=NOW, simulated=True, now={GRID: Spaces(100, 95, 0)}, before={})


class Matrix:
    """A desk with one thing of each sort in STREET, and of each role a person there and one elsewhere."""

    def __init__(self, desk: Served, photos: Photos) -> None:
        self.desk = desk
        alert = desk.raise_alert("rule.vitals", domain="care", subject="p1-a")
        case = desk.open_case("signal.smoke")
        desk.enter("邻街同事", "operator", places=(STREET,))
        self.tokens = {}
        for role in ROLES:
            for area, place in (("own", STREET), ("foreign", FOREIGN)):
                desk.enter(f"{role}@{area}", role, places=(place,))
                self.tokens[role, area] = self._token(f"{role}@{area}")
        desk.client.post(
            "/api/major-events", json={"text": EVENT}, headers=self.tokens["shift_leader", "own"]
        )
        offered = {"id": "h0", "post": "值班台"}
        desk.client.post("/api/handovers", json=offered, headers=desk.token("邻街同事")).raise_for_status()
        self.ids = {
            "{alert_id}": alert, "{case_id}": case, "{verb}": "comment", "{handover_id}": "h0",
            "{event_id}": "drill", "{point}": "gate", "{subject}": "p1-a", "{code}": GRID,
            "{level}": "street", "{name}": photos.keep(JPEG).reference.removeprefix("photo:"),
        }  # fmt: skip
        self.marks = (alert, case, "p1-a", STREET, "邻街同事")

    def _token(self, identity: str) -> dict[str, str]:
        if not identity.startswith("screen"):
            return self.desk.token(identity)
        asked = {"id": identity, "password": "correct horse battery", "code": self.desk.code(identity)}
        answer = self.desk.client.post("/api/session", json=asked | {"terminal": "wall"})
        (token,) = answer.cookies.values()
        self.desk.client.cookies.clear()
        return {"Authorization": f"Bearer {token}"}

    def ask(self, route: str, role: Role, area: str) -> httpx.Response:
        method, _, path = route.partition(" ")
        for part, given in self.ids.items():
            path = path.replace(part, given)
        token, client = self.tokens[role, area], self.desk.client
        if route == "POST /api/photos":
            return client.post(path, content=JPEG, headers=token)
        if route == "GET /api/events":
            return self._first_event(path, token)
        body = BODIES.get(route, {"why": "去看一看"}) if method == "POST" else None
        return client.request(method, path, json=body, headers=token, params=QUERIES.get(route))

    def _first_event(self, path: str, token: dict[str, str]) -> httpx.Response:
        with self.desk.client.stream("GET", path, headers=token) as answer:
            if answer.status_code != 200:
                return httpx.Response(answer.status_code, content=answer.read())
            told = next(line for line in answer.iter_lines() if line.startswith("data: "))
            return httpx.Response(200, text=told)


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    folder: Path = tmp_path_factory.mktemp("matrix")
    photos = Photos(folder / "photos", 1000)
    more = {"photos": photos, "parking": lambda: PARKING, "identify": {"p1-a": RESIDENT}.get}
    with served(f"sqlite:///{folder / 'desk.db'}", **more) as desk:
        yield Matrix(desk, photos)


def policies(desk: Served) -> dict[str, str]:
    """Every route of the application, the client's pages left out, and the policy it declares."""
    paths = desk.client.get("/api/openapi.json").json()["paths"]
    return {
        f"{method.upper()} {path}": operation[POLICY]
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


def test_every_route_has_a_policy_and_what_a_foreign_area_means(matrix: Matrix) -> None:
    assert set(policies(matrix.desk)) == set(AREAS)


@pytest.mark.parametrize("add", ["route", "mount", "websocket"])
def test_what_declares_no_policy_is_not_served_also_in_a_router_of_its_own(add: str) -> None:
    """The desk is made of routers: with a bare route in one of them, or a mount, it does not start."""
    app, router = FastAPI(openapi_url="/api/openapi.json", docs_url=None, redoc_url=None), APIRouter()
    router.get("/declared", **guarded("alerts.read"))(lambda: None)
    if add == "route":
        router.get("/beside")(lambda: None)
    elif add == "mount":
        router.mount("/beside", FastAPI())
    else:
        router.websocket("/beside")(lambda: None)
    app.include_router(router, prefix="/api")
    with pytest.raises(RuntimeError, match=r"routes without a policy: (GET )?/api/beside$"):
        refuse_undeclared(app)


def wrong(matrix: Matrix, route: str, policy: str, role: Role, area: str) -> str:
    """What is not as declared in one cell; "" if all is."""
    answer = matrix.ask(route, role, area)
    code, means = answer.status_code, AREAS[route]
    if policy != "signed_in" and policy not in GRANTS[role]:
        return "" if code == 403 else f"without {policy}: {code}"
    if area == "own" or means == "district":
        return f"{code} {answer.text[:100]}" if code in {401, 403, 404, 422, 500} else ""
    if means == "listed":
        told = [mark for mark in matrix.marks if mark in answer.text]
        return f"{code} tells {told}" if told or code in {401, 403, 404, 422, 500} else ""
    expected = 404 if means == "absent" else 403
    return "" if code == expected else f"{code}, allowed: {expected}"


@pytest.mark.parametrize("area", ["foreign", "own"])
@pytest.mark.parametrize("role", ROLES)
def test_every_cell_of_the_matrix_is_as_declared(matrix: Matrix, role: Role, area: str) -> None:
    declared = sorted(
        policies(matrix.desk).items()
    )  # reads first: what one reports is one's own from then on
    cells = [(route, policy) for route, policy in declared if AREAS[route] != "self"]
    assert len(cells) > 50
    found = {route: wrong(matrix, route, policy, role, area) for route, policy in cells}
    assert {route: words for route, words in found.items() if words} == {}


@pytest.mark.parametrize("role", [role for role in ROLES if "cases.read" in GRANTS[role]])
def test_a_case_elsewhere_is_there_for_whom_it_names_and_for_nobody_else(matrix: Matrix, role: Role) -> None:
    """Who reported it follows it from another area; the next one in the same role does not."""
    book, who = matrix.desk.cases, f"{role}@own"
    place = f"{FOREIGN}001{ROLES.index(role):03}"  # else they are one case of one manhole
    report = Report(
        key=f"s4/{role}", source="desk", category="other", place=place, title="井盖", reporter=who
    )
    case = book.open(report, SYSTEM, matrix.desk.clock()).case
    matrix.desk.enter(f"{role}@next", role, places=(STREET,))
    nobody = matrix._token(f"{role}@next")
    answers = {
        area: matrix.desk.client.get(f"/api/cases/{case.id}", headers=token).status_code
        for area, token in {"named": matrix.tokens[role, "own"], "next": nobody}.items()
    }
    assert answers == {"named": 200, "next": 404}
    person = matrix.desk.store.person(f"{role}@next")
    assert person is not None
    assert not sees(person, book.case(case.id))
