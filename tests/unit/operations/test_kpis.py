"""K1 to K12 against a fixture that was counted by hand, per console and shift, and their verdicts."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from operations.alerts.actions import Action, Target
from operations.alerts.kpis import LIMITS, Facts, reports
from operations.alerts.load import DAY_MS, Annunciation, Period, most_in, shift_periods
from operations.oncall.hours import SHIFTS, Span
from schemas.alerts import Alert

MIN, HOUR = 60_000, 3_600_000
DAY0 = 1_795_363_200_000  # Mon 2026-11-23 00:00 in the district
PERIOD = Period(DAY0, DAY0 + DAY_MS)
ALERT = Alert(
    id="a", rule="device.silent", severity="low", domain="parking", level="device", place="370202001001001",
    onset_ms=DAY0, active=False, cleared_ms=DAY0 + HOUR, title="设备失联 silent", device="d1",
)  # fmt: skip


def told(at_ms, number=0, console="王芳", **changed):
    alert = replace(ALERT, id=f"{number}", device=f"d{number}", **changed)
    return Annunciation.of(alert, at_ms, console)


def kpis(annunciations, *, period=PERIOD, shift="", console="王芳", **more):
    found = reports(Facts(period, annunciations, **more), [console])
    (report,) = [r for r in found if (r.console, r.shift) == (console, shift)]
    return {kpi.name: kpi for kpi in report.kpis}


def storm():
    """By hand: 40 between 09:00 and 09:07, one every ten seconds; and 8 through the day on the hour."""
    burst = [told(DAY0 + 9 * HOUR + n * 10_000, n) for n in range(40)]
    quiet = [told(DAY0 + (12 + n) * HOUR, n, severity="high" if n < 2 else "low") for n in range(8)]
    return [*burst, *quiet]


def test_a_day_counted_by_hand():
    found = kpis(storm())
    values = {name: kpi.value for name, kpi in found.items()}
    assert values["K1"] == 48
    assert values["K2"] == 2
    assert values["K3"] == pytest.approx(1 / 3)
    assert values["K4"] == pytest.approx(100 / 24)  # the hour from 09:00 has 40
    assert values["K5"] == pytest.approx(100 / 144)  # the ten minutes from 09:00 have 40
    assert values["K6"] == 40
    # It begins with the 11th at 09:01:40; of the 40, the last five are from 09:05:50, so it ends 09:15:50.
    assert values["K7"] == pytest.approx(100 * (14 * 60 + 10) / 86_400)
    # d0 to d7 twice each, two others once: 18 of 48.
    assert values["K8"] == pytest.approx(100 * 18 / 48)
    assert values["K11"] == pytest.approx(100 * 2 / 48)
    assert found["K3"].detail == "p50 0, p95 1, max 40"
    verdicts = {name: kpi.verdict for name, kpi in found.items()}
    assert verdicts == {
        "K1": "acceptable", "K2": "acceptable", "K3": "acceptable", "K4": "over", "K5": "acceptable",
        "K6": "over", "K7": "acceptable", "K8": "over", "K9": "acceptable", "K10": "acceptable",
        "K11": "acceptable", "K12": "acceptable",
    }  # fmt: skip


def test_thirty_an_hour_and_ten_in_ten_minutes_are_not_more_than_that():
    even = [told(DAY0 + third * 10 * MIN + n * MIN, n) for third in range(3) for n in range(10)]
    assert (kpis(even)["K4"].value, kpis(even)["K5"].value, kpis(even)["K6"].verdict) == (0, 0, "acceptable")
    one_more = [*even, told(DAY0 + 9 * MIN, 99)]
    found = kpis(one_more)
    assert (found["K4"].value, found["K5"].value) == (pytest.approx(100 / 24), pytest.approx(100 / 144))
    assert found["K6"].verdict == "over"


def test_a_shift_is_measured_by_its_own_hours():
    day, night = kpis(storm(), shift="08:00-20:00"), kpis(storm(), shift="20:00-08:00")
    assert (day["K2"].value, night["K2"].value) == (pytest.approx(48 / 12), 0)
    assert day["K7"].value == pytest.approx(100 * (14 * 60 + 10) / 43_200)
    assert night["K8"].value is None
    assert night["K8"].verdict == ""


def test_consoles_are_apart_and_one_that_was_told_nothing_has_its_zeros():
    both = [told(DAY0 + 1), told(DAY0 + 2, console="李强"), told(DAY0 + 3, console="李强")]
    assert kpis(both)["K1"].value == 1
    assert kpis(both, console="李强")["K1"].value == 2
    assert kpis(both, console="赵敏")["K1"].value == 0


@pytest.mark.parametrize(
    ("a_day", "verdict"), [(144, "acceptable"), (145, "manageable"), (288, "manageable"), (289, "over")]
)
def test_between_acceptable_and_the_most_that_is_manageable(a_day, verdict):
    spread = [told(DAY0 + n * DAY_MS // a_day, n) for n in range(a_day)]
    assert kpis(spread)["K1"].verdict == verdict


def test_chattering_and_fleeting_alarms_are_counted_once_each_and_only_where_they_were_told():
    alerts = [
        replace(ALERT, id="0", device="d0", chattering=True),
        replace(ALERT, id="1", device="d1", cleared_ms=DAY0 + MIN - 1),
        replace(ALERT, id="2", device="d1", cleared_ms=DAY0 + MIN - 1),
        replace(ALERT, id="3", device="d3", cleared_ms=DAY0 + MIN),
        replace(ALERT, id="4", device="d4", chattering=True),
    ]
    found = kpis([told(DAY0 + n, n) for n in range(4)], alerts=alerts)["K9"]
    assert (found.value, found.verdict) == (2, "over")
    assert found.detail == "抖动 chattering 1, 瞬时 fleeting 1"


def test_stale_is_active_for_more_than_a_day_and_the_worst_day_counts():
    old = [replace(ALERT, id=f"{n}", active=True, cleared_ms=0, onset_ms=DAY0 - DAY_MS - 1) for n in range(5)]
    assert (kpis([], alerts=old)["K10"].value, kpis([], alerts=old)["K10"].verdict) == (5, "over")
    ended = [replace(each, active=False, cleared_ms=DAY0 - 1) for each in old]
    assert kpis([], alerts=ended)["K10"].value == 0
    long_ago = [replace(each, onset_ms=DAY0 - 5 * DAY_MS) for each in ended]
    assert kpis([], alerts=long_ago)["K10"].value == 0, "stale, but not on this day"
    young = [replace(each, onset_ms=DAY0 + 1) for each in old]
    assert kpis([], alerts=young)["K10"].value == 0


def test_a_priority_split_that_is_top_heavy_is_over():
    heavy = [told(DAY0 + n, n, severity="life_safety" if n < 2 else "low") for n in range(100)]
    assert kpis(heavy)["K11"].verdict == "over"
    assert kpis(heavy)["K11"].detail == "low 98.0 %, medium 0.0 %, high 0.0 %, life_safety 2.0 %"


def test_suppression_outside_the_method_is_found_whoever_wrote_it():
    good = Action(
        id="1", kind="shelve", target=Target.of(ALERT), by="王芳", at_ms=DAY0, why="x", until_ms=DAY0 + HOUR
    )
    urgent = replace(ALERT, id="u", severity="life_safety")
    bad = [
        replace(good, id="2", by=""), replace(good, id="3", why=" "), replace(good, id="4", until_ms=0),
        replace(good, id="5", until_ms=DAY0 + 9 * HOUR), replace(good, id="6", target=Target.of(urgent)),
    ]  # fmt: skip
    assert kpis([], actions=[good], alerts=[urgent])["K12"].value == 0
    assert kpis([], actions=[good, *bad], alerts=[urgent])["K12"].value == 5


def test_a_flood_that_began_before_the_period_counts_within_it():
    before = [told(DAY0 - 9 * MIN + n, n) for n in range(20)]
    assert kpis(before)["K1"].value == 0
    assert kpis(before)["K7"].value == pytest.approx(100 * MIN / DAY_MS, rel=1e-3)


def test_the_limits_are_those_of_the_table():
    assert [(limit.acceptable, limit.manageable) for limit in LIMITS.values()] == [
        (144, 288), (6, 12), (1, 2), (1, None), (1, None), (10, None), (1, None), (5, None), (0, None),
        (4, None), (5, None), (0, None),
    ]  # fmt: skip


@given(st.integers(0, 5 * DAY_MS), st.integers(1, 5 * DAY_MS))
def test_shifts_fill_the_period_without_gap_or_overlap(start, length):
    period = Period(DAY0 + start, DAY0 + start + length)
    for shifts in (SHIFTS, (Span(0, 480), Span(480, 960), Span(960, 1440))):
        cuts = sorted((p.start_ms, p.end_ms) for shift in shifts for p in shift_periods(period, shift))
        assert (cuts[0][0], cuts[-1][1]) == (period.start_ms, period.end_ms)
        assert all(one[1] == other[0] for one, other in pairwise(cuts))


@given(st.lists(st.integers(0, HOUR), max_size=50))
def test_the_most_in_ten_minutes_agrees_with_looking_at_every_window(times):
    by_hand = max((sum(t <= at < t + 10 * MIN for at in times) for t in times), default=0)
    assert most_in(times, 10 * MIN) == by_hand
