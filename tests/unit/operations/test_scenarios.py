"""The scenarios' figures, counted by hand: circles, hours, risk, spaces, patrols, photographs, the file."""

import math

import numpy as np
import pytest
import shapely

from operations.cases.model import Entry
from operations.scenarios.care import at_risk, by_place
from operations.scenarios.coverage import circles, coverage
from operations.scenarios.load import parse_scenarios
from operations.scenarios.metres import distances_m
from operations.scenarios.model import Member, Scenarios, Station, Walking
from operations.scenarios.parking import Spaces, nearest_free, pressure
from operations.scenarios.patrol import CheckIn, check_in_refusal, round_state
from operations.scenarios.photos import Photos
from operations.scenarios.service import service
from schemas.alerts import Alert
from schemas.errors import Refused, SettingsError
from schemas.places.layer import Grid

MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000
NOW = 1_795_392_000_000
CENTRE = (120.38, 36.07)
TEXT = """
photo_max_bytes = 1000
[walking]
minutes = 10
[[stations]]
code = "s1"
name = "香港中路党群服务中心"
at = [120.38, 36.07]
[[members]]
name = "孙八"
work_unit = "市政公司党支部"
community = "370202001001"
[[branches]]
grid = "370202001001001"
name = "第一网格党支部"
secretary = "周十一"
[[points]]
code = "gate"
name = "正门"
at = [120.38, 36.07]
[[points]]
code = "boiler"
name = "锅炉房"
at = [120.381, 36.07]
within_m = 30
[[rounds]]
code = "day"
name = "白班巡逻"
points = ["gate", "boiler"]
every_s = 3600
"""
SCENARIOS = parse_scenarios(TEXT)


def square(code, east_m, north_m, side_m):
    """A grid whose lower left corner is so far from the centre."""
    scale = np.array([111_320 * math.cos(math.radians(CENTRE[1])), 111_320])
    box = shapely.box(east_m, north_m, east_m + side_m, north_m + side_m)
    polygon = shapely.transform(box, lambda xy: xy / scale + CENTRE)
    return Grid(code, code, "base", polygon)


def test_the_file_says_it_all_and_what_it_leaves_out_is_as_shipped():
    assert SCENARIOS.walking == Walking(minutes=10)
    assert Walking().radius_m == pytest.approx(15 * 60 * 1.2 / 1.3)
    assert SCENARIOS.stations["s1"].point == CENTRE
    assert SCENARIOS.members == (Member(name="孙八", work_unit="市政公司党支部", community="370202001001"),)
    assert SCENARIOS.branches["370202001001001"].secretary == "周十一"
    assert (SCENARIOS.points["gate"].within_m, SCENARIOS.points["boiler"].within_m) == (50, 30)
    assert parse_scenarios("") == Scenarios()


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("minutes = 10", "minutes = 900", r"s.toml:4: walking.minutes: received 900.0, allowed: 1 to 120"),
        ("at = [120.38, 36.07]", "at = [36.07, 120.38]", r"s.toml:8: stations\[0\].at: .*WGS"),
        ('code = "boiler"', 'code = "gate"', r"points\[0\]: received 'gate', allowed: a code of no other"),
        ('points = ["gate", "boiler"]', 'points = ["door"]', r"s.toml:29: rounds\[0\].points: .*door"),
        ("every_s = 3600", "every_s = 1", r"rounds\[0\].every_s: received 1, allowed: 60 to 86400"),
        ('community = "370202001001"', 'community = ""', r"members\[0\].community: received ''"),
        ("[walking]", "[walkign]", r"unknown field `walkign`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_file_line_and_field(before, after, words):
    with pytest.raises(SettingsError, match=words):
        parse_scenarios(TEXT.replace(before, after, 1), "s.toml")


def test_a_circle_covers_what_the_walking_model_says():
    """By hand: radius 100 m; of a square of 400 m around it pi/16, of one far away nothing."""
    walking = Walking(minutes=1, speed_m_s=130 / 60, detour=1.3)
    assert walking.radius_m == pytest.approx(100)
    station = Station(code="s", name="站", point=CENTRE)
    grids = [square("a", -200, -200, 400), square("b", 5000, 0, 400), square("c", -10, -10, 20)]
    found = coverage(grids, [station], walking)
    assert [each.code for each in found.grids] == ["b", "a", "c"]
    assert [each.share for each in found.grids] == [0, pytest.approx(math.pi / 16, rel=0.01), 1]
    assert found.covered == 1
    assert coverage(grids, [], walking).share == 0
    assert coverage([], [station], walking).grids == ()


def test_the_circle_that_is_drawn_is_of_the_radius_that_counts():
    station = Station(code="s", name="站", point=CENTRE)
    (feature,) = circles([station], Walking())["features"]
    away = distances_m(CENTRE, [tuple(point) for point in feature["geometry"]["coordinates"][0]])
    assert away == pytest.approx(np.full(len(away), Walking().radius_m), rel=1e-6)


def entry(verb, by, at_ms):
    return Entry(case_id="c", version=1, verb=verb, from_state="", to_state="", by=by, role="", at_ms=at_ms)


def test_hours_are_from_claim_to_submission_and_no_night_counts():
    members = [Member(name=n, work_unit="u", community="370202001001") for n in ("甲", "乙", "丙")]
    flows = [
        [entry("report", "网格员", NOW), entry("claim", "甲", NOW), entry("submit", "甲", NOW + 2 * HOUR)],
        [entry("claim", "乙", NOW), entry("give_back", "乙", NOW + HOUR), entry("claim", "甲", NOW + HOUR)],
        [entry("claim", "甲", NOW), entry("submit", "甲", NOW + DAY)],
    ]  # fmt: skip
    found = [(each.name, each.claims, each.open, each.hours) for each in service(members, flows)]
    assert found == [("甲", 3, 1, 10.0), ("乙", 1, 0, 1.0), ("丙", 0, 0, 0.0)]


def care(subject, severity="medium", **more):
    facts = {"place": "370202001001001", "onset_ms": NOW, "active": True, "rule": "rule.vitals"} | more
    title = facts.pop("title", "心率异常 heart rate")
    return Alert(
        id=f"{subject}{severity}{facts['onset_ms']}", severity=severity, domain="care", level="grid",
        title=title, subject=subject, **facts,
    )  # fmt: skip


def test_risk_weighs_what_stands_in_full_and_what_is_over_half_as_much_each_day():
    alerts = [
        care("p1-a"), care("p1-a", "life_safety", onset_ms=NOW - DAY, active=False, title="呼救 SOS"),
        care("p1-b", "high", onset_ms=NOW - 2 * DAY, active=False),
        care("p1-c", "life_safety"),
        care("", "life_safety"), care("p1-d", "high", onset_ms=NOW - 8 * DAY, active=False),
    ]  # fmt: skip
    found = at_risk(alerts, NOW, NOW - 7 * DAY)
    assert [(each.subject, each.score, each.alerts, each.active) for each in found] == [
        ("p1-c", 8.0, 1, 1), ("p1-a", 6.0, 2, 1),
    ]  # fmt: skip
    assert found[1].reasons == ("心率异常 heart rate", "呼救 SOS")


def test_fewer_than_five_are_not_told_nor_what_a_difference_would_tell():
    alerts = [care(f"p1-{n}", place="370202001001001") for n in range(12)]
    alerts += [care(f"p1-x{n}", place="370202001002001") for n in range(6)]
    alerts += [care(f"p1-y{n}", place="370202001003001") for n in range(2)]
    told = {each.place: each.residents for each in by_place(at_risk(alerts, NOW, NOW - DAY))}
    assert told == {
        "370202": 20, "370202001": 20, "370202001001": 12, "370202001002": None, "370202001003": None,
    }  # fmt: skip


def test_pressure_is_by_known_spaces_and_says_how_it_changed():
    now = {"a": Spaces(100, 95, 0), "b": Spaces(50, 20, 10), "c": Spaces(10, 0, 10)}
    found = pressure(now, {"a": Spaces(100, 80, 0)})
    assert [(each.place, each.occupancy, each.change, each.full, each.free) for each in found] == [
        ("a", 0.95, 0.15, True, 5), ("b", 0.5, None, False, 20),
    ]  # fmt: skip


def test_guidance_is_to_the_nearest_that_are_not_nearly_full():
    centres = {
        code: (CENTRE[0] + east, CENTRE[1]) for code, east in (("a", 0.001), ("b", 0.002), ("c", 0.01))
    }
    now = {"a": Spaces(100, 95, 0), "b": Spaces(50, 20, 0), "c": Spaces(50, 10, 0), "far": Spaces(9, 0, 0)}
    found = nearest_free(now, centres, CENTRE)
    assert [(each.place, each.free) for each in found] == [("b", 30), ("c", 40)]
    assert found[0].distance_m == pytest.approx(0.002 * 111_320 * math.cos(math.radians(36.07)), abs=1)
    assert nearest_free(now, centres, CENTRE, 1) == found[:1]


def checked(point, at_ms):
    return CheckIn(
        id=f"{point}{at_ms}", point=point, person="w", name="王", at_ms=at_ms, longitude=0, latitude=0,
        distance_m=3, note="",
    )  # fmt: skip


def test_a_round_is_done_when_all_its_points_were_visited_in_its_period():
    (round_,), points = SCENARIOS.rounds, SCENARIOS.points
    begun = NOW - NOW % HOUR
    before = [checked("gate", begun - 1), checked("boiler", begun - HOUR - 1)]
    state = round_state(round_, points, [*before, checked("gate", begun)], begun + MIN)
    assert (state.from_ms, state.visited, state.state, state.missed) == (begun, 1, "open", ("boiler",))
    both = [checked("gate", begun), checked("boiler", begun + 1)]
    assert round_state(round_, points, both, begun + MIN).state == "done"


def test_a_check_in_counts_near_its_point_only():
    gate = SCENARIOS.points["gate"]
    assert check_in_refusal(gate, "gate", CENTRE, SCENARIOS.points) == ""
    assert "received 90 m, allowed: up to 50 m" in check_in_refusal(
        gate, "gate", (120.381, 36.07), SCENARIOS.points
    )
    assert "received 'x', allowed: gate, boiler" in check_in_refusal(None, "x", CENTRE, SCENARIOS.points)


def test_a_photograph_is_kept_once_under_what_it_is_and_nothing_else_is(tmp_path):
    photos = Photos(tmp_path, 1000)
    data = b"\xff\xd8\xff" + b"x" * 100
    kept = photos.keep(data)
    assert photos.keep(data) == kept
    assert photos.read(kept.name) == (data, "image/jpeg")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [kept.name]
    with pytest.raises(Refused, match=r"received bytes that begin 3c68746d6c3e, allowed: JPEG, PNG, WebP"):
        photos.keep(b"<html>")
    with pytest.raises(Refused, match="received 1001 bytes, allowed: up to 1000"):
        photos.keep(b"\xff\xd8\xff" + b"x" * 998)
    for name in ("../../etc/passwd", "0" * 64):
        with pytest.raises(SettingsError):
            photos.read(name)
