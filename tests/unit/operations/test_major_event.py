"""A whole event day, its time passed in: tree, roster, reports, reminders, priorities, board, summary."""

from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from operations.alerts.actions import Action, Target
from operations.alerts.states import hides
from operations.alerts.view import views
from operations.major_event.board import board, summary
from operations.major_event.load import load_major_event
from operations.major_event.model import Report, Switched
from operations.major_event.priorities import hidings_of, raised, route_in, unit_of
from operations.major_event.refusals import add_refusal, off_refusal, on_refusal, report_refusal
from operations.major_event.rhythm import dues, reminders, slot_for, slots_of
from operations.oncall.load import parse_oncall
from operations.oncall.model import Tracked
from operations.oncall.plan import Rota, due
from operations.people.roles import Person
from schemas.alerts import Alert
from schemas.errors import SettingsError

MIN, HOUR = 60_000, 3_600_000
DAY0 = 1_795_363_200_000  # Mon 2026-11-23 00:00 in the district
TEXT = """
id = "beer-festival"
name = "啤酒节开幕"
places = ["370202001", "370202002"]
from = 2026-11-23T08:00:00
until = 2026-11-23T20:00:00+08:00
report_every_s = 3600
report_grace_s = 600
remind_s = 300
remind_max = 3
escalate_s = 300
repeat_max = 1
holds = ["rule.parking"]

[[units]]
code = "hq"
kind = "headquarters"
name = "指挥部"
[[units]]
code = "east"
kind = "theatre"
name = "东战区"
parent = "hq"
places = ["370202001"]
[[units]]
code = "square"
kind = "front_team"
name = "广场专班"
parent = "east"
places = ["370202001001"]
[[units]]
code = "gate"
kind = "combat_unit"
name = "正门单元"
parent = "square"
places = ["370202001001001"]
people = ["吴九"]

[[duty]]
unit = "hq"
people = ["赵敏"]
from = 2026-11-23T08:00:00
until = 2026-11-23T20:00:00
[[duty]]
unit = "east"
people = ["李强", "郑十"]
from = 2026-11-23T08:00:00
until = 2026-11-23T20:00:00
[[duty]]
unit = "gate"
people = ["王芳"]
from = 2026-11-23T08:00:00
until = 2026-11-23T14:00:00
[[duty]]
unit = "gate"
people = ["钱七"]
from = 2026-11-23T14:00:00
until = 2026-11-23T20:00:00

[[raises]]
rule = "rule.crowd"
severity = "high"
place = "370202001"
"""
EVENT = load_major_event(TEXT)
ON = Switched(event=EVENT, added_ms=DAY0, added_by="zhao", on_ms=DAY0 + 7 * HOUR, on_by="赵敏", why="开幕")
FROM, UNTIL = DAY0 + 8 * HOUR, DAY0 + 20 * HOUR
ONCALL = parse_oncall(
    {
        "people": {name: ["json://127.0.0.1:9/a"] for name in ("赵敏", "李强", "王芳", "钱七", "孙八")},
        "routes": [{"name": "usual", "steps": [{"people": ["孙八"]}]}],
    }
)
ALERT = Alert(
    id="a" * 32, rule="rule.crowd", severity="medium", domain="security", level="grid",
    place="370202001001001", onset_ms=FROM + HOUR, active=True, title="人流聚集 crowd",
)  # fmt: skip
GATE = EVENT.unit("gate")


def given(unit, due_ms, at_ms, kind="zero", incidents=0, by="王芳"):
    return Report(
        id=f"{unit}{due_ms}{at_ms}", event=EVENT.id, unit=unit, due_ms=due_ms, at_ms=at_ms, by=by, by_name=by,
        kind=kind, text="", incidents=incidents,
    )  # fmt: skip


def test_the_tree_and_its_people_are_what_the_file_says():
    assert [unit.code for unit in EVENT.above(GATE)] == ["gate", "square", "east", "hq"]
    assert EVENT.unit("hq").places == EVENT.places
    assert [unit.reports for unit in EVENT.units] == [False, True, True, True]
    assert (EVENT.from_ms, EVENT.until_ms) == (FROM, UNTIL)
    assert EVENT.on_duty("gate", DAY0 + 14 * HOUR - 1) == ("王芳",)
    assert EVENT.on_duty("gate", DAY0 + 14 * HOUR) == ("钱七",)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('kind = "theatre"', 'kind = "army"', r"x.toml:21: units\[1\].kind: received 'army', allowed: headq"),
        ('parent = "east"', 'parent = "hq"', r"x.toml:29: units\[2\].parent: received 'hq', allowed: east"),
        ('places = ["370202001001"]', 'places = ["370202002"]', r"units\[2\].places: .*370202001 and below"),
        ('unit = "east"', 'unit = "west"', r"duty\[1\].unit: received 'west', allowed: hq, east"),
        ("repeat_max = 1", "repeat_max = -1", r"x.toml:12: repeat_max: received -1, allowed: 0 to 100"),
        ("repeat_max = 1", "repaet_max = 1", r"x.toml:12: file: .*unknown field `repaet_max`"),
        ('severity = "high"', 'severity = "red"', r"raises\[0\].severity: received 'red', allowed: low"),
        ('people = ["赵敏"]', "people = []", r"duty\[0\].people: received \[\], allowed: one name or more"),
        ("report_every_s = 3600", "report_every_s = 500", r"report_grace_s: received 600, allowed: less"),
        ('20:00:00\n[[duty]]\nunit = "east"', '19:00:00\n[[duty]]\nunit = "east"',
         r"duty: received 'nobody at 11-23 19:00', allowed: somebody of the headquarters"),
        ('code = "square"', 'code = "east"', r"code: received 'east', allowed: up to 40 of .*no other unit"),
        ("report_every_s = 3600", "report_every_s = '1h'", r"x.toml:7: report_every_s: Expected `int`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_by_file_line_and_field(before, after, words):
    assert before in TEXT
    with pytest.raises(SettingsError, match=words):
        load_major_event(TEXT.replace(before, after, 1), "x.toml")


def test_it_counts_within_its_period_from_when_it_was_switched_on_until_it_is_switched_off():
    assert [ON.in_effect(at) for at in (FROM - 1, FROM, UNTIL - 1, UNTIL)] == [False, True, True, False]
    late = Switched(event=EVENT, added_ms=0, added_by="", on_ms=FROM + 30 * MIN, off_ms=FROM + 3 * HOUR)
    assert list(dues(late)) == [FROM + HOUR, FROM + 2 * HOUR, FROM + 3 * HOUR]
    assert len(dues(ON)) == 12
    assert Switched(event=EVENT, added_ms=0, added_by="").in_effect(FROM) is False


def test_a_report_is_in_time_late_or_missing_and_a_zero_report_is_one():
    reports = [
        given("gate", FROM + HOUR, FROM + HOUR - MIN),
        given("gate", FROM + 2 * HOUR, FROM + 2 * HOUR + 10 * MIN, "situation", 2),
        given("gate", FROM + 3 * HOUR, FROM + 3 * HOUR + 11 * MIN),
    ]
    slots = slots_of(ON, GATE, reports, FROM + 5 * HOUR + MIN)
    assert [slot.state for slot in slots] == ["in_time", "in_time", "late", "missing", "due", "waiting"]
    assert slots_of(ON, EVENT.unit("hq"), reports, UNTIL) == []


def test_a_report_without_a_word_for_which_is_for_the_one_that_is_due():
    assert slot_for(ON, GATE, [], FROM) == FROM + HOUR
    assert slot_for(ON, GATE, [], FROM + HOUR + 5 * MIN) == FROM + HOUR
    first = [given("gate", FROM + HOUR, FROM + HOUR + 5 * MIN)]
    assert slot_for(ON, GATE, first, FROM + HOUR + 6 * MIN) == FROM + 2 * HOUR
    both = [*first, given("gate", FROM + 2 * HOUR, FROM + HOUR + 6 * MIN)]
    assert slot_for(ON, GATE, both, FROM + HOUR + 7 * MIN) is None


def reminded(now_ms, reports=()):
    others = [given(u, due, due) for u in ("east", "square") for due in dues(ON) if due <= now_ms]
    return [
        (m.person, m.key.split("/")[4]) for m in reminders(ON, [*others, *reports], ONCALL.people, now_ms)
    ]


def test_a_missing_report_is_reminded_of_then_the_unit_above_too_and_no_more_than_set():
    grace = FROM + HOUR + 10 * MIN
    assert reminded(grace) == []
    assert reminded(grace + 1) == [("王芳", "1")]
    # nobody is on duty in the team above the gate: the second goes to the gate alone
    assert reminded(grace + 5 * MIN) == [("王芳", "2")]
    assert reminded(grace + 30 * MIN) == [("王芳", "3")]
    assert reminded(grace + 5 * MIN, [given("gate", FROM + HOUR, grace + 2 * MIN)]) == []
    assert reminded(UNTIL + HOUR) == []


def test_alerts_of_the_area_are_raised_and_never_lowered():
    now = FROM + HOUR
    assert raised(ALERT, [ON], now).severity == "high"
    assert raised(replace(ALERT, severity="life_safety"), [ON], now).severity == "life_safety"
    assert raised(replace(ALERT, place="370202002001001"), [ON], now).severity == "medium"
    assert raised(ALERT, [ON], UNTIL).severity == "medium"


def test_what_does_not_count_is_suppressed_for_all_to_see_and_life_safety_never():
    parked = replace(ALERT, rule="rule.parking_full")
    hidings = list(hidings_of([ON], FROM))
    assert {(h.target.place, h.until_ms, h.by) for h in hidings} == {
        ("370202001", UNTIL, "赵敏"), ("370202002", UNTIL, "赵敏"),
    }  # fmt: skip
    assert "战时 啤酒节开幕" in hides(parked, hidings, [], FROM)
    assert hides(replace(parked, severity="life_safety"), hidings, [], FROM) == ""
    assert hides(ALERT, hidings, [], FROM) == ""
    assert list(hidings_of([ON], UNTIL)) == []


def told(alert, seen_ms, now_ms):
    rota = Rota(events=(ON,))
    return [(n.person, n.step) for n in due(ONCALL, Tracked(alert, seen_ms), now_ms, rota)]


def test_an_alert_of_the_area_goes_to_the_roster_of_its_unit_and_up_the_tree():
    assert unit_of(EVENT, "370202001001001").code == "gate"
    assert unit_of(EVENT, "370202002005").code == "hq"
    seen = FROM + HOUR
    assert told(ALERT, seen, seen) == [("王芳", 0)]
    up = [("王芳", 0), ("王芳", 0), ("李强", 1), ("赵敏", 2)]  # 郑十 has no channel; 专班 has nobody on duty
    assert told(ALERT, seen, seen + 15 * MIN) == up
    later = DAY0 + 15 * HOUR
    assert told(replace(ALERT, onset_ms=later), later, later) == [("钱七", 0)]
    elsewhere = replace(ALERT, place="370202009001001")
    assert told(elsewhere, seen, seen) == [("孙八", 0)]
    assert told(replace(ALERT, onset_ms=UNTIL), UNTIL, UNTIL) == [("孙八", 0)]
    assert route_in([ON], replace(ALERT, severity="low"), seen, ONCALL.people) is None


def case(place, reported_ms, closed_ms=0):
    return SimpleNamespace(place=place, reported_ms=reported_ms, closed_ms=closed_ms)


def known(now_ms):
    alerts = [
        ALERT,
        replace(ALERT, id="b" * 32, severity="life_safety", place="370202002001001"),
        replace(ALERT, id="c" * 32, onset_ms=FROM - HOUR),
        replace(ALERT, id="d" * 32, place="370202009001001"),
        replace(ALERT, id="e" * 32, active=False, cleared_ms=FROM + 2 * HOUR),
    ]
    ack = Action(id="x", kind="acknowledge", target=Target.of(alerts[0]), by="王芳", at_ms=FROM + HOUR)
    return views(alerts, [ack], [], now_ms)


CASES = [
    case("370202001001001", FROM + HOUR), case("370202001001001", FROM + HOUR, FROM + 2 * HOUR),
    case("370202009001001", FROM + HOUR), case("370202002", FROM - HOUR),
]  # fmt: skip


def test_the_board_shows_each_unit_with_what_it_owes_and_what_is_in_its_place():
    now = FROM + 3 * HOUR + 20 * MIN
    reports = [given("gate", FROM + n * HOUR, FROM + n * HOUR) for n in (1, 2)]
    found = board(ON, reports, known(now), CASES, now)
    assert (found.in_effect, found.left_ms) == (True, UNTIL - now)
    assert found.alerts == (("life_safety", 1), ("high", 0), ("medium", 2), ("low", 0))
    assert (found.unacknowledged, found.open_cases) == (2, 2)
    lines = {line.code: line for line in found.units}
    assert [(line.code, line.depth) for line in found.units] == [
        ("hq", 0), ("east", 1), ("square", 2), ("gate", 3),
    ]  # fmt: skip
    assert [lines[code].missing for code in ("hq", "east", "square", "gate")] == [0, 3, 3, 1]
    assert found.missing == 7
    assert (lines["gate"].on_duty, lines["gate"].next_due_ms) == (("王芳",), FROM + 4 * HOUR)
    assert (lines["gate"].alerts, lines["gate"].unacknowledged, lines["gate"].open_cases) == (2, 1, 1)
    assert lines["gate"].last == reports[-1]


def test_the_summary_of_the_day_counts_reports_alerts_cases_and_who_served():
    """By hand: 12 reports due of each of three units; the gate gives 10 in time, 1 late, 1 never."""
    gate = [given("gate", due_ms, due_ms) for due_ms in list(dues(ON))[:10]]
    gate += [given("gate", FROM + 11 * HOUR, FROM + 11 * HOUR + 30 * MIN, "situation", 3, by="钱七")]
    east = [given("east", due_ms, due_ms + MIN, by="李强") for due_ms in dues(ON)]
    found = summary(ON, [*gate, *east], known(UNTIL), CASES, UNTIL + HOUR)
    lines = {line.code: line for line in found.units}
    facts = lines["gate"]
    assert (facts.due, facts.in_time, facts.late, facts.missing) == (12, 10, 1, 1)
    assert (facts.zero, facts.incidents) == (10, 3)
    assert (found.reports.due, found.reports.in_time, found.reports.missing) == (36, 22, 13)
    assert found.over is True
    assert found.alerts == (("life_safety", 1), ("high", 0), ("medium", 2), ("low", 0))
    assert (found.acknowledged, found.still_active) == (1, 2)
    assert (found.cases, found.cases_closed) == (2, 1)
    served = {each.name: each for each in found.served}
    assert (served["王芳"].duty_s, served["王芳"].reports, served["王芳"].units) == (6 * 3600, 10, ("gate",))
    assert (served["赵敏"].duty_s, served["李强"].reports) == (12 * 3600, 12)


def test_who_may_switch_and_report_is_said():
    other = Switched(event=EVENT, added_ms=0, added_by="", on_ms=1, on_by="钱七")
    new = load_major_event(TEXT.replace("beer-festival", "marathon"))
    planned = Switched(event=new, added_ms=0, added_by="")
    assert on_refusal(planned, [], FROM) == ""
    assert "overlap with beer-festival" in on_refusal(planned, [other], FROM)
    assert "already switched on by 赵敏" in on_refusal(ON, [], FROM)
    assert "a time to come" in on_refusal(planned, [], UNTIL)
    assert add_refusal(Switched(event=EVENT, added_ms=0, added_by="")) == ""
    assert "was switched on by 赵敏" in add_refusal(ON)
    assert off_refusal(ON, FROM) == ""
    assert "over by itself" in off_refusal(ON, UNTIL)
    wang = Person(id="wang", name="王芳", roles=("grid_worker",), places=("370202",))
    wu = Person(id="wu", name="吴九", roles=("grid_worker",), places=("370202",))
    assert report_refusal(ON, GATE, "gate", wang, command=False) == ""
    assert report_refusal(ON, GATE, "gate", wu, command=False) == ""
    east = EVENT.unit("east")
    assert "allowed: 李强, 郑十" in report_refusal(ON, east, "east", wang, command=False)
    assert report_refusal(ON, east, "east", wang, command=True) == ""
    assert "received 'x', allowed: hq, east" in report_refusal(ON, None, "x", wang, command=True)
    assert "allowed: east, square, gate" in report_refusal(ON, EVENT.unit("hq"), "hq", wang, command=True)
