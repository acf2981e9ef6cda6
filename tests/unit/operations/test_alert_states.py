"""States of an alert by ISA-18.2 and OPC UA Part 9: each transition, each refusal, each end by itself."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from operations.alerts.actions import Action, Target, action_id, counted_ms
from operations.alerts.refusals import refusal, scope_refusal
from operations.alerts.states import hides, in_force, state_of
from operations.alerts.transitions import transitions
from schemas.alerts import Alert

T0 = 1_795_392_000_000
HOUR = 3_600_000
ALERT = Alert(
    id="a" * 32, rule="device.silent", severity="high", domain="parking", level="device",
    place="370202001001001", onset_ms=T0, active=True, title="设备失联 silent", device="d1",
)  # fmt: skip
SOS = replace(ALERT, id="5" * 32, rule="signal.sos", severity="life_safety", latched=True)
PARENT = replace(
    ALERT, id="f" * 32, rule="storm", cause="device.silent", level="street", place="370202001", device=""
)


def act(kind, alert=ALERT, at_ms=T0, by="王芳", why="维修 repair", **more):
    target = more.pop("target", None) or Target.of(alert)
    return Action(
        id=action_id(kind, target, by, at_ms), kind=kind, target=target, by=by, at_ms=at_ms, why=why,
        count=alert.count, **more,
    )  # fmt: skip


def refused(action, alert=ALERT, before=(), now_ms=None, **more):
    return refusal(action, alert, state_of(alert, before, now_ms or action.at_ms), **more)


SHELVED = act("shelve", until_ms=T0 + HOUR)


def test_timed_shelving_hides_until_its_time_whatever_the_transitions_and_ends_by_itself():
    for alert in (ALERT, replace(ALERT, active=False), replace(ALERT, id="b" * 32, onset_ms=T0 + 9)):
        assert state_of(alert, [SHELVED], T0 + HOUR - 1).hidden
        assert state_of(alert, [SHELVED], T0 + HOUR).shelving == "unshelved"
    assert not state_of(replace(ALERT, device="d2"), [SHELVED], T0).hidden


def test_one_shot_shelving_ends_at_the_next_return_to_normal_or_at_its_longest():
    once = act("shelve_once", until_ms=T0 + HOUR)
    assert state_of(ALERT, [once], T0 + 1).shelving == "one_shot"
    assert state_of(ALERT, [once], T0 + HOUR).shelving == "unshelved"
    assert state_of(replace(ALERT, active=False, cleared_ms=T0 + 5), [once], T0 + 6).shelving == "unshelved"
    assert state_of(replace(ALERT, count=2), [once], T0 + 6).shelving == "unshelved"


def test_unshelving_ends_either_kind():
    for kind in ("shelve", "shelve_once"):
        ended = [act(kind, until_ms=T0 + HOUR), act("unshelve", at_ms=T0 + 5)]
        assert not state_of(ALERT, ended, T0 + 6).hidden


def test_a_reset_takes_a_latched_alert_off_the_list_until_it_begins_anew():
    over = replace(SOS, active=False, cleared_ms=T0 + 5)
    assert state_of(over, [], T0 + 9).listed
    assert not state_of(over, [act("reset", over)], T0 + 9).listed
    assert state_of(replace(over, count=2), [act("reset", over)], T0 + 9).listed


def test_a_parent_hides_what_it_stands_for_while_it_is_active_and_never_life_safety():
    assert state_of(ALERT, [], T0, [PARENT]).hidden
    assert hides(ALERT, [], [PARENT], T0).startswith("父告警 parent ffffffffffff")
    assert not state_of(ALERT, [], T0, [replace(PARENT, active=False, cleared_ms=T0)]).hidden
    assert not state_of(replace(ALERT, severity="life_safety"), [], T0, [PARENT]).hidden


def test_of_two_parents_the_nearest_is_named_first():
    nearer = replace(PARENT, id="e" * 32, level="community", place="370202001001")
    state = state_of(ALERT, [], T0, [PARENT, nearer])
    assert [each.parent.id[0] for each in state.suppressed] == ["e", "f"]
    assert [each.parent.id[0] for each in state_of(nearer, [], T0, [PARENT, nearer]).suppressed] == ["f"]


def test_a_device_out_of_service_hides_its_alerts_of_every_rule_until_someone_puts_it_back():
    target = Target(device="d1")
    out = act("out_of_service", target=target)
    assert state_of(ALERT, [out], T0 + 10**12).hidden
    assert state_of(replace(ALERT, rule="signal.tamper"), [out], T0).hidden
    assert not state_of(replace(ALERT, device="d2"), [out], T0).hidden
    assert not state_of(ALERT, [out, act("in_service", target=target, at_ms=T0 + 1)], T0 + 2).hidden


def test_a_rule_in_a_place_is_suppressed_by_its_written_logic_and_both_states_are_apart():
    target = Target(rule="device.", place="370202001")
    state = state_of(ALERT, [act("suppress", target=target, why="道路施工 road works"), SHELVED], T0)
    assert state.suppressed[0].action.why.startswith("道路施工")
    assert state.shelving == "timed"
    assert not state_of(replace(ALERT, place="370202002001001"), [act("suppress", target=target)], T0).hidden


def test_what_one_person_said_of_a_device_does_not_hide_its_life_safety():
    alone = act("out_of_service", target=Target(device="d1"))
    assert not state_of(SOS, [alone], T0).hidden
    assert hides(SOS, [alone], [], T0) == ""
    assert state_of(SOS, [replace(alone, second="李强")], T0).hidden


ACKED = act("acknowledge")
OVER = replace(SOS, active=False, cleared_ms=T0)
REFUSED = [
    (act("acknowledge", by="李强", at_ms=T0 + 5), ALERT, [ACKED], "already acknowledged by 王芳 at 11-23"),
    (act("acknowledge", by=" "), ALERT, [], "by: received ''"),
    (act("shelve", until_ms=T0 + 8 * HOUR + 1000), ALERT, [], "received 8:00:01, allowed: at most 8:00:00"),
    (act("shelve", until_ms=T0 + HOUR, why=""), ALERT, [], "why: received ''"),
    (act("shelve", until_ms=T0), ALERT, [], "a moment that has passed"),
    (act("shelve"), ALERT, [], "until: received none"),
    (act("shelve", until_ms=T0 + HOUR, at_ms=T0 + 5), ALERT, [SHELVED], "already shelved by 王芳"),
    (act("shelve", until_ms=T0 + HOUR), replace(ALERT, active=False), [], "over: there is nothing"),
    (act("shelve_once", OVER, until_ms=T0 + HOUR, second="李强"), OVER, [], "not active: a one-shot"),
    (act("shelve", SOS, until_ms=T0 + HOUR), SOS, [], "not hidden by a single person"),
    (act("shelve", SOS, until_ms=T0 + HOUR, second="王芳"), SOS, [], "allowed: another person"),
    (act("suppress", SOS), SOS, [], "not hidden by a single person"),
    (act("unshelve"), ALERT, [], "not shelved"),
    (act("unshelve", at_ms=T0 + HOUR), ALERT, [SHELVED], "not shelved"),
    (act("reset", SOS), SOS, [], "still active"),
    (act("reset"), ALERT, [], "not latched"),
    (act("reset", OVER), OVER, [], "not acknowledged"),
    (act("reset", OVER), OVER, [act("acknowledge", OVER), act("reset", OVER)], "already reset by 王芳"),
    (act("suppress"), ALERT, [act("suppress")], "already suppressed by 王芳 at"),
    (act("unsuppress"), ALERT, [], "not suppressed"),
    (act("unsuppress"), ALERT, [act("suppress", target=Target(rule="device"))], "by 规则 rule device"),
    (act("comment", why=""), ALERT, [], "why: received ''"),
    (act("out_of_service"), ALERT, [], "is of a device, or of a rule and a place"),
]


@pytest.mark.parametrize(("action", "alert", "before", "words"), REFUSED)
def test_what_is_not_allowed_is_refused_with_words(action, alert, before, words):
    assert words in refused(action, alert, before)


ALLOWED = [
    (act("shelve", SOS, until_ms=T0 + HOUR, second="李强"), SOS, []),
    (act("shelve", until_ms=T0 + 8 * HOUR), ALERT, []),
    (act("unshelve"), ALERT, [SHELVED]),
    (act("reset", OVER), OVER, [act("acknowledge", OVER)]),
    (act("acknowledge"), ALERT, [SHELVED]),
    (act("unsuppress"), ALERT, [act("suppress")]),
    (act("comment"), ALERT, []),
]


@pytest.mark.parametrize(("action", "alert", "before"), ALLOWED)
def test_what_is_allowed_is_not_refused(action, alert, before):
    assert refused(action, alert, before) == ""


def test_unsuppressing_the_child_of_a_parent_is_refused_and_names_the_parent():
    state = state_of(ALERT, [], T0, [PARENT])
    assert "suppressed by its parent ffffffffffff" in refusal(act("unsuppress"), ALERT, state)


def test_scopes_are_refused_without_a_target_twice_and_when_nothing_was_begun():
    target = Target(device="d1")
    out, back = act("out_of_service", target=target), act("in_service", target=target, at_ms=T0 + 5)
    assert "received nothing" in scope_refusal(act("out_of_service", target=Target(alert_id="")), [])
    assert scope_refusal(out, []) == ""
    assert "already so: 王芳" in scope_refusal(replace(out, at_ms=T0 + 1), [out])
    assert "not out of service" in scope_refusal(back, [])
    assert scope_refusal(back, [out]) == ""
    assert scope_refusal(replace(out, at_ms=T0 + 9), [out, back]) == ""


def test_history_tells_who_when_why_and_what_ended_by_itself():
    over = replace(ALERT, active=False, cleared_ms=T0 + 2 * HOUR)
    told = transitions(over, [SHELVED, act("acknowledge", at_ms=T0 + 9)], T0 + 3 * HOUR)
    assert [(t.what, t.by) for t in told] == [
        ("raised", "taishi"), ("shelve", "王芳"), ("acknowledge", "王芳"), ("unshelve", "taishi"),
        ("cleared", "taishi"),
    ]  # fmt: skip
    assert told[3].at_ms == T0 + HOUR
    by_hand = [SHELVED, act("unshelve", at_ms=T0 + 7)]
    assert [t.at_ms for t in transitions(ALERT, by_hand, T0 + 3 * HOUR) if t.what == "unshelve"] == [T0 + 7]
    once = act("shelve_once", until_ms=T0 + 9 * HOUR)
    assert [t.at_ms for t in transitions(over, [once], T0 + 3 * HOUR) if t.what == "unshelve"] == [
        T0 + 2 * HOUR
    ]


class Desk(RuleBasedStateMachine):
    """The fold against a model that remembers only what is so now."""

    def __init__(self):
        super().__init__()
        self.now, self.alert, self.actions = T0, replace(ALERT, latched=True), []
        self.model = {
            "acked": "",
            "shelve": None,
            "once": None,
            "suppress": False,
            "out": False,
            "reset": False,
        }

    def try_(self, kind, **more):
        action = act(kind, self.alert, self.now, **more)
        state = state_of(self.alert, self.actions, self.now)
        said = (
            refusal(action, self.alert, state)
            if not more.get("target")
            else scope_refusal(action, self.actions)
        )
        if not said:
            self.actions.append(action)
        return not said

    @rule(ms=st.integers(1, 3 * HOUR))
    def time_passes(self, ms):
        self.now += ms
        for name in ("shelve", "once"):
            if self.model[name] and self.model[name] <= self.now:
                self.model[name] = None

    @rule()
    def returns_to_normal(self):
        self.alert = replace(self.alert, active=False, cleared_ms=self.now)
        self.model["once"] = None

    @rule()
    def begins_anew(self):
        if not self.alert.active:
            self.alert = replace(self.alert, active=True, count=self.alert.count + 1, cleared_ms=0)
            self.model["acked"] = "" if self.model["reset"] else self.model["acked"]
            self.model["reset"] = False

    @rule(by=st.sampled_from(["王芳", "李强"]))
    def acknowledges(self, by):
        assert self.try_("acknowledge", by=by) == (not self.model["acked"])
        self.model["acked"] = self.model["acked"] or by

    @rule(ms=st.integers(1, 9 * HOUR), kind=st.sampled_from(["shelve", "shelve_once"]))
    def shelves(self, ms, kind):
        listed = self.alert.active or not self.model["reset"]
        free = not (self.model["shelve"] or self.model["once"])
        allowed = free and listed and ms <= 8 * HOUR and (kind == "shelve" or self.alert.active)
        assert self.try_(kind, until_ms=self.now + ms) == allowed
        if allowed:
            self.model["shelve" if kind == "shelve" else "once"] = self.now + ms

    @rule()
    def unshelves(self):
        assert self.try_("unshelve") == bool(self.model["shelve"] or self.model["once"])
        self.model["shelve"] = self.model["once"] = None

    @rule()
    def resets(self):
        allowed = not self.alert.active and bool(self.model["acked"]) and not self.model["reset"]
        assert self.try_("reset") == allowed
        self.model["reset"] |= allowed

    @rule(begin=st.booleans())
    def suppresses(self, begin):
        assert self.try_("suppress" if begin else "unsuppress") == (begin != self.model["suppress"])
        self.model["suppress"] = begin

    @rule(begin=st.booleans())
    def service(self, begin):
        done = self.try_("out_of_service" if begin else "in_service", target=Target(device="d1"))
        assert done == (begin != self.model["out"])
        self.model["out"] = begin

    @invariant()
    def the_fold_says_what_the_model_says(self):
        state = state_of(self.alert, self.actions, self.now)
        said = (
            state.acknowledged.by if state.acknowledged else "",
            bool(state.suppressed),
            bool(state.out_of_service),
        )
        assert said == (self.model["acked"], self.model["suppress"], self.model["out"])
        expected = "timed" if self.model["shelve"] else "one_shot" if self.model["once"] else "unshelved"
        assert state.shelving == expected
        assert state.latched == (not self.model["reset"])
        hidden = expected != "unshelved" or self.model["suppress"] or self.model["out"]
        assert (
            state.hidden == hidden == bool(hides(self.alert, in_force(self.actions, self.now), [], self.now))
        )

    @invariant()
    def history_is_in_order_and_names_somebody(self):
        told = transitions(self.alert, self.actions, self.now)
        assert [t.at_ms for t in told] == sorted(t.at_ms for t in told)
        assert all(t.by for t in told)


TestDesk = Desk.TestCase
TestDesk.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def test_an_act_counts_from_when_it_was_said_within_what_can_be():
    now = T0 + 13 * HOUR
    assert counted_ms(now - HOUR, T0, now) == now - HOUR
    assert counted_ms(T0 + 2 * HOUR, T0 + 3 * HOUR, now) == T0 + 3 * HOUR  # nobody saw it before the desk did
    assert counted_ms(now + HOUR, T0, now) == now
    assert counted_ms(T0 + HOUR - 1, T0, now) == now


def test_of_two_acknowledgements_the_one_said_first_counts_and_none_from_before_a_reset():
    by_desk, by_phone = act("acknowledge", at_ms=T0 + 9), act("acknowledge", at_ms=T0 + 5, by="李强")
    assert refused(by_phone, before=[by_desk]) == ""
    assert state_of(ALERT, [by_desk, by_phone], T0 + 10).acknowledged == by_phone
    anew, late = replace(SOS, count=2), act("acknowledge", SOS, at_ms=T0 + 5)
    assert "reset since" in refused(late, anew, [act("reset", SOS, at_ms=T0 + 6)])
