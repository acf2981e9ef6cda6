"""Evaluation against a month counted by hand: rates, denominators, cuts, exemption, comparison, export."""

import csv
import io
from datetime import date, datetime

import pytest
from msgspec.structs import replace

from operations.cases.clocks import HOUR_MS
from operations.cases.config import load_config, shipped_config
from operations.cases.evaluate import CUTS, compare, definition, evaluate, scores, to_csv
from operations.cases.limits import Limit
from operations.cases.measured import measured
from operations.cases.measures import MEASURES, SETS
from operations.cases.model import Appeal, Case
from operations.cases.periods import parse_period
from operations.cases.runs import Pause, Run
from schemas.calendar import ZONE
from schemas.errors import SettingsError

CONFIG = shipped_config()
NOVEMBER = parse_period("2026-11")
LATER = int(datetime(2027, 6, 1, tzinfo=ZONE).timestamp()) * 1000


def at(day: int, hour: int = 9, month: int = 11, year: int = 2026) -> int:
    return int(datetime(year, month, day, hour, tzinfo=ZONE).timestamp()) * 1000


def run(clock, start, stop=0, **more):
    return Run(clock=clock, limit=Limit(2, "urgent_hour"), started_ms=start, stopped_ms=stop, **more)


def case(name, *runs, closed=0, **more):
    made = Case(
        id=name, key=name, workflow="city-management", state="closed" if closed else "handling", version=1,
        title=name, category="device", place="370202001001001", source="collector", reported_ms=at(2, 8),
        filed_ms=at(2, 8), runs=runs, closed_ms=closed, department="市政", person="老李", receiver="甲",
    )  # fmt: skip
    return replace(made, **more)


MONTH = [
    # handled in time, closed in time
    case("good", run("handling", at(2), at(2, 10)), closed=at(2, 12)),
    # handled an hour late, closed, reworked, not satisfied
    case("late", run("handling", at(2), at(2, 12)), closed=at(3), satisfied=False,
         happened={"reworks": (at(2, 13),)}),
    # the same, but its appeal was granted
    case("exempt", run("handling", at(2), at(2, 12)), closed=at(3), satisfied=True,
         appeal=Appeal(by="科长", at_ms=at(4), reviews=("a", "b"), outcome="granted")),
    # due, not handed back; another department
    case("open", run("handling", at(10)), department="园林", person="老王", place="370202002001001"),
    # its limit ends in December
    case("not-due", run("handling", at(30, 23)), happened={"extensions": (at(30, 23),)}),
    # handed back in December, after its deadline in November
    case("december", run("handling", at(20), at(1, 9, 12)), closed=at(1, 10, 12),
         happened={"extensions": (at(20),)}),
    # rejected
    case("rejected", run("filing", at(2, 8), at(2, 9)), state="rejected", filed_ms=0, closed=at(2, 9)),
    # of October, over and done
    case("october", run("handling", at(2, 9, 10), at(2, 10, 10)), closed=at(2, 12, 10),
         reported_ms=at(2, 8, 10), filed_ms=at(2, 8, 10)),
]  # fmt: skip
NOVEMBERS = "good late exempt open not-due december"


def figures(period=NOVEMBER, cut="total", cases=MONTH, denominators=CONFIG.denominators, now_ms=LATER):
    found = evaluate(cases, period, cut, CONFIG.time, denominators, now_ms)
    return {(each.measure, each.of): each for each in found}


@pytest.mark.parametrize(
    ("measure", "yes", "among"),
    [
        ("handled", "good late exempt", "good late exempt open december"),
        ("handled_in_time", "good", "good late open december"),
        ("closed", "good late exempt", "good late exempt open december"),
        ("closed_in_time", "good", "good late open december"),
        ("reworked", "late", "good late exempt open december"),
        ("extended", "december", "good late exempt open december"),
        ("overdue_unhandled", "open december", "good late open december"),
        ("unsatisfied", "late", "late exempt"),
        ("valid_reports", NOVEMBERS, f"{NOVEMBERS} rejected"),
        ("filed_in_time", "", NOVEMBERS),
    ],
)  # fmt: skip
def test_a_month_is_what_was_counted_by_hand(measure, yes, among):
    figure = figures()[measure, ""]
    assert (figure.yes, figure.among) == (tuple(yes.split()), tuple(among.split()))
    assert figure.rate == len(yes.split()) / len(among.split())


def test_an_exempt_case_leaves_the_measures_of_time_and_its_fact_stays():
    found = figures()
    assert found["handled_in_time", ""].exempt == ("exempt",)
    assert found["handled", ""].exempt == ()
    assert measured(MONTH[2], CONFIG.time, LATER).late
    refused = [replace(MONTH[2], appeal=replace(MONTH[2].appeal, outcome="refused"))]
    assert figures(cases=refused)["handled_in_time", ""].among == ("exempt",)


def test_every_figure_says_what_it_is_and_of_which_cases():
    for (name, _), figure in figures().items():
        assert figure.definition == definition(name, MEASURES[name].sets[0])
        assert "÷" in figure.definition
        assert set(figure.yes) <= set(figure.among)
    assert definition("handled", "dispatched") == "部门已反馈 handed back ÷ 期内派遣 dispatched in the period"


def test_what_is_divided_by_is_a_setting(tmp_path):
    figure = figures(denominators={"handled": "dispatched"})["handled", ""]
    assert figure.among == ("good", "late", "exempt", "open", "not-due", "december")
    assert figure.definition.endswith(SETS["dispatched"].words)
    file = tmp_path / "cases.toml"
    file.write_text('[denominators]\nhandled = "filed"\n', "utf-8")
    with pytest.raises(
        SettingsError, match="received 'handled = filed', allowed: should_be_handled, dispatched"
    ):
        load_config(file, None)
    file.write_text('[denominators]\nluck = "filed"\n', "utf-8")
    with pytest.raises(SettingsError, match="received 'luck = filed', allowed: handled, handled_in_time"):
        load_config(file, None)
    file.write_text("[score]\nluck = 1\n", "utf-8")
    with pytest.raises(SettingsError, match="score: received 'luck'"):
        load_config(file, None)


@pytest.mark.parametrize(
    ("cut", "rates"),
    [
        ("street", {"370202001": 3 / 4, "370202002": 0}),
        ("community", {"370202001001": 3 / 4, "370202002001": 0}),
        ("grid", {"370202001001001": 3 / 4, "370202002001001": 0}),
        ("department", {"市政": 3 / 4, "园林": 0}),
        ("person", {"老李": 3 / 4, "老王": 0}),
        ("category", {"device": 3 / 5}),
        ("workflow", {"city-management": 3 / 5}),
        ("total", {"": 3 / 5}),
    ],
)
def test_it_is_cut_by_place_department_person_and_class(cut, rates):
    found = {of: each.rate for (name, of), each in figures(cut=cut).items() if name == "handled"}
    assert found == rates


def test_the_cuts_of_a_measure_add_up_to_the_total():
    for cut in CUTS:
        by_cut, total = figures(cut=cut), figures()
        for name in MEASURES:
            ids = [i for (measure, _), each in by_cut.items() if measure == name for i in each.among]
            assert sorted(ids) == sorted(total[name, ""].among)


def test_a_month_that_is_over_stays_what_it_was_whatever_comes_later():
    before = figures(
        cases=[c for c in MONTH if c.id != "december"] + [case("december", run("handling", at(20)))]
    )
    assert figures()["overdue_unhandled", ""].yes == before["overdue_unhandled", ""].yes
    reworked = run("handling", at(2), 0, pauses=(Pause(at(2, 10), at(5, 9, 12), done=True),))
    assert figures(cases=[case("x", reworked)])["handled_in_time", ""].rate == 1, "handed back then"
    parked = run("handling", at(2), 0, pauses=(Pause(at(2, 10), at(5, 9, 12)),))
    assert figures(cases=[case("x", parked)])["handled", ""].among == (), (
        "parked is neither due nor handed back"
    )


def test_what_happened_after_the_month_is_none_of_its():
    later = {"reworks": (at(3, 9, 12),), "extensions": (at(3, 9, 12),), "transfers": (at(3, 9, 12),)}
    found = figures(cases=[replace(MONTH[0], happened=later)])
    assert [found[name, ""].yes for name in ("reworked", "extended")] == [(), ()]
    assert figures(cases=[replace(MONTH[6], closed_ms=at(1, 9, 12))])["valid_reports", ""].rate == 1
    extended = run("handling", at(2), at(2, 12), extensions=(at(3, 9, 12),))
    assert figures(cases=[case("x", extended)])["handled_in_time", ""].rate == 0
    in_time = run("handling", at(2), at(2, 12), extensions=(at(2, 10),))
    assert figures(cases=[case("x", in_time)])["handled_in_time", ""].rate == 1


def test_who_gets_a_case_that_another_had_too_long_is_judged_by_their_own_time():
    transferred = case("x", run("handling", at(2), at(3)), run("handling", at(3), at(3, 10)), closed=at(4))
    found = figures(cases=[transferred])
    assert (found["handled_in_time", ""].rate, found["closed_in_time", ""].rate) == (1, 0)


def test_a_month_that_lasts_is_judged_as_of_now():
    assert figures(now_ms=at(2, 10))["overdue_unhandled", ""].yes == ()
    running = [case("running", run("handling", at(2)))]
    assert figures(cases=running, now_ms=at(2, 10))["handled", ""].among == (), "not due yet"
    assert figures(cases=running, now_ms=at(2, 11))["handled", ""].among == ("running",)


def test_it_is_compared_with_the_period_before_and_the_year_before():
    october = figures(parse_period("2026-10")).values()
    (found,) = [c for c in compare(figures().values(), october, []) if c.figure.measure == "handled"]
    assert (found.figure.rate, found.before, found.last_year) == (3 / 5, 1.0, None)


def test_a_score_weighs_good_and_bad_measures():
    found = scores(figures(cut="department").values(), CONFIG.score)
    # 市政: handled 3/4, in time 1/3, reworked 1/4, overdue unhandled 1/3, extended 1/4
    assert found["市政"] == pytest.approx(30 * 3 / 4 + 20 / 3 + 20 * 3 / 4 + 20 * 2 / 3 + 10 * 3 / 4)
    assert scores(figures(cases=[]).values(), CONFIG.score) == {"": None}


def test_it_is_exported_with_the_definition_beside_each_figure():
    comparisons = compare(figures(cut="street").values(), [], [])
    table = list(csv.DictReader(io.StringIO(to_csv(comparisons, NOVEMBER, {"370202001": "八大峡街道"}))))
    row = next(r for r in table if r["measure"] == "handled" and r["of"] == "370202001")
    assert (row["name"], row["yes"], row["among"], row["rate"], row["period"]) == (
        "八大峡街道", "3", "4", "0.7500", "2026-11-01 … 2026-11-30",
    )  # fmt: skip
    assert row["definition"] == definition("handled", "should_be_handled")


@pytest.mark.parametrize(
    ("text", "first", "until", "before", "last_year"),
    [
        ("2026-11", (2026, 11, 1), (2026, 12, 1), (2026, 10, 1), (2025, 11, 1)),
        ("2026-03", (2026, 3, 1), (2026, 4, 1), (2026, 2, 1), (2025, 3, 1)),
        ("2026-01", (2026, 1, 1), (2026, 2, 1), (2025, 12, 1), (2025, 1, 1)),
        ("2026-12", (2026, 12, 1), (2027, 1, 1), (2026, 11, 1), (2025, 12, 1)),
        ("2026Q1", (2026, 1, 1), (2026, 4, 1), (2025, 10, 1), (2025, 1, 1)),
        ("2026", (2026, 1, 1), (2027, 1, 1), (2025, 1, 1), (2025, 1, 1)),
        ("2026-W47", (2026, 11, 16), (2026, 11, 23), (2026, 11, 9), (2025, 11, 16)),
        ("2026-11-16", (2026, 11, 16), (2026, 11, 17), (2026, 11, 15), (2025, 11, 16)),
        ("2024-02-29", (2024, 2, 29), (2024, 3, 1), (2024, 2, 28), (2023, 2, 28)),
        ("2026-11-01..2026-11-10", (2026, 11, 1), (2026, 11, 11), (2026, 10, 22), (2025, 11, 1)),
    ],
)
def test_periods_have_one_before_and_one_a_year_ago(text, first, until, before, last_year):
    period = parse_period(text)
    assert (period.first, period.until) == (date(*first), date(*until))
    assert period.before().first == date(*before)
    assert period.before().until == period.first
    assert period.last_year().first == date(*last_year)
    assert period.until_ms - period.from_ms == (period.until - period.first).days * 24 * HOUR_MS


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-02-30", "november", "2026-11-02..2026-11-01", "2026-W60", "", ".."]
)
def test_what_is_no_period_is_refused_with_what_is(text):
    with pytest.raises(SettingsError, match="allowed: 2026, 2026Q4, 2026-11"):
        parse_period(text)
