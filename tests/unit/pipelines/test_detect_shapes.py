"""Series on their own: forms they never had, noise of another size, what comes again and again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.kernels.detect.bank import VIEWS, Bank
from pipelines.kernels.detect.figures import FIGURES
from pipelines.kernels.detect.shape import Shapes
from pipelines.kernels.detect.stream import Stream
from pipelines.kernels.detect.tail import learn_tails, surprise
from pipelines.kernels.detect.words import Finding, explain, title

STEP_MS = 60_000
START_MS = 1_780_272_000_000
BEAT = 100


def beats(count, seed=1):
    """A heart, more or less: a sharp wave and a flat one, never quite alike."""
    rng = np.random.default_rng(seed)
    at = np.arange(BEAT) / BEAT
    form = np.exp(-(((at - 0.3) / 0.03) ** 2)) + 0.3 * np.exp(-(((at - 0.65) / 0.08) ** 2))
    return np.concatenate([form * (1 + 0.05 * rng.normal()) for _ in range(count)]) + 0.02 * rng.normal(
        size=count * BEAT
    )


def scores(values):
    stream = Stream()
    return np.array([stream.take(START_MS + n * STEP_MS, float(v)).score for n, v in enumerate(values)])


def changed(name):
    values = beats(20)
    here = slice(16 * BEAT, 17 * BEAT)
    rng = np.random.default_rng(2)
    if name == "backwards":
        values[here] = values[here][::-1]
    elif name == "a beat is missing":
        values[here] = 0.02 * rng.normal(size=BEAT)
    elif name == "twice as fast":
        values[here] = np.tile(values[here][::2], 2)
    else:
        values[here] += 0.2 * rng.normal(size=BEAT)
    return values


@pytest.mark.parametrize("name", ["backwards", "a beat is missing", "twice as fast", "noisy"])
def test_a_form_that_never_was_scores_higher_than_everything_before_it(name):
    found = scores(changed(name))
    assert found[16 * BEAT : 17 * BEAT + 40].max() > found[5 * BEAT : 16 * BEAT].max()


def test_the_distance_is_that_to_the_nearest_stretch_wholly_before():
    rng = np.random.default_rng(3)
    shapes, values = Shapes(), rng.normal(size=200)
    for value in values:
        shapes.take(float(value))
    for width in shapes.widths:
        m = width.points
        found = width.usual, width.seen
        ratio = shapes._newness(width)
        stretches = np.lib.stride_tricks.sliding_window_view(shapes.scaled[: 200 - m], m)
        now = shapes.scaled[200 - m : 200]
        apart = now - stretches
        if width.centred:
            apart = apart - apart.mean(axis=1, keepdims=True)
        nearest = np.sqrt((apart**2).mean(axis=1)).min() * shapes.spread
        assert ratio == pytest.approx(nearest / found[0], rel=1e-6)


def test_a_memory_that_is_full_forgets_the_oldest_and_goes_on():
    rng = np.random.default_rng(4)
    shapes = Shapes()
    found = [shapes.take(float(v)) for v in rng.normal(size=5000)]
    assert shapes.count <= shapes.values.size
    late = np.concatenate(found[-500:], axis=1)
    assert np.isfinite(late).all()
    assert late.mean() == pytest.approx(1, abs=0.2)


@settings(deadline=None, max_examples=4)
@given(st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
def test_scale_and_level_change_no_score(factor, level):
    values = np.round(beats(3), 6)
    given_values = (values + level) * factor
    np.testing.assert_allclose(scores(given_values), scores(values), atol=0.05)


@settings(deadline=None, max_examples=4)
@given(st.integers(150, 300), st.floats(-1e9, 1e9))
def test_what_comes_later_changes_no_score_of_a_form(length, next_value):
    values = beats(3)[:length]
    whole = scores([*values, next_value, *beats(1)])
    np.testing.assert_array_equal(whole[:length], scores(values))


def test_a_constant_series_and_one_of_nothing_score_nothing():
    assert scores(np.full(400, 7.0)).max() == 0
    assert scores(np.full(50, np.nan)).max() == 0


def test_less_noise_than_ever_is_a_surprise_too():
    rng = np.random.default_rng(5)
    values = 10 + rng.normal(size=2500)
    values[2300:2400] = 10 + 0.05 * rng.normal(size=100)
    found = scores(values)
    assert found[2300:2420].max() > found[1500:2300].max()


def test_what_came_three_times_is_no_longer_as_rare():
    bank = Bank.empty()
    bank.grow(1)
    rng = np.random.default_rng(6)
    one = np.ones(1, np.float32)
    row = VIEWS.index("point")
    told = []
    for tick in range(6000):
        spike = tick % 1000 == 999
        drawn = abs(rng.normal()) + 12 * spike
        statistics = np.full((len(VIEWS), 1), drawn, np.float32)
        if spike:
            told.append(float(surprise(bank, statistics)[row, 0]))
        learn_tails(
            bank, statistics, (one * (not spike), one), tick
        )  # an alarm: the fit learns nothing of it
    assert min(told[1:3]) > 9
    assert max(told[4:]) < min(told[1:3]) - 1


@pytest.mark.parametrize("view", VIEWS)
def test_whichever_view_tells_has_words_for_it(view):
    found = Finding(FIGURES["parking"][1], view, 9.0, 4.0, 1.0, 7.0, 30.0, 5000, ())
    assert found.figure.chinese in title(found)
    assert "依据：" in explain(found) or "依据:" in explain(found)
