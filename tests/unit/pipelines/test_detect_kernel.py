"""The detectors' kernel on made series: calibrated, causal, seasonal, sound."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.kernels.detect.bank import VIEWS, Bank
from pipelines.kernels.detect.detector import Threshold, judge
from pipelines.kernels.detect.figures import FIGURES, restore, transform
from pipelines.kernels.detect.season import moment_of, season_of
from pipelines.kernels.detect.stream import Stream
from schemas.calendar import ZONE
from schemas.measures import DERIVED, MEASURES

STEP_MS = 300_000
MONDAY_MS = int(datetime(2026, 6, 1, tzinfo=ZONE).timestamp() * 1000)
NEVER = Threshold(np.log(1e12), 10**9, 30, 1440)


def go_on(bank, values, start_ms=MONDAY_MS, step_ms=STEP_MS, threshold=NEVER):
    """Feed rows of values, shape (points, series); what was said of each."""
    bank.grow(values.shape[1])
    return [
        judge(bank, threshold, moment_of(start_ms + n * step_ms, step_ms), (row, row), n)
        for n, row in enumerate(np.asarray(values, np.float32))
    ]


def rhythm(points, step_ms=STEP_MS, start_ms=MONDAY_MS):
    hour = ((start_ms + np.arange(points) * step_ms) / 3_600_000 + 8) % 24
    return 10 + 5 * np.sin(2 * np.pi * hour / 24)


@pytest.mark.parametrize("noise", ["normal", "student"])
def test_alarms_stay_near_the_budget_also_on_heavy_tails(noise):
    rng = np.random.default_rng(1)
    points, series, learned = 14 * 288, 200, 10 * 288
    drawn = rng.standard_t(4, (points, series)) if noise == "student" else rng.normal(size=(points, series))
    wanted = 1e-3
    threshold = Threshold(-np.log(wanted), 288, 0, 10**6, delayed=False)
    found = go_on(Bank.empty(), rhythm(points)[:, None] + drawn, threshold=threshold)
    alarming = np.mean([judgement.surprise > threshold.surprise for judgement in found[learned:]])
    assert wanted / 20 < alarming < wanted * 3


def test_a_holiday_is_judged_as_a_day_off():
    """The Dragon Boat Festival of 2026 is Friday, 19 June: with the traffic of a Sunday it is no surprise."""
    rng = np.random.default_rng(3)
    points = 25 * 288
    days = np.arange(points) // 288
    off = (days % 7 >= 5) | ((days >= 18) & (days < 21))
    values = np.where(off, 4.0, rhythm(points))[:, None] + rng.normal(0, 0.5, (points, 40))
    bank = Bank.empty()
    found = go_on(bank, values)
    noon = [18 * 288 + n for n in range(10 * 12, 16 * 12)]
    holiday = np.mean([found[n].surprise.mean() for n in noon])
    rest = np.mean([found[n - 5 * 288].surprise.mean() for n in noon])  # a Sunday
    assert holiday < rest + 2
    working = season_of(bank, moment_of(MONDAY_MS + 24 * 86_400_000 + 12 * 3_600_000, STEP_MS)).level
    festival = season_of(bank, moment_of(MONDAY_MS + 18 * 86_400_000 + 12 * 3_600_000, STEP_MS)).level
    assert festival.mean() == pytest.approx(4, abs=0.5)
    assert working.mean() == pytest.approx(rhythm(points)[144], abs=0.7)


def test_a_make_up_day_is_a_working_day():
    sunday = datetime(2026, 9, 20, 12, tzinfo=ZONE)
    at = moment_of(int(sunday.timestamp() * 1000), STEP_MS)
    assert at.before == 12  # of the working days' knots


def test_what_comes_later_changes_no_score():
    rng = np.random.default_rng(4)
    values = rhythm(600)[:, None] + rng.normal(size=(600, 3))
    changed = values.copy()
    changed[400:] = 1e9
    before, after = (go_on(Bank.empty(), each)[:400] for each in (values, changed))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.surprise, other.surprise)


def test_series_know_nothing_of_one_another():
    rng = np.random.default_rng(5)
    values = rhythm(600)[:, None] + rng.normal(size=(600, 4))
    alone = go_on(Bank.empty(), values[:, 2:3])
    among = go_on(Bank.empty(), values)
    for one, all_ in zip(alone, among, strict=True):
        np.testing.assert_allclose(one.surprise[0], all_.surprise[2], rtol=1e-3, atol=1e-3)


def test_a_series_that_never_changes_is_not_judged():
    found = go_on(Bank.empty(), np.full((3000, 1), 7.0), threshold=Threshold(5.0, 100, 0, 1000))
    assert not any(judgement.judged.any() for judgement in found)


def test_each_kind_of_fault_is_seen_by_the_view_meant_for_it():
    rng = np.random.default_rng(6)
    points = 14 * 288
    slow = np.cumsum(rng.normal(0, 0.02, points))
    clean = rhythm(points) + rng.normal(size=points) + 0.1 * slow / max(abs(slow).max(), 1)
    pair, stuck, cusum = clean.copy(), clean.copy(), clean.copy()
    pair[-2:] += 15
    stuck[-40:] = stuck[-41]
    cusum[-20:] += 4
    found = go_on(Bank.empty(), np.stack((pair, stuck, cusum), axis=1))
    assert {VIEWS[v] for v in (found[-1].view[0], found[-1].view[1])} == {"pair", "stuck"}
    assert (found[-1].surprise > 9).all()


values_given = st.lists(
    st.one_of(st.floats(allow_nan=True, allow_infinity=True), st.just(0.0), st.integers(-3, 3)),
    max_size=80,
)


@settings(deadline=None, max_examples=30)
@given(values_given, st.lists(st.integers(-(10**6), 10**9), min_size=80, max_size=80))
def test_whatever_comes_scores_lie_between_nought_and_one(values, passed):
    stream, at_ms = Stream(), MONDAY_MS
    for value, step in zip(values, passed, strict=False):
        at_ms = max(0, at_ms + step)
        found = stream.take(at_ms, float(value))
        assert 0 <= found.score <= 1
        assert found.score == 0 or np.isfinite(value)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(-1e6, 1e6))
def test_a_prefix_scores_as_the_whole_does(values, next_value):
    def scores(given_values):
        stream = Stream()
        return [stream.take(MONDAY_MS + n * STEP_MS, value) for n, value in enumerate(given_values)]

    assert scores([*values, next_value])[:-1] == scores(values)


@given(st.sampled_from(["count", "mean"]), st.floats(0, 1e5))
def test_a_transform_can_be_undone(kind, value):
    there = transform(kind, np.array([value]))
    assert restore(kind, float(there[0])) == pytest.approx(value, rel=1e-3, abs=1e-2)


def test_shares_of_few_vary_less_than_their_odds():
    few, many = (transform("ratio", np.array([1.0]), np.array([n])) for n in (5.0, 500.0))
    assert np.isfinite([few[0], many[0]]).all()
    assert few[0] < many[0]


def test_every_judged_figure_is_one_of_its_domain():
    for domain, figures in FIGURES.items():
        known = {measure.name for measure in MEASURES[domain]} | set(DERIVED[domain])
        for figure in figures:
            assert {figure.name, figure.of or figure.name, figure.without or figure.name} <= known
