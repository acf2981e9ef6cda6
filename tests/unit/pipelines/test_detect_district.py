"""The detectors of a district, from minutes to conditions."""

from datetime import UTC, datetime

import msgspec
import numpy as np
import pytest
import zstandard

from pipelines.kernels.detect.bank import Bank
from pipelines.kernels.detect.codec import detector_from_bytes, detector_to_bytes
from pipelines.kernels.detect.district import DetectorSettings, DetectorState, _moved, coverage, detect
from pipelines.kernels.detect.figures import FIGURES as JUDGED
from pipelines.kernels.detect.season import moment_of, season_of
from pipelines.kernels.minute import Minute, PlaceTable
from schemas.errors import OutdatedState

MINUTE_MS = 60_000
START_MS = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
GRIDS = ("370202001001001", "370202001001002", "370202001001003")
FIGURES = (
    "spaces",
    "occupied",
    "unknown",
    "turnover",
    "readings",
    "readings_simulated",
    "devices",
    "occupancy",
)
QUICK = DetectorSettings(alarms_per_day=1.0, history_min=1440, caution=0.0)


def minute_of(number, rows, places=GRIDS, complete=True):
    """Rows of (spaces, occupied, turnover); occupancy is made of them."""
    values = np.full((len(places), len(FIGURES)), np.nan)
    for row, (spaces, occupied, turnover) in enumerate(rows):
        values[row] = (spaces, occupied, 0, turnover, 1, 0, 1, occupied / spaces if spaces else np.nan)
    grid = PlaceTable(tuple(places), FIGURES, values)
    sums = np.nansum(values, axis=0, keepdims=True)
    sums[0, -1] = sums[0, 1] / sums[0, 0] if sums[0, 0] else np.nan
    upper = {
        level: PlaceTable((places[0][:length],), FIGURES, sums)
        for level, length in (("community", 12), ("street", 9), ("district", 6))
    }
    return Minute("parking", START_MS + number * MINUTE_MS, {"grid": grid, **upper}, complete)


def usual_rows(rng, number, places=3):
    hour = (number / 60) % 24
    share = 0.5 + 0.3 * np.sin(2 * np.pi * hour / 24)
    occupied = np.clip(np.round(100 * share + rng.normal(0, 2, places)), 0, 100)
    return [(100, float(o), float(rng.poisson(5 * share))) for o in occupied]


def run(state, numbers, rng, change=None, settings=QUICK):
    found = []
    for number in numbers:
        rows = usual_rows(rng, number)
        minute = minute_of(number, change(number, rows) if change else rows)
        found += [(number, condition) for condition in detect(settings, state, minute)]
    return found


@pytest.fixture(scope="module")
def learned():
    """Five days of usual minutes, as bytes."""
    state = DetectorState()
    found = run(state, range(5 * 1440), np.random.default_rng(7))
    assert len(found) <= 10
    return detector_to_bytes(state)


def test_a_closure_is_found_in_minutes_and_explained(learned):
    state = detector_from_bytes(learned)

    def closed(number, rows):
        return [(100, 2.0, 0.0), *rows[1:]] if number >= 7300 else rows

    found = run(state, range(7200, 7360), np.random.default_rng(8), closed)
    began = [(n, c) for n, c in found if c.active and c.place == GRIDS[0] and c.rule == "detector.occupancy"]
    number, condition = began[0]
    assert 7300 < number < 7310
    assert condition.severity == "low"
    assert condition.level == "grid"
    assert condition.observed == pytest.approx(0.02)
    assert 0.3 < condition.expected < 0.9
    assert condition.title.startswith("车位占用率异常偏低")
    assert "Observed 0.02" in condition.explanation
    assert "by its own history about once in" in condition.explanation
    assert condition.at_ms - condition.onset_ms <= 10 * MINUTE_MS


def test_a_surge_is_found_and_clears(learned):
    state = detector_from_bytes(learned)

    def surge(number, rows):
        return [(s, o, t * 6 + 10) for s, o, t in rows[:1]] + rows[1:] if 7300 <= number < 7330 else rows

    found = run(state, range(7200, 7500), np.random.default_rng(8), surge)
    about = [
        c for n, c in found if c.place == GRIDS[0] and c.rule == "detector.turnover" and 7300 <= n < 7400
    ]
    assert [c.active for c in about] == [True, False]
    assert about[0].onset_ms == about[1].onset_ms
    assert "恢复正常" in about[1].explanation


def test_a_stuck_value_is_found_and_named_so(learned):
    state = detector_from_bytes(learned)

    def stuck(number, rows):
        return [(100, 55.0, rows[0][2]), *rows[1:]] if number >= 7230 else rows

    found = run(state, range(7200, 7320), np.random.default_rng(8), stuck)
    began = [c for _, c in found if c.active and c.place == GRIDS[0] and c.rule == "detector.occupancy"]
    assert began
    assert "stuck" in began[0].title


def test_too_little_history_cannot_be_judged():
    state = DetectorState()
    rng = np.random.default_rng(1)
    found = run(state, range(300), rng, lambda n, rows: [(100, 100.0, 90.0)] * 3 if n > 200 else rows)
    assert found == []
    assert coverage(state)["parking", "grid"] == (0, 6)


def test_minutes_without_values_are_neither_judged_nor_learned(learned):
    state = detector_from_bytes(learned)
    before = {name: array.copy() for name, array in state.levels["parking", "grid"].bank.items()}
    empty = minute_of(7200, [(0, 0, np.nan)] * 3)
    assert detect(QUICK, state, empty) == []
    changed = {
        name
        for name, array in state.levels["parking", "grid"].bank.items()
        if not np.array_equal(array, before[name], equal_nan=array.dtype.kind == "f")
    }
    assert changed <= {"missing", "weights"}


def test_a_minute_seen_twice_changes_nothing(learned):
    state = detector_from_bytes(learned)
    minute = minute_of(7200, usual_rows(np.random.default_rng(3), 7200))
    detect(QUICK, state, minute)
    once = detector_to_bytes(state)
    assert detect(QUICK, state, minute) == []
    assert detector_to_bytes(state) == once


def test_an_outage_of_hours_alarms_by_itself_nowhere(learned):
    state = detector_from_bytes(learned)
    assert run(state, range(7200 + 300, 7200 + 420), np.random.default_rng(4)) == []


def test_a_restart_in_the_middle_equals_none(learned):
    def go(restart):
        state = detector_from_bytes(learned)
        rng = np.random.default_rng(5)

        def change(number, rows):
            return [(100, 3.0, 40.0), *rows[1:]] if number > 7250 else rows

        found = run(state, range(7200, 7253), rng, change)
        if restart:
            state = detector_from_bytes(detector_to_bytes(state))
        found += run(state, range(7253, 7300), rng, change)
        return found, detector_to_bytes(state)

    assert go(restart=True) == go(restart=False)


def test_places_that_come_later_are_learned_from_then_on_and_disturb_nobody(learned):
    rng = np.random.default_rng(6)
    rows = [usual_rows(rng, number, places=4) for number in range(7200, 7260)]
    with_new, without = detector_from_bytes(learned), detector_from_bytes(learned)
    for number, row in zip(range(7200, 7260), rows, strict=True):
        detect(QUICK, with_new, minute_of(number, row, (*GRIDS, "370202001001004")))
        detect(QUICK, without, minute_of(number, row[:3]))
    old, new = (state.levels["parking", "grid"].bank for state in (without, with_new))
    assert new.size == old.size + 2
    # their community now has one more: only what leans on it may differ, and that hardly
    np.testing.assert_allclose(new.arrays["slot_level"][:, :6], old.arrays["slot_level"], atol=0.02)


def test_a_young_place_leans_on_its_parent(learned):
    state = detector_from_bytes(learned)
    rng = np.random.default_rng(9)
    places = (*GRIDS, "370202001001004")
    held = state.levels["parking", "grid"]
    for number in range(7200, 7200 + 8 * 60):  # from 08:00 to 16:00 of a first day
        detect(QUICK, state, minute_of(number, usual_rows(rng, number, 4), places))
    evening = moment_of(START_MS + (7200 + 18 * 60) * MINUTE_MS, MINUTE_MS)
    above = state.levels["parking", "community"]
    leaning = season_of(held.bank, evening, _moved(held, above, evening, JUDGED["parking"])).level[6]
    alone = season_of(held.bank, evening).level[6]
    old = season_of(held.bank, evening).level[0]
    assert abs(leaning - old) < abs(alone - old)


def test_above_the_grids_an_incomplete_minute_is_not_judged(learned):
    state = detector_from_bytes(learned)
    minute = minute_of(7200, usual_rows(np.random.default_rng(3), 7200), complete=False)
    detect(QUICK, state, minute)
    assert state.levels["parking", "grid"].last_ms == minute.start_ms
    assert state.levels["parking", "district"].last_ms == minute.start_ms - MINUTE_MS


def test_a_feed_that_falls_silent_in_alarm_ends_it_as_not_to_be_judged(learned):
    state = detector_from_bytes(learned)
    rng = np.random.default_rng(8)
    run(state, range(7200, 7220), rng, lambda _, rows: [(100, 2.0, 0.0), *rows[1:]])
    found = [
        condition
        for number in range(7220, 7300)
        for condition in detect(
            QUICK, state, minute_of(number, [(0, 0, np.nan), *usual_rows(rng, number)[1:]])
        )
    ]
    ended = [c for c in found if c.place == GRIDS[0] and not c.active and c.rule == "detector.occupancy"]
    assert len(ended) == 1
    assert "cannot judge" in ended[0].explanation
    assert ended[0].observed is None


def test_what_lasts_becomes_the_new_normal(learned):
    state = detector_from_bytes(learned)
    rng = np.random.default_rng(8)

    def less(number, rows):
        return [(s, round(o / 3), t) for s, o, t in rows[:1]] + rows[1:] if number >= 7300 else rows

    found = run(state, range(7200, 7300 + 4 * 1440), rng, less)
    about = [c for _, c in found if c.place == GRIDS[0] and c.rule == "detector.occupancy"]
    assert about[0].active
    assert not about[-1].active
    held = state.levels["parking", "grid"].bank
    assert held.ints("active")[0, 0] == 0


def test_a_state_is_small_and_of_its_own_release(learned):
    assert Bank.bytes_per_series() <= 1536
    other = msgspec.msgpack.encode({"version": 999, "levels": []})
    with pytest.raises(OutdatedState, match="999"):
        detector_from_bytes(zstandard.ZstdCompressor().compress(other))


def test_the_state_that_comes_back_is_the_state(learned):
    assert detector_to_bytes(detector_from_bytes(learned)) == learned


def test_caution_rises_with_alarms_and_falls_with_time(learned):
    state = detector_from_bytes(learned)
    state.caution = 1.0
    rng = np.random.default_rng(8)
    found = run(state, range(7200, 7220), rng, lambda _, rows: [(s, 0, 0) for s, *_ in rows])
    began = sum(condition.active for _, condition in found)
    assert began >= 3
    assert state.caution == pytest.approx(1.0 + 0.1 * began - 0.1 * 20 / 1440, abs=1e-6)
    back = detector_from_bytes(detector_to_bytes(state))
    assert back.caution == state.caution
    run(back, range(7220, 7220 + 1440), rng)
    assert back.caution < state.caution


def test_a_new_district_begins_with_caution():
    state = DetectorState()
    run(state, range(3), np.random.default_rng(9), settings=DetectorSettings())
    assert state.caution == DetectorSettings().caution
