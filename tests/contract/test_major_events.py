"""Major events in the database and on call: set up, switched, reported to, routed; SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from operations.major_event.load import load_major_event
from operations.major_event.model import MajorEvent, Report, Switched
from operations.oncall.load import parse_oncall
from operations.oncall.store import Store
from operations.people.audit import Said, first_broken
from operations.people.roles import Person
from schemas.errors import Refused, SettingsError
from tests.contract.oncall_fakes import COMMUNITY, HOUR, Desk, alert, opened

MIN = 60_000
WANG = Person(id="wang", name="王芳", roles=("grid_worker",), places=("370202",))
FILE = parse_oncall(
    {
        "people": {name: ["json://127.0.0.1:9/never"] for name in ("王芳", "李强", "赵敏")},
        "routes": [{"name": "usual", "severity": "high", "steps": [{"people": ["李强"]}]}],
    }
)
TEXT = f"""
id = "drill"
name = "演练"
places = ["{COMMUNITY}"]
from = 2026-11-23T07:00:00Z
until = 2026-11-24T07:00:00Z
holds = ["rule.noise"]
repeat_max = 0
raises = [{{ rule = "device", severity = "life_safety" }}]
units = [
  {{ code = "hq", kind = "headquarters", name = "指挥部" }},
  {{ code = "east", kind = "theatre", name = "东战区", parent = "hq", places = ["{COMMUNITY}"] }},
]
duty = [
  {{ unit = "hq", people = ["赵敏"], from = 2026-11-23T07:00:00Z, until = 2026-11-24T07:00:00Z }},
  {{ unit = "east", people = ["王芳"], from = 2026-11-23T07:00:00Z, until = 2026-11-24T07:00:00Z }},
]
"""


@pytest.fixture
def store(desk_url: str) -> Iterator[Store]:
    with opened(desk_url) as made:
        yield made


def drill(name: str = "drill") -> MajorEvent:
    return load_major_event(TEXT.replace('"drill"', f'"{name}"'))


FROM = drill().from_ms


def said(what: str, at_ms: int) -> Said:
    return Said(at_ms=at_ms, who="zhao", terminal="desk", what=f"major.{what}", of="drill")


def switched_on(store: Store, at_ms: int = FROM) -> Switched:
    store.add_event(drill(), said("add", FROM - HOUR))
    return store.switch_on("drill", "赵敏", "演练开始", said("on", at_ms))


def report(identity: str, at_ms: int, due_ms: int = 0) -> Report:
    return Report(
        id=identity, event="drill", unit="east", due_ms=due_ms, at_ms=at_ms, by="wang", by_name="王芳",
        kind="zero", text="", incidents=0,
    )  # fmt: skip


def test_what_was_set_up_changes_until_it_is_switched_on_and_each_step_is_in_the_record(store: Store) -> None:
    store.add_event(drill(), said("add", FROM - HOUR))
    store.add_event(drill(), said("add", FROM - HOUR))
    on = store.switch_on("drill", "赵敏", "演练开始", said("on", FROM))
    assert (on.event, on.in_effect(FROM), on.why) == (drill(), True, "演练开始")
    with pytest.raises(Refused, match="was switched on by 赵敏"):
        store.add_event(drill(), said("add", FROM))
    off = store.switch_off("drill", "赵敏", said("off", FROM + HOUR))
    assert (off.end_ms, off.in_effect(FROM + HOUR)) == (FROM + HOUR, False)
    assert store.switched_on(FROM) == (off,)
    assert store.switched_on(FROM + HOUR) == ()
    with pytest.raises(SettingsError, match="received 'x', which the desk does not know"):
        store.event("x")
    assert [e.said.what.partition(".")[2] for e in store.entries()] == ["add", "add", "on", "off"]
    assert first_broken(store.entries()) == ""


def test_of_two_who_switch_on_at_once_one_does(desk_url: str, store: Store) -> None:
    store.add_event(drill(), said("add", FROM - HOUR))

    def switch(name: str) -> str:
        with opened(desk_url) as own:
            try:
                return own.switch_on("drill", name, "", said("on", FROM)).on_by
            except Refused as error:
                return str(error)

    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(switch, ("赵敏", "李强")))
    assert store.event("drill").on_by in answers
    assert sum("already switched on by" in answer for answer in answers) == 1


def test_a_report_counts_once_for_the_one_that_is_due(store: Store) -> None:
    switched_on(store)
    for _ in range(2):
        kept = store.report(report("r1", FROM + HOUR + MIN), WANG, said("report", FROM), command=False)
    assert kept.due_ms == FROM + HOUR
    store.report(report("r2", FROM + HOUR + 2 * MIN), WANG, said("report", FROM), command=False)
    assert [each.due_ms for each in store.reports("drill")] == [FROM + HOUR, FROM + 2 * HOUR]
    other = Person(id="qian", name="钱七", roles=("grid_worker",), places=("370202",))
    with pytest.raises(Refused, match="received 钱七, allowed: 王芳"):
        store.report(report("r3", FROM + HOUR), other, said("report", FROM), command=False)


def test_the_roster_of_the_event_is_told_by_its_severity_and_what_does_not_count_waits_for_its_end(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(store, FILE, monkeypatch, FROM)
    switched_on(store)
    desk.take(alert(1, onset_ms=FROM, severity="medium"), alert(2, onset_ms=FROM, rule="rule.noise"))
    assert desk.look() == [("王芳", "【生命安全】设备失联 silent 370202001001002")]
    assert desk.look(5 * MIN) == [("赵敏", "【升级】【生命安全】设备失联 silent 370202001001002")]
    store.switch_off("drill", "赵敏", said("off", desk.now_ms + 1))
    assert desk.look(1) == [("李强", "【高】设备失联 silent 370202001001003")]


def test_a_missing_report_is_told_to_who_is_on_duty_and_above_and_once_each_time(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(store, FILE, monkeypatch, FROM)
    switched_on(store)
    assert desk.look(70 * MIN) == []
    assert [person for person, _ in desk.look(1)] == ["王芳"]
    desk.restart()
    assert desk.look(MIN) == []
    assert sorted(person for person, _ in desk.look(4 * MIN)) == ["王芳", "赵敏"]
    late = report("r1", desk.now_ms, FROM + HOUR)
    store.report(late, WANG, said("report", desk.now_ms), command=False)
    assert desk.look(5 * MIN) == []
