"""The outgoing list, counted by hand; whose a post is; who may offer and sign; what is unsigned."""

import dataclasses
from types import SimpleNamespace

import pytest
from msgspec.structs import replace

from operations.alerts.actions import Action, Target
from operations.alerts.load import Annunciation
from operations.alerts.view import views
from operations.handover.duty import Duty, Term
from operations.handover.model import Handover, HandoverRules
from operations.handover.outgoing import Known, list_hash, outgoing_list, since_ms
from operations.handover.rules import offer_refusal, sign_refusal, unsigned_messages, withdraw_refusal
from operations.oncall.flood import Flood
from operations.oncall.hours import SHIFTS
from operations.oncall.load import parse_oncall
from operations.oncall.model import Tracked
from operations.oncall.plan import Rota, due
from operations.people.roles import Person
from schemas.alerts import Alert
from schemas.errors import SettingsError

MIN, HOUR = 60_000, 3_600_000
DAY0 = 1_795_363_200_000  # Mon 2026-11-23 00:00 in the district
NOW = DAY0 + 19 * HOUR
ALERT = Alert(
    id="0" * 32, rule="device.silent", severity="low", domain="parking", level="device",
    place="370202001001001", onset_ms=NOW - HOUR, active=True, title="设备失联 silent", device="d0",
)  # fmt: skip
WANG = Person(id="wang", name="王芳", roles=("operator",), places=("370202",))
LI = Person(id="li", name="李强", roles=("operator",), places=("370202",))
LEADER = Person(id="zhao", name="赵敏", roles=("shift_leader",), places=("370202",))
RULES = HandoverRules(unsigned_s=600, escalate_to=("赵敏",))
FILE = {
    "people": {name: ["json://127.0.0.1:9/a"] for name in ("王芳", "李强", "赵敏")},
    "posts": {"值班台": ["王芳", "李强"]},
    "handover": {"unsigned_s": 600, "escalate_to": ["赵敏"]},
    "routes": [
        {"name": "all", "steps": [{"people": ["值班台"], "repeat_s": 600, "repeat_max": 9},
                                  {"people": ["赵敏"], "after_s": 3600}]},
    ],
}  # fmt: skip
ONCALL = parse_oncall(FILE)


def act(kind, target, **more):
    return Action(id=kind, kind=kind, target=target, by="王芳", at_ms=NOW - 30 * MIN, why="维修", **more)


def case(number, due_ms):
    return SimpleNamespace(
        id=f"c{number}", title="井盖", place="370202001", department="市政", person="", due_ms=due_ms
    )


def known():
    alerts = [
        ALERT,
        replace(ALERT, id="1" * 32, severity="high", device="d1"),
        replace(ALERT, id="2" * 32, severity="life_safety", rule="signal.fire", device="d2"),
        replace(ALERT, id="3" * 32, severity="high", device="d3"),
        replace(ALERT, id="4" * 32, device="d4", active=False, cleared_ms=NOW),
        replace(ALERT, id="5" * 32, rule="storm", cause="door.open", severity="medium", level="street",
                place="370202001", device=""),
        replace(ALERT, id="6" * 32, rule="door.open", device="d6"),
    ]  # fmt: skip
    hidings = [
        act("shelve", Target.of(alerts[3]), until_ms=NOW + HOUR),
        act("out_of_service", Target(device="d9")),
        act("suppress", Target(rule="rule.noise", place="370202001"), until_ms=NOW + 2 * HOUR),
    ]
    acknowledged = act("acknowledge", Target.of(alerts[1]))
    return Known(
        since_ms=NOW - 11 * HOUR,
        now_ms=NOW,
        views=views(alerts, [acknowledged], hidings, NOW),
        hidings=hidings,
        cases=[case(1, NOW - MIN), case(2, NOW), case(3, NOW + HOUR)],
        floods=[Flood("王芳", NOW - 3 * HOUR, 41, 30, NOW - 2 * HOUR)],
        told=[Annunciation.of(ALERT, NOW - MIN, name) for name in ("王芳", "李强", "王芳")],
    )


def handover(**changed):
    listed = outgoing_list(known())
    facts = {"id": "h1", "post": "值班台", "outgoing": "wang", "outgoing_name": "王芳", "offered_ms": NOW}
    facts |= {"notes": "锅炉房看一眼", "listed": listed, "list_hash": list_hash(listed)}
    return Handover(**facts | changed)


def test_the_list_is_active_by_priority_with_who_acknowledged_and_nothing_hidden():
    listed = outgoing_list(known())
    assert [(line.id[0], line.severity) for line in listed.active] == [
        ("2", "life_safety"), ("1", "high"), ("5", "medium"), ("0", "low"),
    ]  # fmt: skip
    assert [line.id[0] for line in listed.unacknowledged] == ["2", "5", "0"]
    assert listed.active[1].acknowledged_by == "王芳"
    assert [(line.id[0], line.children) for line in listed.suppressed_groups] == [("5", 1)]
    assert listed.low == 1


def test_what_hides_is_listed_with_the_time_left_and_cases_are_overdue_at_their_deadline():
    listed = outgoing_list(known())
    assert [line.left_ms for line in listed.shelved] == [HOUR]
    assert [(line.what, line.left_ms) for line in listed.out_of_service] == [("设备 device d9", 0)]
    assert [line.left_ms for line in listed.suppressed] == [2 * HOUR]
    assert [due.id for due in listed.overdue] == ["c1", "c2"]
    assert [(due.id, due.left_ms) for due in listed.soon_overdue] == [("c3", HOUR)]
    assert [(flood.count, flood.peak) for flood in listed.floods] == [(41, 30)]
    assert [(each.console, each.annunciated) for each in listed.load] == [("李强", 1), ("王芳", 2)]


def test_the_hash_is_of_everything_on_the_list():
    listed = outgoing_list(known())
    assert list_hash(listed) == list_hash(outgoing_list(known()))
    assert list_hash(dataclasses.replace(listed, low=2)) != list_hash(listed)


def test_a_shift_begins_with_the_signature_or_by_the_clock():
    assert since_ms(Term("值班台", NOW - 2 * HOUR, "li", "李强"), SHIFTS, NOW) == NOW - 2 * HOUR
    assert since_ms(Term("值班台", NOW - 49 * HOUR, "li", "李强"), SHIFTS, NOW) == DAY0 + 8 * HOUR
    assert since_ms(None, SHIFTS, DAY0 + 7 * HOUR) == DAY0 - 4 * HOUR


def told(duty, now_ms, seen_ms=NOW):
    return [(n.person, n.repeat, n.again) for n in due(ONCALL, Tracked(ALERT, seen_ms), now_ms, Rota(duty))]


def test_the_next_alert_is_of_who_signed_and_until_somebody_did_of_all_at_the_post():
    duty = Duty.of([Term("值班台", NOW, "li", "李强"), Term("值班台", NOW - 9 * HOUR, "wang", "王芳")])
    assert told(duty, NOW) == [("李强", 0, False)]
    assert told(duty, NOW, seen_ms=NOW - 1) == [("王芳", 0, False)]
    assert told(Duty(), NOW) == [("王芳", 0, False), ("李强", 0, False)]
    stranger = Duty.of([Term("值班台", NOW, "qian", "钱七")])
    assert [person for person, *_ in told(stranger, NOW)] == ["王芳", "李强"]


def test_repeats_that_are_due_after_the_signature_go_to_who_signed():
    duty = Duty.of([Term("值班台", 0, "wang", "王芳"), Term("值班台", NOW + 15 * MIN, "li", "李强")])
    assert told(duty, NOW + 10 * MIN) == [("王芳", 0, False), ("王芳", 1, True)]
    assert told(duty, NOW + 20 * MIN)[-1] == ("李强", 2, False)
    assert told(duty, NOW + 30 * MIN)[-1] == ("李强", 3, True)
    assert told(duty, NOW + 60 * MIN)[-1] == ("赵敏", 0, False)


def test_who_holds_the_post_offers_it_or_a_shift_leader_and_one_offer_stands_at_a_time():
    held = Term("值班台", NOW - HOUR, "wang", "王芳")
    assert offer_refusal("值班台", WANG, held, None, RULES) == ""
    assert offer_refusal("值班台", LI, None, None, RULES) == ""
    assert "is held by 王芳" in offer_refusal("值班台", LI, held, None, RULES)
    assert offer_refusal("值班台", LEADER, held, None, RULES) == ""
    assert "already offered by 王芳" in offer_refusal("值班台", WANG, held, handover(), RULES)
    assert "received '门岗', allowed: 值班台" in offer_refusal("门岗", WANG, held, None, RULES)


def test_two_people_sign_and_once():
    assert sign_refusal(handover(), LI) == ""
    assert "who hands over" in sign_refusal(handover(), WANG)
    signed = handover(incoming="li", incoming_name="李强", signed_ms=NOW)
    assert "already signed by 李强" in sign_refusal(signed, LEADER)
    assert "withdrawn" in sign_refusal(handover(withdrawn_ms=NOW), LI)
    assert withdraw_refusal(handover(), WANG) == withdraw_refusal(handover(), LEADER) == ""
    assert "allowed: wang" in withdraw_refusal(handover(), LI)
    assert "signed or withdrawn already" in withdraw_refusal(signed, WANG)


def test_an_unsigned_one_escalates_after_the_setting_under_one_key():
    early = unsigned_messages([handover()], RULES, NOW + 599_999)
    assert list(early) == []
    (message,) = unsigned_messages([handover()], RULES, NOW + 600_000)
    assert (message.key, message.person) == ("handover/h1/赵敏", "赵敏")
    assert "未确认 unacknowledged 3" in message.text
    signed = handover(incoming="li", signed_ms=NOW)
    assert list(unsigned_messages([signed], RULES, NOW + 600_000)) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"posts": {"王芳": ["李强"]}}, "posts.王芳: received"),
        ({"posts": {"值班台": ["钱七"]}}, "posts.值班台: received '钱七', allowed: 王芳"),
        ({"posts": {"值班台": []}}, "posts.值班台: received"),
        ({"handover": {"unsigned_s": 0}}, "handover.unsigned_s: received 0, allowed: 1 to 86400"),
        ({"handover": {"escalate_to": ["钱七"]}}, "handover.escalate_to: received '钱七'"),
    ],
)
def test_what_is_wrong_with_posts_and_hand_over_in_the_file_is_said(changed, words):
    with pytest.raises(SettingsError, match=words):
        parse_oncall(FILE | changed)
    assert ONCALL.handover.posts == ("值班台",)
