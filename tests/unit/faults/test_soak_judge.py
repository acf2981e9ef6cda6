"""The judge of a soak against planted samples: each row breaks when it must, and otherwise holds."""

import dataclasses

import pytest

from tests.faults.soak import Sample, broken, judge_soak, slope_per_h, table

HOURS, EVERY_S = 2, 20
TIMES = range(0, HOURS * 3600, EVERY_S)
RECOVERIES = [(600.0, "kafka", 8.0), (1200.0, "worker", 9.0), (1800.0, "kafka", 9.0)]
DELAYS = [(at_s, 5.0 + at_s % 7 / 10) for at_s in TIMES]


def sample(at_s, **changed):
    """A part of 200 MiB that is killed after an hour and weighs 150 MiB in its first minutes."""
    given = {
        "at_s": float(at_s),
        "pid": {"worker": 1 if at_s < 3600 else 2},
        "rss_bytes": {"worker": (150 if at_s % 3600 < 120 else 200) * 2.0**20},
        "handles": {"worker": 30 + at_s // 20 % 3},
        "checkpoint_bytes": {"aggregate": 1e6 * min(1.0, at_s / 600)},
        "accounts": {"holds": 20, "settling": 1},
    }
    return Sample(**(given | changed))


def rows(samples, recoveries=RECOVERIES, delays=DELAYS):
    return {row.what: row for row in judge_soak(samples, recoveries, delays)}


SOUND = [sample(at_s) for at_s in TIMES]


def test_what_does_not_creep_holds_in_every_row():
    found = rows(SOUND)
    assert [row for row in found.values() if row.holds is not True] == []
    assert broken(found.values()) == []


@pytest.mark.parametrize(
    ("what", "creeps"),
    [
        ("memory worker", lambda at_s: {"rss_bytes": {"worker": 2e8 * (1 + 0.03 * at_s / 3600)}}),
        ("checkpoints aggregate", lambda at_s: {"checkpoint_bytes": {"aggregate": 1e6 + at_s * 10}}),
        ("handles worker", lambda at_s: {"handles": {"worker": 30 + at_s // 600}}),
        ("accounts", lambda at_s: {"accounts": {"holds": 20, "broken": at_s == 4000}}),
    ],
)
def test_what_creeps_breaks_its_row_and_no_other(what, creeps):
    samples = [dataclasses.replace(each, **creeps(each.at_s)) for each in SOUND]
    assert [row.what for row in rows(samples).values() if row.holds is False] == [what]


def test_a_start_that_takes_ever_longer_breaks():
    assert rows(SOUND, [*RECOVERIES, (2400.0, "worker", 30.0)])["recovery"].holds is False
    assert rows(SOUND, RECOVERIES[:2])["recovery"].holds is None


def test_delays_count_outside_of_recoveries_only():
    slow = [(at_s, delay_s * (1 + at_s / 24_000)) for at_s, delay_s in DELAYS]
    assert rows(SOUND, delays=slow)["p99 window to reader"].holds is False
    after = [(at_s, 40.0 if 0 <= at_s - 1800 < 60 else delay_s) for at_s, delay_s in DELAYS]
    assert rows(SOUND, delays=after)["p99 window to reader"].holds is True


def test_a_life_counts_from_its_own_mean():
    assert slope_per_h([[(0, 100), (300, 100), (600, 100)], [(900, 50), (1200, 50), (1500, 50)]]) == 0
    assert slope_per_h([[(0, 100), (1800, 105), (3600, 110)]]) == pytest.approx(10 / 105)
    assert slope_per_h([[(0, 100), (20, 100), (40, 100)]]) is None


def test_what_was_watched_too_shortly_says_so():
    short = rows(SOUND[:60], [], DELAYS[:60])
    assert {row.holds for what, row in short.items() if what != "accounts"} == {None, True}
    assert "too short" in table(list(short.values()))
