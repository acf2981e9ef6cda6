"""The judge against planted ledgers: each word is said when it is true and not otherwise."""

import sqlite3

import pytest

from tests.faults.judge import ALLOWED, ENDS, WORDS, Counted, Ends, Obligation, Seen, bound, judge
from tests.faults.load import Load, obligations
from tests.faults.nemesis import Act, pairs, script
from tests.faults.oracle import Oracle

LATENESS_MS = 600_000
WINDOW = ("security", "g", 0)


def obligation(number, **changed):
    given = {
        "id": f"m{number}",
        "number": number,
        "key": "door",
        "content": "x",
        "window": WINDOW,
        "amount": 2.0,
    }
    return Obligation(**(given | changed))


ISSUED = [obligation(0), obligation(1), obligation(2, alarm=True, amount=0.0)]
WHOLE = Ends(
    readings=[Seen("m0", "x"), Seen("m1", "x"), Seen("m2", "x")],
    windows={WINDOW: Counted(3, 4.0)},
    alerts=[Seen("m2", "x")],
    cases=[Seen("m2", "x")],
)


def ends(**changed):
    given = {name: getattr(WHOLE, name) for name in ("readings", "windows", "alerts", "cases")}
    return Ends(**(given | changed))


def said(issued, found):
    verdict = judge(issued, found, LATENESS_MS)
    return {(end, word): count for end, counts in verdict.counts.items() for word, count in counts.items()}


def test_a_whole_ledger_has_nothing_said_of_it():
    assert said(ISSUED, WHOLE) == {}
    assert judge(ISSUED, WHOLE, LATENESS_MS).broken == {}


PLANTED = {
    "lost on the log": (ends(readings=WHOLE.readings[1:]), {("readings", "lost"): 1}),
    "lost in the store": (ends(windows={WINDOW: Counted(1, 2.0)}), {("windows", "lost"): 2}),
    "a window lost": (ends(windows={}), {("windows", "lost"): 3}),
    "no alert": (ends(alerts=(), cases=()), {("alerts", "lost"): 1, ("cases", "lost"): 1}),
    "no case": (ends(cases=()), {("cases", "lost"): 1}),
    "counted twice": (ends(windows={WINDOW: Counted(4, 6.0)}), {("windows", "duplicated_effect"): 1}),
    "two alerts": (ends(alerts=WHOLE.alerts * 2), {("alerts", "duplicated_effect"): 1}),
    "three cases": (ends(cases=WHOLE.cases * 3), {("cases", "duplicated_effect"): 2}),
    "delivered again": (
        ends(readings=[*WHOLE.readings, *WHOLE.readings[:2]]),
        {("readings", "duplicated_delivery"): 2},
    ),
    "a foreign record": (ends(readings=[*WHOLE.readings, Seen("m9", "x")]), {("readings", "spurious"): 1}),
    "a foreign window": (
        ends(windows={**WHOLE.windows, ("care", "g", 0): Counted(1, 1.0)}),
        {("windows", "spurious"): 1},
    ),
    "a foreign alert": (ends(alerts=[*WHOLE.alerts, Seen("m0", "x")]), {("alerts", "spurious"): 1}),
    "another value": (
        ends(readings=[*WHOLE.readings[:2], Seen("m2", "y")]),
        {("readings", "corrupted"): 1},
    ),
    "another sum": (ends(windows={WINDOW: Counted(3, 5.0)}), {("windows", "corrupted"): 1}),
    "an alert of another place": (ends(alerts=[Seen("m2", "y")]), {("alerts", "corrupted"): 1}),
    "more waiting than may": (ends(waiting={"connect-mqtt": (7, 5)}), {("senders", "over_bound"): 2}),
    "in another order": (
        ends(readings=[WHOLE.readings[1], WHOLE.readings[0], WHOLE.readings[2]]),
        {("readings", "reordered_per_key"): 1},
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found_and_nothing_else(name):
    found, expected = PLANTED[name]
    assert said(ISSUED, found) == expected
    words = {word for _, word in expected}
    assert set(judge(ISSUED, found, LATENESS_MS).broken) == words - ALLOWED


def test_what_is_not_acknowledged_is_stuck_and_may_be_there_or_not():
    open_ = [obligation(0), obligation(1, acked=False)]
    there = Ends(readings=[Seen("m0", "x"), Seen("m1", "x")], windows={WINDOW: Counted(2, 4.0)})
    away = Ends(readings=[Seen("m0", "x")], windows={WINDOW: Counted(1, 2.0)})
    assert said(open_, there) == said(open_, away) == {("senders", "stuck"): 1}


def test_one_delivered_again_after_a_later_one_is_no_other_order():
    again = ends(readings=[*WHOLE.readings, WHOLE.readings[0]])
    assert said(ISSUED, again) == {("readings", "duplicated_delivery"): 1}


def test_order_is_of_one_device_only():
    two = [obligation(0), obligation(1, key="other")]
    found = Ends(readings=[Seen("m1", "x"), Seen("m0", "x")], windows={WINDOW: Counted(2, 4.0)})
    assert said(two, found) == {}


def test_what_is_too_late_is_among_the_late_ones_or_unaccounted_for():
    late = [obligation(0), obligation(1, observed_ms=0)]
    readings = [Seen("m0", "x", 0), Seen("m1", "x", LATENESS_MS + 1)]
    counted = {WINDOW: Counted(1, 2.0)}
    assert said(late, Ends(readings=readings, windows=counted, accounted={"m1"})) == {}
    assert said(late, Ends(readings=readings, windows=counted)) == {("windows", "late_unaccounted"): 1}
    in_time = [Seen("m0", "x", 0), Seen("m1", "x", LATENESS_MS)]
    assert said(late, Ends(readings=in_time, windows=counted)) == {("windows", "lost"): 1}


def test_every_word_is_always_printed_for_every_end():
    table = judge(ISSUED, ends(cases=()), LATENESS_MS).table()
    assert [line.split()[0] for line in table.splitlines()[1:10]] == list(WORDS)
    assert table.splitlines()[0].split() == list(ENDS)
    assert "cases lost: m2" in table


def test_the_bound_is_the_rule_of_three():
    assert bound(30) == "no failure in 30 bounds the rate at 0.1 (95 %)"
    assert "0.6" in bound(5)


def test_a_message_follows_from_seed_and_number_alone():
    load = Load(seed=7, start_ms=1_795_824_000_000, rate_per_s=120, alarm_every=600)
    assert load.message(4_711) == load.message(4_711)
    assert load.message(4_711).body == load.message(4_711).body
    values = [load.message(number).value for number in range(2_000)]
    assert values != [Load(8, load.start_ms, 120, 600).message(number).value for number in range(2_000)]
    assert load.message(300).alarm
    ids = {load.message(number).id for number in range(20_000)}
    assert len(ids) == 20_000, "two messages are one"


def test_a_script_follows_from_its_seed_and_takes_every_part_before_one_comes_twice():
    parts, other = ("a", "b", "c", "d"), Act("down", "store", 3, 10)
    acts = script(7, 8, parts, [other])
    assert acts == script(7, 8, parts, [other]) != script(8, 8, parts, [other])
    kills = [act.part for act in acts if act.kind == "kill"]
    assert sorted(kills[:4]) == sorted(kills[4:]) == sorted(parts)
    assert [index for index, act in enumerate(acts) if act == other] == [3, 7]


@pytest.fixture
def oracle(tmp_path):
    made = Oracle(tmp_path / "ledger.db")
    yield made
    made.close()


def test_what_the_oracle_was_told_is_committed_and_an_obligation_binds_once_acknowledged(oracle):
    load = Load(seed=7, start_ms=1_795_824_000_000, rate_per_s=120, alarm_every=600)
    messages = [load.message(number) for number in (1, 300)]
    oracle.write("issued", [message.row() for message in messages])
    assert [each.acked for each in obligations(oracle)] == [False, False]
    oracle.acked(messages[1].id)
    oracle.settled()
    plain, alarm = obligations(oracle)
    assert (plain.acked, plain.alarm, alarm.acked, alarm.alarm) == (False, False, True, True)
    assert (plain.id, plain.content, plain.number) == (messages[0].id, messages[0].content, 1)
    assert plain.window == ("parking", messages[0].grid, load.start_ms)
    assert oracle.rows("PRAGMA journal_mode") == [("wal",)]


def test_what_is_committed_survives_the_oracle_itself(oracle):
    oracle.write("acts", [("kill", "kafka", 1, 2)])
    oracle._process.kill()
    oracle._process.wait()
    left = sqlite3.connect(oracle.path)
    assert left.execute("SELECT * FROM acts").fetchall() == [("kill", "kafka", 1, 2)]
    left.close()


def test_double_kills_are_every_ordered_pair_once_the_second_at_once():
    acts = pairs(7, ("a", "b", "c"))
    assert sorted((a.part, b.part) for a, b in zip(acts[::2], acts[1::2], strict=True)) == sorted(
        (a, b) for a in "abc" for b in "abc" if a != b
    )
    assert all(0 <= act.after_s <= 2 for act in acts[1::2])
    assert acts == pairs(7, ("a", "b", "c")) != pairs(8, ("a", "b", "c"))
    assert len(pairs(7, ("a", "b", "c"), 2)) == 4
