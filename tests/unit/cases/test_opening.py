"""How cases begin, and which reports are of one case: category, grid, distance, time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from operations.cases.clocks import HOUR_MS
from operations.cases.config import shipped_config
from operations.cases.model import Actor, Evidence
from operations.cases.opening import Report, attach, distance_m, duplicate_of, open_case, report_of_alert
from operations.cases.refusals import MoveRefused
from schemas.alerts import Alert

CONFIG = shipped_config()
NOW = 1_800_000_000_000
GRID = "370202001001001"
LON, LAT = 120.38, 36.06
METRE = 1 / 111_195  # degrees of latitude
ACTOR = Actor(name="网格员甲", roles=("collector",), terminal="mobile")
PHOTO = Evidence(what="照片", reference="photo/1")
FIRE = Report(
    key="r1", source="collector", category="fire", place=GRID, title="着火了", reporter="网格员甲",
    longitude=LON, latitude=LAT, evidence=(PHOTO,),
)  # fmt: skip
SMOKE = Alert(
    id="a" * 32, rule="signal.smoke", severity="life_safety", domain="security", level="grid", place=GRID,
    onset_ms=NOW - 5, active=True, title="烟雾报警 smoke", explanation="烟感 7 报警", simulated=True,
)  # fmt: skip


def opened(report=FIRE, at_ms=NOW):
    return open_case(report, "c1", ACTOR, CONFIG, at_ms)


def test_an_alert_is_a_case_with_its_id_and_its_explanation_as_evidence():
    report = report_of_alert(SMOKE, CONFIG)
    case, entry = open_case(report, "c1", ACTOR, CONFIG, NOW)
    assert (case.alerts, case.category, case.workflow) == ((SMOKE.id,), "fire", "street-calls")
    assert (case.evidence[0].reference, case.description, case.simulated) == (SMOKE.id, "烟感 7 报警", True)
    assert (case.citizens, case.version, case.key) == (0, 1, f"alert/{SMOKE.id}")
    assert (entry.verb, entry.from_state, entry.to_state, entry.role) == (
        "open",
        "",
        "to_dispatch",
        "collector",
    )
    assert [run.clock for run in case.runs] == ["dispatch", "total"]


@pytest.mark.parametrize("source", ["collector", "resident", "party_member", "street", "desk"])
def test_a_person_who_reports_counts_as_one_citizen(source):
    workflow = {"street": "street-calls"}.get(source, "city-management")
    case, entry = opened(replace(FIRE, source=source, workflow=workflow))
    assert (case.citizens, entry.by, entry.terminal) == (1, "网格员甲", "mobile")


def test_the_log_names_who_entered_it_and_for_whom():
    clerk = Actor(name="受理员甲", roles=("receiver",), terminal="pc")
    call = replace(FIRE, source="resident", reporter="来电居民")
    _, entry = open_case(call, "c1", clerk, CONFIG, NOW)
    assert (entry.by, entry.role, entry.given["reporter"]) == ("受理员甲", "receiver", "来电居民")
    _, entry = open_case(report_of_alert(SMOKE, CONFIG), "c1", clerk, CONFIG, NOW)
    assert (entry.by, entry.role) == ("受理员甲", "receiver")


def test_what_is_no_case_is_refused_with_what_is_allowed():
    with pytest.raises(MoveRefused, match="类别 category: received 'x', allowed: fire"):
        opened(replace(FIRE, category="x"))
    with pytest.raises(MoveRefused, match="流程 workflow: received 'x', allowed: city-management"):
        opened(replace(FIRE, workflow="x"))
    street = replace(FIRE, source="street", workflow="residents-order")
    with pytest.raises(MoveRefused, match="群众点单 上报人 reporter: received 'street', allowed: resident"):
        open_case(street, "c1", replace(ACTOR, roles=("street",)), CONFIG, NOW)


def found(report, *cases, at_ms=NOW):
    case = duplicate_of(report, cases, CONFIG, at_ms)
    return case.id if case else None


def test_the_same_thing_reported_again_is_of_the_case_that_is_there():
    case, _ = opened()
    again = replace(FIRE, key="r2", reporter="居民", source="resident")
    assert found(again, case) == "c1"
    assert found(replace(again, category="security"), case) is None
    assert found(replace(again, place="370202001001002"), case) is None
    assert found(again, replace(case, state="closed")) is None


@pytest.mark.parametrize(("metres", "same"), [(0, True), (99, True), (101, False), (5000, False)])
def test_nearer_than_the_radius_is_the_same(metres, same):
    case, _ = opened()
    assert (found(replace(FIRE, latitude=LAT + metres * METRE), case) == "c1") is same


@pytest.mark.parametrize(("hours", "same"), [(0, True), (2, True), (2.01, False)])
def test_sooner_than_the_time_is_the_same(hours, same):
    case, _ = opened()
    assert (found(FIRE, case, at_ms=NOW + int(hours * HOUR_MS)) == "c1") is same


def test_without_coordinates_the_grid_is_near_enough():
    case, _ = opened()
    assert found(report_of_alert(SMOKE, CONFIG), case) == "c1"
    assert found(FIRE, opened(report_of_alert(SMOKE, CONFIG))[0]) == "c1"


def test_of_several_the_nearest_counts_then_the_newest():
    near, far = (replace(opened(replace(FIRE, latitude=LAT + m * METRE))[0], id=str(m)) for m in (5, 50))
    assert found(FIRE, far, near) == "5"
    older = replace(near, id="older", reported_ms=NOW - 1)
    assert found(FIRE, older, near, far) == "5"


def test_attaching_raises_the_citizens_links_the_alert_and_keeps_what_was_there():
    case, _ = opened()
    case, entry = attach(case, report_of_alert(SMOKE, CONFIG), ACTOR, NOW + 1)
    assert (case.citizens, case.alerts, case.version) == (1, (SMOKE.id,), 2)
    assert not case.simulated, "a real report makes it real"
    assert (entry.verb, entry.given["alert"]) == ("attach", SMOKE.id)
    case, _ = attach(case, replace(FIRE, key="r2"), ACTOR, NOW + 2)
    assert (case.citizens, len(case.evidence), case.state) == (2, 3, "to_dispatch")


COORDINATES = st.tuples(st.floats(120.3, 120.5), st.floats(36.0, 36.1))


@given(COORDINATES, COORDINATES)
def test_distances_are_the_same_both_ways_and_near_the_plane(a, b):
    one, two = (replace(FIRE, longitude=lon, latitude=lat) for lon, lat in (a, b))
    metres = distance_m(one, two)
    assert metres == pytest.approx(distance_m(two, one))
    plane = (((a[0] - b[0]) * 0.8084 / METRE) ** 2 + ((a[1] - b[1]) / METRE) ** 2) ** 0.5
    assert metres == pytest.approx(plane, rel=0.01, abs=1)
