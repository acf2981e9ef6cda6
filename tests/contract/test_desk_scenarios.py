"""The scenarios through the API: what each role is told of people, photographs, patrols, parking."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from operations.influxql import UnavailableError
from operations.scenarios.identity import Resident
from operations.scenarios.parking import ParkingNow, Spaces
from operations.scenarios.photos import Photos
from tests.contract.desk_client import GRID, NOW, STREET, Served, served

JPEG = b"\xff\xd8\xff" + b"x" * 100
RESIDENT = Resident(name="周奶奶", telephone="139", address="香港中路 1 号", contact="女儿")


class Parking:
    """Spaces as a test says."""

    told: ParkingNow | None = ParkingNow(
        at_ms=NOW, simulated=True, now={GRID: Spaces(100, 95, 0), "370202005001001": Spaces(50, 10, 0)},
        before={GRID: Spaces(100, 80, 0)},
    )  # fmt: skip

    def __call__(self) -> ParkingNow:
        if self.told is None:
            raise UnavailableError("no window")
        return self.told


PARKING = Parking()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("desk")
    more = {"photos": Photos(folder / "photos", 1000), "parking": PARKING, "identify": {"p1-a": RESIDENT}.get}
    with served(f"sqlite:///{folder / 'desk.db'}", **more) as made:
        yield made


def test_who_a_pseudonym_is_of_is_told_to_who_cares_with_a_reason_that_is_recorded_first(desk):
    desk.raise_alert("rule.vitals", domain="care", subject="p1-a")
    token = desk.token("care_worker")
    (listed,) = desk.client.get("/api/care/residents", headers=token).json()
    assert (listed["subject"], listed["score"]) == ("p1-a", 4.0)
    path = "/api/care/residents/p1-a/identity"
    assert desk.client.post(path, json={"why": ""}, headers=token).status_code == 422
    assert desk.client.post(path, json={"why": "上门探望"}, headers=token).json()["name"] == "周奶奶"
    other = desk.client.post(path.replace("p1-a", "p1-z"), json={"why": "看看是谁"}, headers=token)
    assert other.status_code == 404
    entries = desk.store.newest(5, what="care.identity")
    assert [(e.said.of, e.said.what, e.said.detail) for e in entries] == [
        ("p1-z", "care.identity_refused", "看看是谁"), ("p1-a", "care.identity", "上门探望"),
    ]  # fmt: skip
    assert desk.client.post(path, json={"why": "好奇一下"}, headers=desk.token("operator")).status_code == 403
    counts = desk.client.get("/api/care/places", headers=desk.token("operator"))
    assert "p1-a" not in counts.text
    assert {each["residents"] for each in counts.json()} == {None}


def test_a_care_worker_of_another_street_is_told_nothing(desk):
    desk.enter("care-2", "care_worker", places=("370202002",))
    token = desk.token("care-2")
    assert desk.client.get("/api/care/residents", headers=token).json() == []
    answer = desk.client.post("/api/care/residents/p1-a/identity", json={"why": "上门探望"}, headers=token)
    assert answer.status_code == 404


def test_a_report_with_a_photograph_sent_twice_is_one_case_with_one_photograph(desk):
    token = desk.token("grid_worker", "phone")
    kept = [desk.client.post("/api/photos", content=JPEG, headers=token).json() for _ in range(2)]
    assert kept[0] == kept[1]
    evidence = [{"what": "照片", "reference": kept[0]["reference"]}]
    body = {"title": "井盖破损", "place": GRID, "id": "phone-1", "evidence": evidence}
    cases = [desk.client.post("/api/cases", json=body, headers=token).json() for _ in range(2)]
    assert cases[0]["case"]["case"]["id"] == cases[1]["case"]["case"]["id"]
    (shown,) = cases[0]["case"]["case"]["evidence"]
    answer = desk.client.get(f"/api/photos/{shown['reference'].removeprefix('photo:')}", headers=token)
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    assert desk.client.post("/api/photos", content=b"<html>", headers=token).status_code == 415
    assert desk.client.post("/api/photos", content=JPEG * 20, headers=token).status_code == 413


def test_a_patrol_counts_check_ins_near_the_point_once(desk):
    token = desk.token("grid_worker", "phone")
    near = {"longitude": 120.38, "latitude": 36.07, "id": "phone-2"}
    first, again = (
        desk.client.post("/api/patrols/gate/check-in", json=near, headers=token).json() for _ in "12"
    )
    assert first == again
    far = desk.client.post("/api/patrols/gate/check-in", json=near | {"longitude": 120.39}, headers=token)
    assert (far.status_code, "allowed: up to 50 m" in far.json()["detail"]) == (409, True)
    assert desk.client.post("/api/patrols/x/check-in", json=near, headers=token).status_code == 404
    (state,) = desk.client.get("/api/patrols", headers=token).json()
    assert (state["visited"], state["state"], state["missed"]) == (1, "open", ["gate", "boiler", "garage"])


def test_parking_is_told_of_ones_places_and_guides_to_what_is_free(desk):
    desk.enter("street-1", "street", places=(STREET,))
    token = desk.token("street-1")
    told = desk.client.get("/api/parking/pressure", headers=token).json()
    assert [(each["place"], each["change"], each["full"]) for each in told["grids"]] == [(GRID, 0.15, True)]
    near = desk.client.get("/api/parking/free?longitude=120.38&latitude=36.07", headers=token).json()
    assert [(each["place"], each["free"]) for each in near] == [("370202005001001", 40)]
    before, PARKING.told = PARKING.told, None
    answer = desk.client.get("/api/parking/pressure", headers=token)
    PARKING.told = before
    assert (answer.status_code, "时序库无应答" in answer.json()["detail"]) == (503, True)


def test_coverage_and_members_are_of_the_grid_layer_and_ones_places(desk):
    token = desk.token("community")
    told = desk.client.get("/api/party/coverage", headers=token).json()
    assert len(told["coverage"]["grids"]) == 573
    assert 0.05 < told["coverage"]["share"] < 0.9
    assert told["synthetic"] is True
    desk.enter("community-1", "community", places=(STREET,))
    members = desk.client.get("/api/party/members", headers=desk.token("community-1")).json()
    assert [each["name"] for each in members] == ["party_member"]
    assert desk.client.get("/api/party/branches", headers=token).json()[0]["grid"] == GRID
