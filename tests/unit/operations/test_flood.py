"""Flood mode: begins above ten in ten minutes, ends below five, and is described as it was."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from operations.oncall.flood import Flood, FloodLimits, Load, floods_of

MIN = 60_000
LIMITS = FloodLimits()


def test_ten_in_ten_minutes_are_no_flood_and_eleven_are():
    load = Load("王芳")
    for second in range(10):
        load.annunciated(second * 1000)
    assert load.flood is None
    load.annunciated(10_000)
    assert load.flood == Flood("王芳", 10_000, 11, 11)


def test_eleven_over_eleven_minutes_are_no_flood():
    assert floods_of("王芳", [n * MIN for n in range(1, 12)], 60 * MIN, LIMITS) == []


def test_it_ends_at_the_moment_fewer_than_five_are_left_however_late_one_looks():
    times = [n * 1000 for n in range(20)]
    for looked_ms in (10 * MIN + 15_000, 60 * MIN):
        (flood,) = floods_of("王芳", times, looked_ms, LIMITS)
        assert flood == Flood("王芳", 10_000, 20, 20, end_ms=15_000 + 10 * MIN)
    (going,) = floods_of("王芳", times, 10 * MIN + 14_999, LIMITS)
    assert going.end_ms == 0


def test_between_five_and_ten_it_neither_begins_nor_ends():
    times = [*range(11), *(2 * MIN * n for n in range(1, 30))]
    (flood,) = floods_of("王芳", times, 58 * MIN, LIMITS)
    assert (flood.count, flood.end_ms) == (40, 0)


def test_an_end_before_the_next_alarm_is_told_with_that_alarm():
    load = Load("王芳")
    for at_ms in range(11):
        load.annunciated(at_ms)
    assert load.annunciated(20 * MIN) == Flood("王芳", 10, 11, 11, end_ms=6 + 10 * MIN)
    assert load.flood is None


@given(st.lists(st.integers(0, 60 * MIN), max_size=120))
def test_floods_are_apart_and_agree_with_counting_by_hand(times):
    times.sort()
    floods = floods_of("王芳", times, 200 * MIN, LIMITS)

    def held(at_ms):
        return sum(at_ms - LIMITS.window_ms < t <= at_ms for t in times)

    assert all(flood.end_ms > flood.start_ms for flood in floods)
    assert all(one.end_ms <= other.start_ms for one, other in pairwise(floods))
    for flood in floods:
        assert held(flood.start_ms) > LIMITS.start
        assert held(flood.end_ms) < LIMITS.end
        during = [t for t in times if flood.start_ms <= t < flood.end_ms]
        assert flood.peak >= max(map(held, during))
        assert all(held(t) >= LIMITS.end for t in during)
    assert all(any(f.start_ms <= t < f.end_ms for f in floods) for t in times if held(t) > LIMITS.start)


@given(st.lists(st.integers(0, 60 * MIN), max_size=60), st.integers(0, 60))
def test_a_load_rebuilt_from_the_last_ten_minutes_and_its_flood_goes_on_the_same(times, cut):
    times.sort()
    whole, first = Load("王芳"), Load("王芳")
    for at_ms in times:
        whole.annunciated(at_ms)
    for at_ms in times[:cut]:
        first.annunciated(at_ms)
    again = Load("王芳", recent=first.recent.copy(), flood=first.flood)
    for at_ms in times[cut:]:
        again.annunciated(at_ms)
    assert (again.flood, again.recent) == (whole.flood, whole.recent)
