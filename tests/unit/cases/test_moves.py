"""Cases through their workflows: who may do what when, with what, and what is refused with which words."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from operations.cases.clocks import DAY_MS, HOUR_MS, MINUTE_MS
from operations.cases.codes import ROLES, STATES
from operations.cases.conditions import Facts
from operations.cases.config import shipped_config
from operations.cases.decide import SYSTEM, allowed_moves, decide
from operations.cases.limits import Limit
from operations.cases.model import Actor, Command, Evidence, Standard
from operations.cases.opening import Report, open_case
from operations.cases.refusals import MoveRefused
from operations.cases.runs import due, is_overdue
from schemas.alerts import Alert
from schemas.calendar import ZONE
from schemas.errors import Refused

CONFIG = shipped_config()
MONDAY = int(datetime(2026, 11, 16, 9, 0, tzinfo=ZONE).timestamp()) * 1000
GRID = "370202001001001"
STANDARD = Standard(
    code="0101", category="device", name="井盖破损", filing="破损面积 > 25 cm²",
    closing=("井盖完好", "现场清理"), limit=Limit(4, "working_hour"), post_check=True,
)  # fmt: skip
PHOTO = Evidence(what="照片", reference="photo/1.jpg")
COLLECTOR = Actor(name="网格员甲", roles=("collector",), places=(GRID,), terminal="mobile")
RECEIVER = Actor(name="受理员甲", roles=("receiver",))
SECOND = Actor(name="受理员乙", roles=("receiver",))
DISPATCHER = Actor(name="派遣员甲", roles=("dispatcher",))
DEPARTMENT = Actor(name="科长", roles=("department",), department="市政公司")
OTHERS = Actor(name="园林科长", roles=("department",), department="园林局")
HANDLER = Actor(name="老李", roles=("handler",), department="市政公司")
LEADER = Actor(name="值班长甲", roles=("shift_leader",))
MEMBER = Actor(name="党员甲", roles=("party_member",), places=("370202001001",))
FAR = Actor(name="党员乙", roles=("party_member",), places=("370202009001",))
COMMUNITY = Actor(name="社区甲", roles=("community",), places=("370202001001",))
STREET = Actor(name="街道甲", roles=("street",), places=("370202001",))
EVALUATOR = Actor(name="考核员甲", roles=("evaluator",))
ALERT = Alert(
    id="a" * 32, rule="signal.smoke", severity="high", domain="security", level="grid", place=GRID,
    onset_ms=1, active=True, title="烟雾报警",
)  # fmt: skip
CRITERIA = ("井盖完好", "现场清理")


def begun(workflow="city-management", source="collector", actor=COLLECTOR):
    report = Report(
        key="k", source=source, category="device", place=GRID, title="井盖破损", workflow=workflow
    )
    return open_case(report, "c1", actor, CONFIG, MONDAY)[0]


class Desk:
    """One case, one clock, and the flow log of what was done with it."""

    def __init__(self, case=None):
        self.case, self.now_ms, self.log, self.alerts = case or begun(), MONDAY, [], ()

    def do(self, verb, actor, **given):
        command = Command(verb=verb, actor=actor, **given)
        standard = STANDARD if given.get("standard") == STANDARD.code else None
        workflow = CONFIG.workflows[self.case.workflow]
        facts = Facts(workflow, self.now_ms, CONFIG.time, standard, self.alerts)
        self.case, entry = decide(self.case, command, facts)
        self.log.append(entry)
        return self

    def refused(self, verb, actor, **given):
        with pytest.raises(MoveRefused) as refusal:
            self.do(verb, actor, **given)
        return str(refusal.value)

    def wait(self, ms):
        self.now_ms += ms
        return self

    def due(self, clock):
        return due(self.case.run(clock), CONFIG.time, self.now_ms).at_ms

    def handled(self):
        self.do("file", RECEIVER, standard="0101").do("send_to_dispatch", RECEIVER)
        self.do("dispatch", DISPATCHER, department="市政公司").do("assign", DEPARTMENT, person="老李")
        return self.do("submit", HANDLER)

    def fed_back(self):
        return self.handled().do("hand_back", DEPARTMENT)

    def checked(self):
        self.fed_back().do("send_to_close", DISPATCHER, person="受理员乙")
        return self.do("ask_post_check", SECOND).do("report_post_check", COLLECTOR, result="passed")

    def closed(self):
        return self.checked().do("close", SECOND, criteria=CRITERIA)


def test_the_whole_way_of_a_case_is_in_its_flow_log():
    desk = Desk().closed().do("evaluate", EVALUATOR)
    assert [entry.verb for entry in desk.log] == [
        "file", "send_to_dispatch", "dispatch", "assign", "submit", "hand_back", "send_to_close",
        "ask_post_check", "report_post_check", "close", "evaluate",
    ]  # fmt: skip
    assert [(entry.from_state, entry.to_state) for entry in desk.log[:4]] == [
        ("reported", "filed"), ("filed", "to_dispatch"), ("to_dispatch", "to_handle"),
        ("to_handle", "handling"),
    ]  # fmt: skip
    assert [entry.version for entry in desk.log] == list(range(2, 13))
    last = desk.log[9]
    assert (last.by, last.role, last.at_ms, last.given["criteria"]) == (
        "受理员乙", "receiver", MONDAY, "井盖完好; 现场清理",
    )  # fmt: skip
    assert desk.log[8].terminal == "mobile"
    assert (desk.case.state, desk.case.receiver, desk.case.counts) == (
        "evaluated",
        "受理员甲",
        {"dispatches": 1},
    )


def test_what_is_not_possible_here_is_refused_with_what_is():
    desk = Desk()
    words = desk.refused("close", RECEIVER, criteria=CRITERIA)
    assert words == (
        "结案 close: received in 上报 reported, possible in feedback; allowed for 受理员 receiver: "
        "ask_pre_check, file, reject, mark_key, comment"
    )
    assert "received from 采集员（网格员） collector, allowed: 受理员 receiver" in desk.refused(
        "file", COLLECTOR
    )
    assert "动作 verb: received 'fly' in 上报 reported" in desk.refused("fly", EVALUATOR)
    assert "allowed for 考核员 evaluator: nothing now" in desk.refused("fly", EVALUATOR)
    assert "角色 role: received 'dispatcher', allowed: receiver" in desk.refused(
        "file", RECEIVER, role="dispatcher"
    )


def test_a_refusal_carries_what_the_same_person_may_do():
    with pytest.raises(MoveRefused) as refusal:
        Desk().do("close", RECEIVER)
    assert refusal.value.allowed == ("ask_pre_check", "file", "reject", "mark_key", "comment")
    assert isinstance(refusal.value, Refused)


def test_filing_needs_a_standard_and_claims_the_report_for_the_first_who_does_it():
    desk = Desk()
    assert "立案标准 standard: received '9'" in desk.refused("file", RECEIVER, standard="9")
    desk.do("file", RECEIVER, standard="0101")
    assert (desk.case.receiver, desk.case.filed_ms, desk.case.standard) == ("受理员甲", MONDAY, STANDARD)
    assert "由 受理员甲 办理 it is 受理员甲's" in desk.refused("send_to_dispatch", SECOND)
    desk = Desk().do("reject", SECOND, why="重复")
    assert (desk.case.receiver, desk.case.state, desk.case.closed_ms) == ("受理员乙", "rejected", MONDAY)
    assert all(not run.open for run in desk.case.runs)


def test_returns_need_a_reason_and_keep_all_data():
    desk = Desk().handled()
    assert "原因 why: received ''" in desk.refused("redo", DEPARTMENT)
    desk.do("redo", DEPARTMENT, why="没有恢复路面")
    assert (desk.case.state, desk.case.person, desk.case.standard) == ("handling", "老李", STANDARD)


def test_a_department_withdraws_its_person_before_it_returns_a_case_as_not_its_own():
    desk = Desk().do("file", RECEIVER, standard="0101").do("send_to_dispatch", RECEIVER)
    desk.do("dispatch", DISPATCHER, department="市政公司").do("assign", DEPARTMENT, person="老李")
    assert "possible in to_handle" in desk.refused("return_to_dispatcher", DEPARTMENT, why="不归我们")
    assert "由 市政公司 办理" in desk.refused("withdraw", OTHERS, why="x")
    desk.do("withdraw", DEPARTMENT, why="不归我们").do("return_to_dispatcher", DEPARTMENT, why="不归我们")
    assert (desk.case.state, desk.case.returned_to) == ("returned", "dispatcher")


def test_who_gets_a_case_back_may_correct_send_again_or_return_further_but_not_push_it_on():
    desk = Desk().do("file", RECEIVER, standard="0101").do("send_to_dispatch", RECEIVER)
    desk.do("dispatch", DISPATCHER, department="园林局").do("return_to_dispatcher", OTHERS, why="不归我们")
    verbs = [
        move.verb for move, _ in allowed_moves(desk.case, DISPATCHER, CONFIG.workflows["city-management"])
    ]
    assert verbs == ["dispatch", "return_to_receiver", "comment"]
    assert "已退回 it was sent back to 派遣员 dispatcher" in desk.refused(
        "correct", RECEIVER, standard="0101"
    )
    desk.do("return_to_receiver", DISPATCHER, why="标准选错")
    verbs = [move.verb for move, _ in allowed_moves(desk.case, RECEIVER, CONFIG.workflows["city-management"])]
    assert verbs == ["reject", "correct", "mark_key", "comment"]
    assert "sent back to 受理员 receiver" in desk.refused("dispatch", DISPATCHER, department="市政公司")
    desk.do("correct", RECEIVER, standard="0101").do("send_to_dispatch", RECEIVER)
    desk.do("dispatch", DISPATCHER, department="市政公司")
    assert (desk.case.counts, desk.case.returned_to) == (
        {"dispatches": 2, "returns": 2, "misdispatches": 1}, None,
    )  # fmt: skip


def test_a_person_may_give_a_case_back_only_before_submitting():
    desk = Desk().do("file", RECEIVER, standard="0101").do("send_to_dispatch", RECEIVER)
    desk.do("dispatch", DISPATCHER, department="市政公司").do("assign", DEPARTMENT, person="老李")
    other = Actor(name="老王", roles=("handler",), department="市政公司")
    assert "由 老李 办理" in desk.refused("give_back", other, why="x")
    desk.do("submit", HANDLER)
    assert "possible in handling" in desk.refused("give_back", HANDLER, why="x")
    desk.do("redo", DEPARTMENT, why="x").do("give_back", HANDLER, why="设备不够")
    assert (desk.case.state, desk.case.person) == ("to_handle", "")


def test_the_handling_clock_stops_when_the_department_hands_back_and_goes_on_at_rework():
    desk = Desk().handled().wait(30 * MINUTE_MS)
    assert desk.case.run("handling").open
    desk.do("hand_back", DEPARTMENT)
    assert desk.case.run("handling").stopped_ms == MONDAY + 30 * MINUTE_MS
    desk.wait(HOUR_MS).do("rework", DISPATCHER, why="未到位")
    assert (desk.case.department, desk.case.person, desk.case.count("reworks")) == ("市政公司", "", 1)
    assert len([run for run in desk.case.runs if run.clock == "handling"]) == 1
    assert desk.due("handling") == int(datetime(2026, 11, 16, 16, 0, tzinfo=ZONE).timestamp()) * 1000


def test_a_transfer_begins_another_departments_clock_anew():
    desk = Desk().do("file", RECEIVER, standard="0101").do("send_to_dispatch", RECEIVER)
    desk.do("dispatch", DISPATCHER, department="园林局").wait(HOUR_MS)
    desk.do("transfer", DISPATCHER, department="市政公司", why="职责交叉")
    runs = [run for run in desk.case.runs if run.clock == "handling"]
    assert [(run.started_ms, run.open) for run in runs] == [(MONDAY, False), (MONDAY + HOUR_MS, True)]


def test_closing_needs_the_person_named_the_criteria_the_check_and_no_active_alert():
    desk = Desk().fed_back()
    assert "nobody is named to close it" in desk.refused("close", SECOND, criteria=CRITERIA)
    desk.do("send_to_close", DISPATCHER, person="受理员乙")
    assert "由 受理员乙 办理" in desk.refused("close", RECEIVER, criteria=CRITERIA)
    assert "missing: 现场清理" in desk.refused("close", SECOND, criteria=("井盖完好",))
    assert "尚未核查 none was made" in desk.refused("close", SECOND, criteria=CRITERIA)
    desk.do("ask_post_check", SECOND).do("report_post_check", COLLECTOR, result="failed")
    assert "未通过 failed" in desk.refused("close", SECOND, criteria=CRITERIA)
    desk.do("ask_post_check", SECOND).do("report_post_check", COLLECTOR, result="passed")
    alert = ALERT
    desk.alerts = (alert,)
    assert "a linked alert is still active: 烟雾报警 (aaaaaaaaaaaa)" in desk.refused(
        "close", SECOND, criteria=CRITERIA
    )
    desk.alerts = (replace(alert, active=False, cleared_ms=2),)
    assert desk.do("close", SECOND, criteria=CRITERIA).case.state == "closed"


def test_a_check_of_before_the_rework_does_not_count_after_it():
    desk = Desk().checked().do("rework", SECOND, why="又坏了")
    desk.do("assign", DEPARTMENT, person="老李").do("submit", HANDLER).do("hand_back", DEPARTMENT)
    desk.do("send_to_close", DISPATCHER, person="受理员乙")
    assert "none was made" in desk.refused("close", SECOND, criteria=CRITERIA)


def test_what_is_solved_on_the_spot_needs_evidence_and_is_reviewed_like_the_rest():
    desk = Desk()
    assert "证据 evidence: received none" in desk.refused("solve_on_spot", COLLECTOR, standard="0101")
    desk.do("solve_on_spot", COLLECTOR, standard="0101", evidence=(PHOTO,))
    assert (desk.case.state, desk.case.evidence[0].by) == ("feedback", "网格员甲")
    assert "no department had it" in desk.refused("rework", DISPATCHER, why="x")


def test_a_pre_check_stops_the_clock_of_filing_meanwhile():
    desk = Desk().wait(5 * MINUTE_MS).do("ask_pre_check", RECEIVER, person="网格员甲").wait(HOUR_MS)
    assert "核查结果 result: received nothing" in desk.refused("report_pre_check", COLLECTOR)
    desk.do("report_pre_check", COLLECTOR, result="passed")
    assert desk.due("filing") == MONDAY + HOUR_MS + 15 * MINUTE_MS
    assert desk.case.pre_check == "passed"


def test_suspension_stops_the_clock_happens_once_lasts_a_year_at_most_and_comes_back():
    desk = Desk().do("file", RECEIVER, standard="0101").do("send_to_dispatch", RECEIVER)
    desk.do("dispatch", DISPATCHER, department="市政公司").do("assign", DEPARTMENT, person="老李").wait(
        HOUR_MS
    )
    words = "挂账期限 until: received"
    assert f"{words} nothing" in desk.refused("suspend", DISPATCHER, why="等配件")
    assert words in desk.refused("suspend", DISPATCHER, why="等配件", until_ms=desk.now_ms - 1)
    assert words in desk.refused("suspend", DISPATCHER, why="等配件", until_ms=desk.now_ms + 367 * DAY_MS)
    desk.do("suspend", DISPATCHER, why="等配件", until_ms=desk.now_ms + 30 * DAY_MS)
    assert "possible in handling" in desk.refused("submit", HANDLER)
    desk.wait(30 * DAY_MS).do("resume", SYSTEM)
    assert (desk.case.state, desk.case.suspension, desk.case.person) == ("handling", None, "老李")
    assert not is_overdue(desk.case.run("handling"), CONFIG.time, desk.now_ms)
    assert "suspended once before" in desk.refused(
        "suspend", DISPATCHER, why="x", until_ms=desk.now_ms + DAY_MS
    )


def handling():
    desk = Desk().do("file", RECEIVER, standard="0101").do("send_to_dispatch", RECEIVER)
    return desk.do("dispatch", DISPATCHER, department="市政公司").do("assign", DEPARTMENT, person="老李")


def test_a_persons_extension_goes_by_the_department_to_the_dispatcher():
    desk = handling()
    before = desk.due("handling")
    desk.do("ask_extension", HANDLER, why="配件未到")
    assert "a request of 老李 is open" in desk.refused("ask_extension", DEPARTMENT, why="x")
    assert "the department has not passed it on yet" in desk.refused("grant_extension", DISPATCHER)
    assert "allowed now: department" in desk.refused("refuse_extension", DISPATCHER, why="x")
    desk.do("pass_extension", DEPARTMENT).do("grant_extension", DISPATCHER)
    assert before == MONDAY + 6 * HOUR_MS  # 09-12, 14-15
    assert desk.due("handling") == MONDAY + 24 * HOUR_MS  # 15-18, 8-9
    assert desk.case.count("extensions") == 1


def test_a_department_asks_the_dispatcher_directly_a_refusal_uses_none_up_and_two_are_all():
    desk = handling()
    for granted in (False, True, False, True):
        desk.do("ask_extension", DEPARTMENT, why="x")
        desk.do("grant_extension", DISPATCHER) if granted else desk.do(
            "refuse_extension", DISPATCHER, why="x"
        )
    assert "extended 2 times, allowed: 2" in desk.refused("ask_extension", DEPARTMENT, why="x")


def test_no_extension_is_asked_for_when_overdue_or_suspended():
    desk = handling()
    desk.do("suspend", DISPATCHER, why="x", until_ms=desk.now_ms + DAY_MS)
    assert "suspended: no extension meanwhile" in desk.refused("ask_extension", DEPARTMENT, why="x")
    desk.do("resume", SYSTEM).wait(10 * DAY_MS)
    assert "overdue: no extension any more" in desk.refused("ask_extension", DEPARTMENT, why="x")


def test_an_open_request_ends_with_the_handling():
    desk = handling().do("ask_extension", HANDLER, why="x").do("submit", HANDLER).do("hand_back", DEPARTMENT)
    assert desk.case.extension is None


def test_only_an_overdue_closed_case_is_appealed_once_with_two_reviews():
    desk = Desk().closed()
    assert "only an overdue case is appealed" in desk.refused("appeal", DEPARTMENT, why="停电")
    late = handling().wait(10 * DAY_MS)
    late.do("submit", HANDLER).do("hand_back", DEPARTMENT).do("send_to_close", DISPATCHER, person="受理员乙")
    late.do("ask_post_check", SECOND).do("report_post_check", COLLECTOR, result="passed")
    late.do("close", SECOND, criteria=CRITERIA)
    assert "nobody appealed" in late.refused("grant_appeal", DISPATCHER)
    assert "由 市政公司 办理" in late.refused("appeal", OTHERS, why="停电")
    late.do("appeal", DEPARTMENT, why="停电")
    assert "allowed now: dispatcher" in late.refused("grant_appeal", RECEIVER)
    refused = Desk(late.case).do("refuse_appeal", DISPATCHER, why="不成立")
    assert "the appeal was refused: that is final" in refused.refused("grant_appeal", RECEIVER)
    assert "appealed once before" in refused.refused("appeal", DEPARTMENT, why="x")
    late.do("grant_appeal", DISPATCHER).do("grant_appeal", RECEIVER)
    assert (late.case.appeal.outcome, late.case.appeal.reviews) == ("granted", ("派遣员甲", "受理员甲"))


def test_side_acts_leave_the_case_where_it_is_and_are_in_the_log():
    desk = handling().do("supervise", LEADER, why="领导关注").do("mark_key", LEADER, why="重点")
    desk.do("comment", HANDLER, why="在路上", evidence=(PHOTO,)).do("reassign", DEPARTMENT, person="老王")
    assert (desk.case.state, desk.case.person, desk.case.flags) == ("handling", "老王", ("key",))
    assert (desk.case.count("supervisions"), len(desk.case.evidence)) == (1, 1)


def test_a_street_calls_departments_answer_or_are_supervised_and_the_street_confirms():
    desk = Desk(begun("street-calls", "street", STREET))
    desk.do("dispatch", DISPATCHER, department="市政公司").wait(31 * MINUTE_MS)
    assert is_overdue(desk.case.run("answer"), CONFIG.time, desk.now_ms)
    desk.do("escalate", SYSTEM).do("answer", DEPARTMENT, person="老李").do("hand_back", HANDLER)
    desk.do("rework", STREET, why="没清干净").do("hand_back", DEPARTMENT).do("confirm", STREET)
    assert (desk.case.state, desk.case.counts) == (
        "closed", {"dispatches": 1, "supervisions": 1, "escalations": 1, "reworks": 1},
    )  # fmt: skip


def test_a_resident_orders_a_community_dispatches_a_department_accepts_a_member_claims():
    desk = Desk(begun("residents-order", "resident", Actor(name="居民", roles=("resident",))))
    desk.do("dispatch", COMMUNITY, department="民政局")
    bureau = Actor(name="民政科长", roles=("department",), department="民政局")
    assert "由 民政局 办理" in desk.refused("accept", DEPARTMENT)
    desk.do("accept", bureau)
    assert "allowed for now: those registered in the community of" in desk.refused("claim", FAR)
    desk.do("claim", MEMBER)
    again = Actor(name="党员丙", roles=("party_member",), places=("370202001001",))
    assert "possible in to_handle" in desk.refused("claim", again)
    desk.do("arrive", MEMBER).do("submit", MEMBER)
    assert "回访结果 satisfied" in desk.refused("close", COMMUNITY)
    desk.do("close", COMMUNITY, satisfied=True)
    assert (desk.case.state, desk.case.satisfied, desk.case.arrived_ms) == ("closed", True, MONDAY)


def test_a_grid_calls_its_own_community_first_then_a_wider_circle():
    desk = Desk(begun("grid-calls"))
    neighbour = Actor(name="邻社区党员", roles=("party_member",), places=("370202001002",))
    assert "in the community of" in desk.refused("claim", neighbour)
    desk.wait(6 * MINUTE_MS).do("widen", SYSTEM)
    assert (desk.case.reach, desk.due("claim")) == ("street", desk.now_ms + 5 * MINUTE_MS)
    assert "in the street of" in desk.refused("claim", FAR)
    desk.do("claim", neighbour).do("arrive", neighbour).do("submit", neighbour).do("confirm", COLLECTOR)
    assert desk.case.state == "closed"
    wide = Desk(begun("grid-calls")).do("widen", SYSTEM).do("widen", SYSTEM)
    assert "the whole district is called already" in wide.refused("widen", SYSTEM)
    assert wide.do("claim", FAR).case.person == "党员乙"


ACTORS = (
    *(COLLECTOR, RECEIVER, SECOND, DISPATCHER, DEPARTMENT, OTHERS, HANDLER, LEADER, MEMBER, FAR, COMMUNITY),
    *(STREET, EVALUATOR, SYSTEM),
)
GIVEN = {
    "why": "理由",
    "standard": "0101",
    "department": "市政公司",
    "criteria": CRITERIA,
    "result": "passed",
    "satisfied": False,
    "evidence": (PHOTO,),
}


@pytest.mark.parametrize("name", CONFIG.workflows)
def test_every_state_of_a_workflow_is_reached_and_left(name):
    workflow = CONFIG.workflows[name]
    reached, todo = set(), [workflow.initial]
    while todo:
        state = todo.pop()
        if state in reached or state == "before":
            continue
        reached.add(state)
        todo += [move.to for move in workflow.from_(state) if move.to]
    mentioned = {state for move in workflow.moves.values() for state in move.from_}
    assert mentioned <= reached
    assert {state for state in reached if STATES[state].open} <= mentioned
    assert {role for move in workflow.moves.values() for role in move.roles} <= set(ROLES)


@settings(deadline=None, max_examples=150)
@given(st.sampled_from(sorted(CONFIG.workflows)), st.data())
def test_whatever_is_tried_the_log_tells_the_case_and_no_rule_is_broken(name, data):
    desk = Desk(begun(name, "collector" if name != "residents-order" else "resident"))
    workflow = CONFIG.workflows[name]
    active = replace(ALERT, active=data.draw(st.booleans()))
    desk.alerts = (active,)
    for _ in range(data.draw(st.integers(1, 25))):
        actor = data.draw(st.sampled_from(ACTORS))
        moves = [move.verb for move, _ in allowed_moves(desk.case, actor, workflow)]
        verb = data.draw(st.sampled_from([*moves, *moves, *moves, *sorted(workflow.moves)]))
        before = desk.case
        desk.wait(data.draw(st.sampled_from([0, MINUTE_MS, HOUR_MS, DAY_MS])))
        person = data.draw(st.sampled_from(["老李", "受理员乙", "网格员甲"]))
        try:
            desk.do(verb, actor, person=person, until_ms=desk.now_ms + DAY_MS, **GIVEN)
        except MoveRefused:
            assert desk.case == before
            continue
        entry = desk.log[-1]
        assert (entry.from_state, entry.to_state) == (before.state, desk.case.state)
        assert entry.version == desk.case.version == before.version + 1
        assert verb in moves, "what is not listed is never done"
        if not STATES[desk.case.state].open:
            assert not any(run.open for run in desk.case.runs)
        assert desk.case.state != "closed" or not active.active
        assert desk.case.standard is None or before.standard is None or desk.case.standard == before.standard
        handling_run = desk.case.run("handling")
        assert handling_run is None or handling_run.extended <= 2
        assert (desk.case.state == "returned") == (desk.case.returned_to is not None)
        assert (desk.case.state == "suspended") == (desk.case.suspension is not None)
