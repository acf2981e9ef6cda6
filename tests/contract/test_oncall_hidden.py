"""What is shelved, suppressed, out of service or under a parent rings nobody; when that ends, it rings."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from operations.alerts.actions import Target
from operations.oncall.load import parse_oncall
from operations.oncall.store import Store
from schemas.errors import Refused
from tests.contract.oncall_fakes import COMMUNITY, HOUR, T0, Desk, action, alert, oncall, opened

MIN = 60_000
PARENT = alert(
    900, rule="storm.silent", cause="device.silent", children=3, level="street", place="370202001", device="",
    title="片区断联 outage",
)  # fmt: skip


@pytest.fixture
def store(desk_url: str) -> Iterator[Store]:
    with opened(desk_url) as made:
        yield made


@pytest.fixture
def desk(store: Store, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(store, oncall(), monkeypatch)


def test_a_shelved_alert_does_not_escalate_and_rings_again_when_the_time_is_up(desk: Desk) -> None:
    desk.take(alert())
    assert len(desk.look()) == 1
    desk.act("shelve", alert(), until_ms=desk.now_ms + HOUR)
    assert desk.look(HOUR - 1) == []
    assert desk.look(1) == [("王芳", "【高】设备失联 silent 370202001001001")]
    assert desk.keys() == [f"{alert().id}/0/王芳", f"{alert().id}/0/王芳/2"]
    desk.restart()
    assert desk.look(10 * MIN) == []


def test_escalation_begins_anew_when_a_shelving_ends(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [{"people": ["王芳"]}, {"people": ["李强"], "after_s": 60}]
    people = {name: ["json://127.0.0.1:9/never"] for name in ("王芳", "李强")}
    told = parse_oncall({"people": people, "routes": [{"name": "all", "steps": steps}]})
    desk = Desk(store, told, monkeypatch)
    desk.take(alert())
    desk.look()
    desk.act("shelve", alert(), until_ms=desk.now_ms + HOUR)
    assert desk.look() == []
    assert [person for person, _ in desk.look(HOUR)] == ["王芳"]
    assert desk.look(MIN - 1) == []
    assert [person for person, _ in desk.look(1)] == ["李强"]


def test_shelving_is_of_the_alarm_so_its_next_occurrence_rings_nobody_either(desk: Desk) -> None:
    desk.take(alert())
    desk.look()
    desk.act("shelve", alert(), until_ms=T0 + HOUR)
    desk.take(alert(5, place=alert().place, device="d0"), alert(7))
    assert [head for _, head in desk.look(MIN)] == [f"【高】设备失联 silent {alert(7).place}"]


def test_unshelving_rings_at_once_and_an_acknowledged_alert_stays_quiet(desk: Desk) -> None:
    desk.take(alert(0), alert(1))
    desk.look()
    for number in (0, 1):
        desk.act("shelve", alert(number), until_ms=T0 + HOUR)
    desk.look(MIN)
    desk.store.acknowledge(alert(1).id, "李强", "", desk.now_ms)
    for number in (0, 1):
        desk.act("unshelve", alert(number))
    desk.look(1)
    assert desk.keys()[2:] == [f"{alert(0).id}/0/王芳/2"]


def test_a_one_shot_shelving_ends_with_the_alert_and_the_next_occurrence_rings(desk: Desk) -> None:
    desk.take(alert())
    desk.look()
    desk.act("shelve_once", alert(), until_ms=T0 + HOUR)
    desk.look(1)
    desk.take(alert(revision=1, active=False, cleared_ms=T0 + MIN))
    assert desk.look(MIN) == []
    desk.take(alert(revision=2, count=2))
    assert len(desk.look(MIN)) == 1


def test_what_was_planned_and_not_yet_sent_is_withdrawn_when_it_is_shelved(desk: Desk) -> None:
    desk.fails = True
    desk.take(alert())
    desk.look()
    desk.act("shelve", alert(), until_ms=T0 + HOUR, why="误报 nuisance")
    desk.fails = False
    assert desk.look(MIN) == []
    (row,) = desk.store.history(alert().id)
    assert row["state"] == "withdrawn"
    assert "王芳: 误报 nuisance" in str(row["problem"])
    assert desk.store.annunciated(0) == [], "what was withdrawn is no load"
    assert len(desk.look(HOUR)) == 1


def test_a_device_out_of_service_and_a_rule_that_is_suppressed_ring_nobody(desk: Desk) -> None:
    desk.act("out_of_service", Target(device="d0"), why="工单 8841 ticket")
    desk.act("suppress", Target(rule="device.", place="370202002"), why="停电演习 power drill")
    desk.take(alert(0), alert(1, place="370202002001001"), alert(2))
    assert len(desk.look()) == 1
    desk.act("in_service", Target(device="d0"))
    assert len(desk.look(1)) == 1
    desk.act("unsuppress", Target(rule="device.", place="370202002"))
    assert len(desk.look(1)) == 1


def test_two_hundred_children_of_a_parent_ring_once_and_the_rest_ring_when_it_is_over(desk: Desk) -> None:
    """F16: at most three notifications of an outage."""
    desk.take(PARENT, *(alert(n) for n in range(200)))
    assert [head for _, head in desk.look()] == ["【高】片区断联 outage 370202001"]
    back = [alert(n, revision=1, active=False, cleared_ms=T0 + MIN) for n in range(198)]
    desk.take(*back, replace(PARENT, active=False, cleared_ms=T0 + MIN, revision=1))
    assert len(desk.look(MIN)) == 2
    assert sorted(desk.keys()[1:]) == [f"{alert(198).id}/0/王芳/2", f"{alert(199).id}/0/王芳/2"]


def test_children_that_rang_before_their_parent_came_do_not_escalate(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(store, oncall(repeat_s=60, repeat_max=5), monkeypatch)
    desk.take(alert(0))
    assert len(desk.look()) == 1
    desk.take(PARENT)
    told = [head for _ in range(7) for _, head in desk.look(MIN)]
    assert [head.rpartition("】")[2] for head in told] == ["片区断联 outage 370202001"] * 6


def test_life_safety_rings_under_a_parent_and_though_its_device_is_out_of_service(desk: Desk) -> None:
    desk.act("out_of_service", Target(device="d0"))
    desk.take(PARENT, alert(0, severity="life_safety"))
    assert len(desk.look()) == 2


def test_a_restart_between_the_end_of_a_shelving_and_its_ring_rings_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.take(alert())
    desk.look()
    desk.act("shelve", alert(), until_ms=T0 + HOUR)
    desk.look(MIN)
    with monkeypatch.context() as dying:
        dying.setattr(desk.store, "plan", lambda *_: (_ for _ in ()).throw(OSError("killed")))
        with pytest.raises(OSError, match="killed"):
            desk.look(HOUR)
    desk.restart()
    assert len(desk.look()) == 1
    desk.restart()
    assert desk.look(MIN) == []


def test_the_same_action_again_changes_nothing_and_what_is_refused_is_not_written(desk: Desk) -> None:
    desk.take(alert())
    said = action("shelve", alert(), T0, key="k1", until_ms=T0 + HOUR)
    first = desk.store.act(said, T0)
    assert desk.store.act(said, T0 + 5) == first
    assert len(desk.store.actions_of(alert())) == 1
    with pytest.raises(Refused, match="already shelved by 王芳"):
        desk.store.act(action("shelve", alert(), T0 + 1, by="李强", until_ms=T0 + HOUR), T0 + 1)
    assert len(desk.store.actions_of(alert())) == 1


def test_a_reset_takes_it_off_the_list_for_good_until_it_begins_anew(desk: Desk) -> None:
    over = alert(revision=1, latched=True, active=False, cleared_ms=T0)
    desk.take(over)
    desk.look()
    desk.store.acknowledge(over.id, "王芳", "", desk.now_ms)
    desk.act("reset", over)
    desk.take(alert(revision=2, latched=True, active=False, cleared_ms=T0, told_ms=T0 + 1))
    assert desk.store.alerts(10**15) == []
    assert desk.look(MIN) == []
    desk.take(alert(revision=3, latched=True, active=True, count=2))
    assert [each.count for each in desk.store.alerts(10**15)] == [2]
    assert desk.store.state(alert(latched=True, count=2), desk.now_ms).acknowledged is None
    assert len(desk.look()) == 1, "it began anew after its reset: nobody saw that"
    assert desk.store.acknowledge(over.id, "李强", "", desk.now_ms)
    desk.take(alert(revision=4, latched=True, active=True, count=3))
    assert desk.look(MIN) == []


def test_an_acknowledgement_is_not_missed_though_what_hides_changes_at_the_same_time(desk: Desk) -> None:
    desk.oncall = oncall(people=1, repeat_s=30, repeat_max=9)
    desk.restart()
    desk.take(alert())
    desk.look()
    desk.store.acknowledge(alert().id, "王芳", "", desk.now_ms + 1_000)
    desk.act("out_of_service", Target(device="other"))
    for _ in range(3):
        assert desk.look(20_000) == []
    assert len(list(desk.store.history(alert().id))) == 1


def test_states_survive_a_restart(desk_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """F7: nothing is rung again, acknowledgements and shelvings are kept."""
    with opened(desk_url) as life:
        desk = Desk(life, oncall(), monkeypatch)
        desk.take(*(alert(n) for n in range(8)))
        desk.look()
        life.acknowledge(alert(1).id, "王芳", "在处理 on it", desk.now_ms)
        desk.act("shelve", alert(2), until_ms=T0 + HOUR)
    with opened(desk_url) as life:
        desk = Desk(life, oncall(), monkeypatch, T0 + MIN)
        desk.take(*(alert(n) for n in range(8)))
        assert desk.look() == []
        assert life.state(alert(1), desk.now_ms).acknowledged.why == "在处理 on it"
        assert life.state(alert(2), desk.now_ms).shelving == "timed"
        assert life.state(alert(2), T0 + HOUR).shelving == "unshelved"


def test_hidings_are_told_to_everyone_with_their_end(desk: Desk) -> None:
    desk.take(alert())
    desk.act("shelve", alert(), until_ms=T0 + HOUR)
    desk.act("out_of_service", Target(rule="device.silent", place=COMMUNITY))
    assert [each.kind for each in desk.store.hidings(T0 + 1)] == ["shelve", "out_of_service"]
    assert [each.kind for each in desk.store.hidings(T0 + HOUR)] == ["out_of_service"]
