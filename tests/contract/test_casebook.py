"""The case desk on a real database: commands, claims at once, deaths between the lines, reminders, lists."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sql
from msgspec.structs import replace

from operations.cases.clocks import DAY_MS, HOUR_MS, MINUTE_MS, Calendar, WorkingTime
from operations.cases.config import CaseConfig, shipped_config
from operations.cases.decide import SYSTEM
from operations.cases.limits import Limit
from operations.cases.model import Actor, Case, Command, Standard
from operations.cases.opening import Report
from operations.cases.refusals import MoveRefused
from operations.store.case_tables import CASE_FLOW, CASES
from operations.store.casebook import CaseBook
from operations.store.cases import CaseSelection
from schemas.alerts import Alert
from schemas.calendar import ZONE
from schemas.errors import SettingsError

CONFIG = shipped_config()
NOW = int(datetime(2026, 11, 16, 9, 0, tzinfo=ZONE).timestamp()) * 1000
GRID = "370202001001001"
COLLECTOR = Actor(name="网格员甲", roles=("collector",), places=(GRID,), terminal="mobile")
RECEIVER = Actor(name="受理员甲", roles=("receiver",))
DISPATCHER = Actor(name="派遣员甲", roles=("dispatcher",))
DEPARTMENT = Actor(name="科长", roles=("department",), department="市政公司")
STANDARD = Standard(
    code="0101",
    category="device",
    name="井盖破损",
    filing="破损",
    closing=("完好",),
    limit=Limit(4, "working_hour"),
)
SMOKE = Alert(
    id="a" * 32, rule="signal.smoke", severity="life_safety", domain="security", level="grid", place=GRID,
    onset_ms=NOW - 5, active=True, title="烟雾报警 smoke", explanation="烟感 7 报警", latched=True,
)  # fmt: skip


def report(key: str = "r1", **changed: object) -> Report:
    made = Report(
        key=key, source="collector", category="device", place=GRID, title="井盖破损", reporter="网格员甲"
    )
    return replace(made, **changed)


def member(number: int) -> Actor:
    return Actor(name=f"党员{number}", roles=("party_member",), places=("370202001001",))


@pytest.fixture
def book(desk_url: str) -> Iterator[CaseBook]:
    made = CaseBook(desk_url, CONFIG)
    made.take_standards([STANDARD], "standards.xlsx", NOW, replace=True)
    yield made
    made.close()


def do(book: CaseBook, case: Case, verb: str, actor: Actor, at_ms: int = NOW, **given: object) -> Case:
    return book.do(case.id, Command(verb=verb, actor=actor, **given), at_ms)


def test_a_case_and_its_flow_log_are_what_was_done(book: CaseBook) -> None:
    opened = book.open(report(), COLLECTOR, NOW)
    assert (opened.how, opened.case.id) == ("opened", "20261116-000001")
    case = do(book, opened.case, "file", RECEIVER, NOW + 1, standard="0101", why="属实")
    assert book.case(case.id) == case
    assert [(e.version, e.verb, e.from_state, e.to_state, e.by) for e in book.flow(case.id)] == [
        (1, "open", "", "reported", "网格员甲"), (2, "file", "reported", "filed", "受理员甲"),
    ]  # fmt: skip
    assert [entry.verb for _, entry in book.flow_since(0)] == ["open", "file"]
    assert book.flow_since(book.flow_since(0)[-1][0]) == []
    with pytest.raises(SettingsError, match="received 'nope'"):
        book.case("nope")


def test_what_is_refused_changes_nothing_and_uses_up_no_number(book: CaseBook) -> None:
    with pytest.raises(MoveRefused):
        book.open(report(category="x"), COLLECTOR, NOW)
    case = book.open(report(), COLLECTOR, NOW).case
    assert case.id.endswith("-000001")
    with pytest.raises(MoveRefused, match="close: received in"):
        do(book, case, "close", RECEIVER)
    assert (book.case(case.id), len(book.flow(case.id))) == (case, 1)


def test_the_same_key_again_changes_nothing_and_answers_the_same(book: CaseBook) -> None:
    first = book.open(report(), COLLECTOR, NOW)
    assert book.open(report(), COLLECTOR, NOW + 9).how == "known"
    filed = do(book, first.case, "file", RECEIVER, standard="0101", key="phone-1")
    assert do(book, first.case, "file", RECEIVER, NOW + 9, standard="0101", key="phone-1") == filed
    other = book.open(report("r2", place="370202001001002"), COLLECTOR, NOW).case
    with pytest.raises(MoveRefused, match="which is of case 20261116-000001"):
        do(book, other, "file", RECEIVER, standard="0101", key="phone-1")


def test_who_looked_at_an_older_version_is_told_to_look_again(book: CaseBook) -> None:
    case = book.open(report(), COLLECTOR, NOW).case
    do(book, case, "comment", COLLECTOR, why="在路上")
    with pytest.raises(MoveRefused, match="received version 1, it is 2: look again"):
        book.do(case.id, Command(verb="file", actor=RECEIVER, standard="0101"), NOW, version=1)
    assert (
        book.do(case.id, Command(verb="file", actor=RECEIVER, standard="0101"), NOW, version=2).version == 3
    )


def test_one_alert_is_one_case_which_cannot_close_while_it_is_active(book: CaseBook) -> None:
    with pytest.raises(SettingsError, match="which 0 alerts begin with"):
        book.open_for_alert(SMOKE.id, RECEIVER, NOW)
    book.take("alerts", [SMOKE], 1, NOW)
    case = book.open_for_alert("aaaa", RECEIVER, NOW).case
    assert (case.alerts, case.evidence[0].reference, case.workflow) == ((SMOKE.id,), SMOKE.id, "street-calls")
    assert book.open_for_alert(SMOKE.id, RECEIVER, NOW).how == "known"
    assert book.case_of_alert(SMOKE.id) == case.id
    street = Actor(name="街道", roles=("street",), places=("370202001",))
    do(book, case, "dispatch", DISPATCHER, department="市政公司")
    do(book, case, "answer", DEPARTMENT, person="老李")
    do(book, case, "hand_back", DEPARTMENT)
    with pytest.raises(MoveRefused, match="a linked alert is still active: 烟雾报警"):
        do(book, case, "confirm", street)
    book.take("alerts", [replace(SMOKE, active=False, cleared_ms=NOW + 1, revision=1)], 2, NOW)
    assert [alert.cleared_ms for alert in book.alerts_of(case)] == [NOW + 1]
    assert book.case(case.id).state == "feedback", "an alert that clears closes nothing"
    assert do(book, case, "confirm", street, outcome="real").state == "closed"


def test_a_call_and_its_sensor_are_one_case_and_each_person_counts(book: CaseBook) -> None:
    book.take("alerts", [SMOKE], 1, NOW)
    fire = report(category="fire", title="着火了", longitude=120.38, latitude=36.06)
    case = book.open(fire, COLLECTOR, NOW).case
    assert book.open_for_alert(SMOKE.id, RECEIVER, NOW + 1).how == "attached"
    resident = Actor(name="居民", roles=("resident",))
    again = book.open(replace(fire, key="r2", source="resident", reporter="居民"), resident, NOW + 2)
    assert (again.how, again.case.id, again.case.citizens, again.case.alerts) == (
        "attached", case.id, 2, (SMOKE.id,),
    )  # fmt: skip
    assert book.count_cases(CaseSelection()) == 1
    assert [entry.verb for entry in book.flow(case.id)] == ["open", "attach", "attach"]
    far = replace(fire, key="r3", latitude=36.07)
    assert book.open(far, COLLECTOR, NOW).how == "opened"


def fires_open_cases() -> CaseConfig:
    fire = replace(CONFIG.categories["fire"], auto=True)
    return CONFIG.__class__(**{**_fields(CONFIG), "categories": {**CONFIG.categories, "fire": fire}})


def test_a_storm_becomes_what_it_would_one_by_one_and_takes_turns(desk_url: str) -> None:
    made = CaseBook(desk_url, fires_open_cases())
    before = made.open(report("call", category="fire", place=f"{GRID[:12]}100"), COLLECTOR, NOW).case
    storm = [replace(SMOKE, id=f"{n:032x}", place=f"{GRID[:12]}{n % 120:03}") for n in range(1, 601)]
    made.take("alerts", storm, 1, NOW)
    commits: list[object] = []
    sql.event.listen(made._engine, "commit", commits.append)
    opened = made.open_by_rule(storm, SYSTEM, NOW + 1)
    assert len(commits) == 3, "fifty of a hundred and twenty incidents in each"
    assert [each.how for each in opened[:120]] == [*["opened"] * 99, "attached", *["opened"] * 20]
    assert {each.how for each in opened[120:]} == {"attached"}
    for number in (0, 99):
        one = made.case(opened[number].case.id)
        assert one == opened[number].case
        assert one.alerts == tuple(alert.id for alert in storm[number::120])
        entries = made.flow(one.id)
        assert [entry.verb for entry in entries] == ["open", *["attach"] * (len(entries) - 1)]
        assert [entry.version for entry in entries] == [*range(1, len(entries) + 1)]
        assert [e.given["alert"] for e in entries if e.given.get("alert")] == list(one.alerts)
    assert opened[99].case.id == before.id
    assert made.case_of_alert(storm[-1].id) == opened[-1].case.id
    assert made.count_cases(CaseSelection()) == 120
    made.close()


def test_alerts_of_a_category_that_opens_by_itself_become_one_case_each_incident(desk_url: str) -> None:
    made = CaseBook(desk_url, fires_open_cases())
    alerts = [replace(SMOKE, id=f"{n:032x}", place=f"37020200100100{n % 2}") for n in range(6)]
    over = replace(SMOKE, active=False)
    alerts += [replace(over, id="b" * 32, latched=False), replace(SMOKE, id="c" * 32, parent="x")]
    alerts += [replace(SMOKE, id="d" * 32, rule="parking-full")]
    made.take("alerts", alerts, 1, NOW)
    assert [o.how for o in made.open_by_rule(alerts, SYSTEM, NOW)] == ["opened"] * 2 + ["attached"] * 4
    assert [o.how for o in made.open_by_rule(alerts, SYSTEM, NOW)] == ["known"] * 6
    made.close()


def test_a_fire_that_went_out_while_no_desk_ran_has_its_case_until_it_is_reset(desk_url: str) -> None:
    made = CaseBook(desk_url, fires_open_cases())
    over = replace(SMOKE, active=False)
    made.take("alerts", [over, replace(over, id="b" * 32, latched=False)], 1, NOW)
    waiting = made.without_case(-1)
    assert [alert.id for alert in waiting] == [over.id]
    assert [opened.how for opened in made.open_by_rule(waiting, SYSTEM, NOW)] == ["opened"]
    assert made.without_case(-1) == []
    made.close()


def _fields(config: object) -> dict[str, object]:
    return {name: getattr(config, name) for name in config.__slots__}  # type: ignore[attr-defined]


def claimed(book: CaseBook) -> Case:
    return book.open(report("call", workflow="grid-calls"), COLLECTOR, NOW).case


def test_a_hundred_members_claim_at_once_and_exactly_one_wins(book: CaseBook) -> None:
    case = claimed(book)

    def claim(number: int) -> str:
        try:
            return do(book, case, "claim", member(number), NOW + number).person
        except MoveRefused as refusal:
            return str(refusal)

    with ThreadPoolExecutor(20) as members:
        said = list(members.map(claim, range(100)))
    winners = [words for words in said if words.startswith("党员") and len(words) < 6]
    assert len(winners) == 1
    assert (
        sum(
            "处置中 handling, possible in to_handle" in words or "claim: received in" in words
            for words in said
        )
        == 99
    )
    assert book.case(case.id).person == winners[0]
    assert [entry.verb for entry in book.flow(case.id)] == ["open", "claim"]


CLAIM = """
import sys
from operations.cases.config import CaseConfig, shipped_config
from operations.cases.model import Actor, Command
from operations.cases.refusals import MoveRefused
from operations.store.casebook import CaseBook

url, case_id, first, at_ms = sys.argv[1:]
book = CaseBook(url, shipped_config())
sys.stdin.readline()  # all begin together
for number in range(int(first), int(first) + 25):
    actor = Actor(name=f"党员{number}", roles=("party_member",), places=("370202001001",))
    try:
        book.do(case_id, Command(verb="claim", actor=actor), int(at_ms))
        print("won", actor.name)
    except MoveRefused:
        print("lost")
book.close()
"""


def test_of_a_hundred_in_four_processes_too(book: CaseBook, desk_url: str) -> None:
    case = claimed(book)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, desk_url, case.id, str(25 * n), str(NOW)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for n in range(4)
    ]  # fmt: skip
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [line for process in processes for line in process.communicate(timeout=120)[0].splitlines()]
    assert (said.count("lost"), len(said)) == (99, 100)
    (winner,) = (line.removeprefix("won ") for line in said if line != "lost")
    assert book.case(case.id).person == winner


def everything(book: CaseBook) -> list[object]:
    with book._engine.connect() as connection:
        return [connection.execute(sql.select(table)).all() for table in (CASES, CASE_FLOW)]


def test_a_death_between_any_two_statements_leaves_all_or_nothing(
    book: CaseBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = book.open(report(), COLLECTOR, NOW).case
    acts: list[Callable[[], object]] = [
        lambda: book.open(report("r2", place="370202001001002"), COLLECTOR, NOW),
        lambda: book.open(report("r3"), COLLECTOR, NOW),
        lambda: do(book, case, "file", RECEIVER, standard="0101"),
        lambda: book.tick(NOW + DAY_MS),
    ]
    execute, begun = sql.Connection.execute, {"left": 0}

    def dying(connection: sql.Connection, *args: object, **named: object) -> object:
        if begun["left"] == 0:
            raise KeyboardInterrupt
        begun["left"] -= 1
        return execute(connection, *args, **named)

    for act in acts:
        before, survived = everything(book), 0
        for survived in range(30):
            begun["left"] = survived
            with monkeypatch.context() as patched:
                patched.setattr(sql.Connection, "execute", dying)
                try:
                    act()
                except KeyboardInterrupt:
                    pass
                else:
                    break
            assert everything(book) == before
        assert survived >= 4, "it died at least at four places"
        assert everything(book) != before


KILLED = """
import os, signal, sys
import sqlalchemy as sql
from operations.cases.config import CaseConfig, shipped_config
from operations.cases.model import Actor, Command
from operations.store.casebook import CaseBook

url, case_id, at_ms, lives = sys.argv[1:]
book = CaseBook(url, shipped_config())
if lives == "dies":
    sql.event.listen(book._engine, "commit", lambda _: os.kill(os.getpid(), signal.SIGKILL))
actor = Actor(name="受理员甲", roles=("receiver",))
book.do(case_id, Command(verb="file", actor=actor, standard="0101", key="k"), int(at_ms))
"""


def test_a_process_killed_before_its_commit_leaves_nothing_and_its_repeat_does_it_once(
    book: CaseBook, desk_url: str
) -> None:
    case = book.open(report(), COLLECTOR, NOW).case
    for lives in ("dies", "dies", "lives", "lives"):
        done = subprocess.run(
            [sys.executable, "-c", KILLED, desk_url, case.id, str(NOW), lives],
            check=False,
            capture_output=True,
        )
        assert done.returncode == (-signal.SIGKILL if lives == "dies" else 0), done.stderr.decode()
        assert book.case(case.id).state == ("reported" if lives == "dies" else "filed")
    assert [entry.verb for entry in book.flow(case.id)] == ["open", "file"]


@pytest.mark.parametrize("change", ["UPDATE case_flow SET by = 'nobody'", "DELETE FROM case_flow"])
def test_the_flow_log_cannot_be_changed(book: CaseBook, change: str) -> None:
    book.open(report(), COLLECTOR, NOW)
    statement = change.replace(" by ", ' "by" ')
    with pytest.raises(sql.exc.DBAPIError, match="append-only"), book._engine.begin() as connection:
        connection.execute(sql.text(statement))


def test_the_system_warns_tells_and_escalates_once(book: CaseBook, desk_url: str) -> None:
    case = claimed(book)
    assert book.tick(NOW + 3 * MINUTE_MS) == []
    (warned,) = book.tick(NOW + 4 * MINUTE_MS)
    assert warned.verbs == ("warn",)
    assert book.tick(NOW + 5 * MINUTE_MS) == [], "the deadline itself is in time"
    again = CaseBook(desk_url, CONFIG)  # a new process
    (told,) = again.tick(NOW + 6 * MINUTE_MS)
    assert told.verbs == ("overdue", "widen")
    assert told.case.reach == "street"
    again.close()
    assert book.tick(NOW + 6 * MINUTE_MS) == []
    verbs = [entry.verb for entry in book.flow(case.id)]
    for minute in range(7, 60):
        book.tick(NOW + minute * MINUTE_MS)
    verbs = [entry.verb for entry in book.flow(case.id)]
    assert verbs == ["open", "warn", "overdue", "widen", "warn", "overdue", "widen", "warn", "overdue"]
    overdue = book.flow(case.id)[2]
    assert (overdue.by, overdue.given["clock"], overdue.given["limit"]) == (
        "system",
        "claim",
        "5 紧急工作分钟",
    )


def test_what_is_parked_comes_back_by_itself(book: CaseBook) -> None:
    case = book.open(report(), COLLECTOR, NOW).case
    do(book, case, "file", RECEIVER, standard="0101")
    do(book, case, "send_to_dispatch", RECEIVER)
    do(book, case, "dispatch", DISPATCHER, department="市政公司")
    until_ms = NOW + 5 * DAY_MS
    do(book, case, "suspend", DISPATCHER, NOW + HOUR_MS, why="等配件", until_ms=until_ms)
    (line,) = book.lines(CaseSelection())
    assert (line.state, line.clock, line.due_ms) == ("suspended", "", 0)
    assert book.tick(until_ms - 1) == []
    (back,) = book.tick(until_ms)
    assert (back.verbs, back.case.state) == (("resume",), "to_handle")
    (line,) = book.lines(CaseSelection())
    assert (line.clock, line.due_ms) == ("handling", until_ms + 50 * HOUR_MS), "three hours of Monday"


def test_deadlines_move_when_a_calendar_is_published_and_say_so(desk_url: str) -> None:
    new_year = {date(2027, 1, 1), date(2027, 1, 2), date(2027, 1, 3)}

    def config(published: bool) -> object:
        def works(day: date) -> bool:
            return day.weekday() < 5 and not (published and day in new_year)

        calendar = Calendar(works, lambda day: published or day.year < 2027)
        return CONFIG.__class__(**{**_fields(CONFIG), "time": WorkingTime(calendar=calendar)})

    start_ms = int(datetime(2026, 12, 31, 16, 0, tzinfo=ZONE).timestamp()) * 1000
    book = CaseBook(desk_url, config(published=False))  # type: ignore[arg-type]
    case = book.open(report("order", category="order", source="resident"), COLLECTOR, start_ms).case
    (line,) = book.lines(CaseSelection())
    assert (line.provisional, line.due_ms) == (True, start_ms + 18 * HOUR_MS)
    assert book.recompute(start_ms) == []
    book.close()
    book = CaseBook(desk_url, config(published=True))  # type: ignore[arg-type]
    (moved,) = book.recompute(start_ms + 1)
    (line,) = book.lines(CaseSelection())
    assert (moved.verbs, line.provisional, line.due_ms) == (("recompute",), False, start_ms + 90 * HOUR_MS)
    assert book.flow(case.id)[-1].given["before"].startswith("2027-01-01T10:00")
    assert book.recompute(start_ms + 2) == []
    book.close()


def test_lists_are_by_due_first_and_select_by_what_is_asked(book: CaseBook) -> None:
    ids = {}
    for number, place in enumerate(("370202001001001", "370202001002001", "370202002001001")):
        workflow = ("city-management", "grid-calls", "street-calls")[number]
        ids[workflow] = book.open(
            report(f"r{number}", place=place, workflow=workflow), COLLECTOR, NOW + number
        ).case
    do(book, ids["city-management"], "reject", RECEIVER, why="重复")
    found = book.lines(CaseSelection())
    assert [line.workflow for line in found] == ["grid-calls", "street-calls"]
    assert [line.workflow for line in book.lines(CaseSelection(open=None))][-1] == "city-management"
    assert [line.id for line in book.lines(CaseSelection(), limit=1, offset=1)] == [found[1].id]

    def count(**wanted: object) -> int:
        return book.count_cases(CaseSelection(**{"open": None, **wanted}))

    assert [count(place="370202001"), count(place="370202"), count(open=False)] == [2, 3, 1]
    assert count(workflow="grid-calls") == 1
    assert [count(states=("to_handle", "rejected")), count(holder="受理员甲"), count(text="井盖")] == [
        2,
        1,
        3,
    ]
    assert [count(due_before_ms=NOW + 6 * MINUTE_MS), count(category="fire"), count(department="x")] == [
        1,
        0,
        0,
    ]
    assert count(changed_since_ms=NOW + 1) == 2
    assert book.find_cases("20261116-00000") == [f"20261116-00000{n}" for n in (1, 2, 3)]


def test_standards_are_replaced_as_a_whole_and_filed_cases_keep_theirs(book: CaseBook) -> None:
    case = book.open(report(), COLLECTOR, NOW).case
    do(book, case, "file", RECEIVER, standard="0101")
    other = replace(STANDARD, code="0102", category="fire")
    assert book.take_standards([other], "b.xlsx", NOW, replace=False) == 2
    assert [each.code for each in book.standards("fire")] == ["0102"]
    assert book.take_standards([other], "b.xlsx", NOW, replace=True) == 1
    filed = book.case(case.id).standard
    assert filed is not None
    assert filed.code == "0101"


def test_a_case_of_a_workflow_that_is_gone_says_so(book: CaseBook, desk_url: str, tmp_path: Path) -> None:
    case = claimed(book)
    workflows = {name: each for name, each in CONFIG.workflows.items() if name != "grid-calls"}
    other = CaseBook(desk_url, CONFIG.__class__(**{**_fields(CONFIG), "workflows": workflows}))
    with pytest.raises(
        SettingsError, match="workflow 'grid-calls' is not known any more, allowed: city-management"
    ):
        other.do(case.id, Command(verb="claim", actor=member(1)), NOW)
    other.close()
