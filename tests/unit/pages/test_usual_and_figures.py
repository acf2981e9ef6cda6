"""The usual for this hour, and the key figures beside it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.pages.metrics import FIGURES, METRICS, text_of
from operations.pages.views.figures import domain_figures
from operations.pages.views.trends import LINES
from operations.pages.views.usual import Usual, usual, verdict
from schemas.calendar import is_working_day, local
from schemas.measures import DERIVED, MEASURES, lasts
from tests.unit.pages.situations import DAY_MS, HOUR_MS, NOW_MS, cells, parking, rows

OCCUPANCY, PEOPLE = METRICS["parking.occupancy"], METRICS["security.people_entered"]
RUNNING_MS = NOW_MS - NOW_MS % HOUR_MS  # 15:00; NOW is 11 minutes later


def hours(name, by_day):
    """Days back -> (value of the hour that ended at 15:00, value of the hour from 15:00)."""
    found = {}
    for days, (before, after) in by_day.items():
        start = RUNNING_MS - days * DAY_MS
        found |= {start - HOUR_MS: {name: before}, start: {name: after}}
    return found


def test_the_usual_lies_between_the_hour_that_ended_and_the_one_that_runs():
    known = usual(OCCUPANCY, hours("occupancy", {1: (0.4, 0.6)}), NOW_MS)
    assert known.value == pytest.approx(0.4 + 0.2 * 11 / 60)
    assert usual(OCCUPANCY, hours("occupancy", {1: (0.4, 0.6)}), RUNNING_MS).value == pytest.approx(0.4)


def test_only_days_of_the_same_kind_count():
    every_day = {days: (float(days), float(days)) for days in range(1, 15)}
    known = usual(PEOPLE, hours("people_entered", every_day), NOW_MS)
    today = local(NOW_MS).date()
    same = [
        d for d in every_day if is_working_day(local(NOW_MS - d * DAY_MS).date()) == is_working_day(today)
    ]
    assert 0 < len(same) < 14
    assert (known.days, known.low, known.high) == (len(same), min(same), max(same))


def test_a_day_without_one_of_the_two_hours_tells_nothing():
    half = hours("occupancy", {1: (0.4, 0.6)})
    del half[RUNNING_MS - DAY_MS]
    assert usual(OCCUPANCY, half, NOW_MS) is None
    assert usual(OCCUPANCY, {}, NOW_MS) is None


@given(st.lists(st.floats(0, 1e6), min_size=3, max_size=20))
def test_what_lies_within_the_days_is_usual_and_what_lies_outside_is_not(values):
    known = Usual(sorted(values)[len(values) // 2], min(values), max(values), len(values))
    assert all(verdict(value, known) == "usual" for value in values)
    assert verdict(known.high + 1, known) == "above"
    assert verdict(known.low - 1, known) == "below"


def test_two_days_are_too_few_to_judge_by():
    assert verdict(9.0, Usual(1.0, 1.0, 1.0, 2)) == "unknown"


def test_every_figure_is_made_of_measures_and_stands_or_adds_up_as_they_do():
    for metric in METRICS.values():
        measures = {measure.name: measure for measure in MEASURES[metric.domain]}
        for part in metric.parts:
            assert part in measures or part in DERIVED[metric.domain]
            if part in measures:
                assert lasts(measures[part]) == (metric.span == "now"), metric.key


def test_a_figure_says_its_value_against_the_usual():
    known = hours("occupancy", dict.fromkeys((1, 2, 3), (0.5, 0.5)))
    found = cells(
        now={"parking": rows("parking", {"370202": parking(100.0, 60.0)})},
        usual={("parking", "370202"): known},
    )
    occupancy, free, arrivals, _ = domain_figures(found, "parking", "370202", NOW_MS).figures
    assert (occupancy.text, occupancy.usual, occupancy.verdict, occupancy.days) == (
        "60.0%",
        "50.0%",
        "above",
        3,
    )
    assert (free.text, free.usual, free.verdict) == ("40", "", "unknown")
    assert (arrivals.text, arrivals.verdict) == ("", "unknown"), (
        "no hour was read: nothing is said, not a zero"
    )


def test_counts_of_few_people_are_not_told_and_neither_is_their_usual():
    few = {"residents_seen": 9.0, "vitals_out_of_range": 3.0, "sos": 0.0, "falls": 0.0}
    known = hours("vitals_out_of_range", dict.fromkeys((1, 2, 3), (3.0, 3.0)))
    found = cells(hour={"care": rows("care", {"370202": few})}, usual={("care", "370202"): known})
    vitals, sos, *_ = domain_figures(found, "care", "370202", NOW_MS).figures
    assert (vitals.text, vitals.usual, vitals.masked) == ("", "", True)
    assert (sos.text, sos.masked) == ("0", False)


def test_a_usual_of_few_people_is_not_told_beside_a_count_that_is():
    many = {"residents_seen": 90.0, "vitals_out_of_range": 30.0, "sos": 0.0, "falls": 0.0}
    known = hours("vitals_out_of_range", dict.fromkeys((1, 2, 3), (3.0, 3.0)))
    found = cells(hour={"care": rows("care", {"370202": many})}, usual={("care", "370202"): known})
    assert (figure := domain_figures(found, "care", "370202", NOW_MS).figures[0]).text == "30"
    assert figure.usual == ""


def test_simulated_and_incomplete_figures_say_so():
    now = rows("parking", {"370202": parking(10.0, 4.0) | {"complete": 0.0}}, simulated=True)
    found = domain_figures(cells(now={"parking": now}), "parking", "370202", NOW_MS)
    assert (found.simulated, found.complete) == (True, False)


@pytest.mark.parametrize(
    ("key", "value", "text"),
    [
        ("parking.occupancy", 0.5863, "58.6%"),
        ("parking.free", 12_538.0, "12,538"),
        ("security.fire_smoke", 2.5, "2.5"),
    ],
)
def test_numbers_are_written_as_people_read_them(key, value, text):
    assert text_of(METRICS[key], value) == text


def test_each_domain_leads_with_its_line():
    assert [line.key for line in LINES] == [FIGURES[line.domain][0].key for line in LINES]
