"""Who is silent, who is still: the fold of presence."""

import msgspec
import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.presence.codec import presence_from_bytes, presence_to_bytes
from pipelines.kernels.presence.fold import PresenceSettings, PresenceState, fold_presence
from pipelines.kernels.presence.habits import _EDGES, Habits, Person
from schemas.errors import OutdatedState
from schemas.presence import Pulse, Silence, Stillness

T0 = 1_790_000_000_000
GRID = "370202001001001"
NO_INTERVALS = PresenceSettings()


def reading(device="d", *, at_ms=T0, **fields):
    usual = {"kind": "parking.lot", "metric": "occupied", "value": 1.0, "source": "http.x", "subject": ""}
    return msgspec.json.encode(usual | {"device": device, "grid": GRID, "observed_at_ms": at_ms} | fields)


def movement(device, at_ms, subject="p-1"):
    fields = {"kind": "care.activity", "metric": "motion", "subject": subject, "source": "mqtt.z"}
    return reading(device, at_ms=at_ms, **fields)


def batch(records, first=0, shard="readings.parking/0"):
    """`records` are (append time, bytes or None for a tick)."""
    offsets = np.arange(first, first + len(records))
    times = np.array([at for at, _ in records], np.int64)
    return ShardBatch(shard, first, first + len(records), offsets, times, [value for _, value in records])


def run(records, settings=NO_INTERVALS, cuts=()):
    """Everything put out, with the log cut into batches at `cuts` and a restart at each."""
    state, output = PresenceState(), []
    for start, stop in zip([0, *cuts], [*cuts, len(records)], strict=True):
        state = presence_from_bytes(presence_to_bytes(state))
        output += fold_presence(settings, state, batch(records[start:stop], start))
    return state, output


def ticks(start_ms, seconds):
    return [(start_ms + s * 1000, None) for s in range(seconds)]


def merged(*logs):
    return sorted((record for log in logs for record in log), key=lambda record: record[0])


def reports(every_s, count, device="d", **fields):
    return [
        (T0 + n * every_s * 1000, reading(device, at_ms=T0 + n * every_s * 1000, **fields))
        for n in range(count)
    ]


def silences(output):
    return [record for record in output if isinstance(record, Silence)]


def test_a_regular_device_is_silent_after_five_of_its_gaps_and_heard_again_at_once():
    day_s = 86_400
    back_ms = T0 + (day_s + 1000) * 1000
    log = merged(reports(60, 1441), ticks(T0, day_s + 1100), [(back_ms, reading(at_ms=back_ms))])
    gone, back = silences(run(log)[1])
    last_ms = T0 + day_s * 1000
    assert (gone.active, gone.since_ms, gone.allowed_s, gone.device) == (True, last_ms, 300, "d")
    assert gone.at_ms == pytest.approx(last_ms + 300_000, abs=10_000)
    assert (back.active, back.at_ms, back.since_ms) == (False, back_ms, last_ms)


def test_a_device_known_for_less_than_a_day_may_be_silent_for_three_times_what_its_kind_allows():
    found = silences(run(merged(reports(60, 60), ticks(T0, 4 * 3600 + 60)))[1])
    assert [s.allowed_s for s in found] == [3 * 3600]


def test_a_device_that_speaks_of_events_only_is_not_judged_while_few_gaps_are_known():
    pressed = [(T0, reading(kind="care.emergency", metric="sos"))]
    assert silences(run(merged(pressed, [(T0 + s * 1000, None) for s in range(0, 40 * 86_400, 20)]))[1]) == []


def test_a_device_whose_gaps_are_irregular_may_be_silent_for_three_of_its_longest():
    at_s = np.cumsum([5, 5, 5, 3000] * 40)
    log = [(T0 + int(s) * 1000, reading(at_ms=T0 + int(s) * 1000)) for s in at_s]
    found = silences(run(merged(log, ticks(T0, int(at_s[-1]) + 9200)))[1])
    assert [(s.since_ms, s.allowed_s) for s in found] == [(log[-1][0], 9000)]


def test_a_room_that_nobody_enters_for_days_has_no_dead_sensor():
    """In homes of TIHM a sensor that works says nothing for over a day in 29 of 1,000 sensor days."""
    visits = [T0 + minute * 60_000 for minute in np.cumsum([10, 20, 30, 600] * 8).tolist()]
    log = [(at_ms, movement("spare-room", at_ms)) for at_ms in visits]
    until_s = (visits[-1] - T0) // 1000 + 6 * 86_400
    found = run(merged(log, [(T0 + s * 1000, None) for s in range(0, until_s + 2 * 86_400, 20)]))[1]
    assert [(s.device, s.since_ms, s.allowed_s) for s in silences(found)] == [
        ("spare-room", visits[-1], 7 * 86_400)
    ]


def test_where_the_registry_gives_an_interval_three_of_them_count():
    log = merged(reports(60, 3), ticks(T0, 120 + 250))
    found = silences(run(log, PresenceSettings({"d": 60}))[1])
    assert [s.allowed_s for s in found] == [180]


def test_a_log_that_stood_still_makes_nobody_silent():
    resumed = T0 + 40 * 60_000
    log = merged(reports(60, 30), ticks(T0, 29 * 60), [(resumed + s * 1000, None) for s in range(200)])
    assert silences(run(log)[1]) == []


def test_a_pulse_tells_what_was_heard_of_each_source():
    log = [(T0, reading()), (T0 + 1, reading(source="mqtt.y")), (T0 + 2, b"{"), (T0 + 10_000, None)]
    pulses = [record for record in run(log)[1] if isinstance(record, Pulse)]
    assert [(p.at_ms, p.sources) for p in pulses] == [(T0 + 10_000, {"http.x": 1, "mqtt.y": 1})]


def test_a_batch_that_does_not_begin_where_the_state_stands_is_refused():
    with pytest.raises(ValueError, match="received offset 5, expected 0"):
        fold_presence(PresenceSettings(), PresenceState(), batch([(T0, None)], 5))


def test_a_state_of_another_release_is_outdated():
    other = zstandard.ZstdCompressor().compress(msgspec.msgpack.encode({"version": 99}))
    with pytest.raises(OutdatedState, match="received 99, allowed: 2"):
        presence_from_bytes(other)


def days_of_movement(days, until_s):
    """Somebody who moves every five minutes from 7 to 22 h (local), by two sensors in turn."""
    midnight = 1_790_006_400_000 - 8 * 3_600_000  # 00:00 in Shanghai
    at = [midnight + d * 86_400_000 + h * 3_600_000 + m * 60_000 for d in range(days) for h in range(7, 22)
          for m in range(0, 60, 5)]  # fmt: skip
    at = [ms for ms in at if ms < midnight + until_s * 1000]
    moves = [(ms, movement(f"room-{n % 2}", ms)) for n, ms in enumerate(at)]
    return merged(moves, [(midnight + s * 1000, None) for s in range(0, until_s + 24 * 3600, 10)]), at[-1]


def test_somebody_who_stops_moving_at_noon_is_told_of_and_a_night_is_not():
    until_s = 9 * 86_400 + 12 * 3600
    log, last_ms = days_of_movement(10, until_s)
    found = [record for record in run(log)[1] if isinstance(record, Stillness)]
    assert [(s.active, s.subject, s.source) for s in found] == [(True, "p-1", "mqtt.z")]
    assert found[0].since_ms == last_ms
    assert 3_600_000 <= found[0].at_ms - last_ms <= 20 * 3_600_000


def test_many_people_share_what_operators_can_take():
    few, many = Habits(), Habits()
    few.meet([(Person(f"p-{n}", GRID, "mqtt.z", False, {}), T0) for n in range(56)])
    many.meet([(Person(f"p-{n}", GRID, "mqtt.z", False, {}), T0) for n in range(800)])
    assert (few.alarms_per_day, many.alarms_per_day) == (0.1, 0.01)


def known(people, gaps):
    """People known for ten days who move every five minutes, with these gaps (on their own clock)."""
    habits = Habits()
    habits.meet([(Person(f"p-{n}", GRID, "mqtt.z", False, {}), T0) for n in range(people)])
    habits.minutes += 300.0
    habits.moves += 60.0
    habits.known_min += 10 * 1440
    habits.gaps[:, 0, np.searchsorted(_EDGES, gaps, "right") - 1] += 1
    return habits


def test_what_came_once_in_ten_days_is_no_measure_of_what_comes_once_in_a_hundred():
    gaps = np.concatenate((np.full(1980, 0.5), np.geomspace(2.0, 60.0, 20)))
    limit = known(800, gaps).limits(np.arange(1))[0]
    tail = np.sort(gaps)[-10:]
    assert limit > 60.0 + 2 * (tail.mean() - tail[0]), "as far beyond the longest as its tail is long"


def test_who_moves_like_a_clock_is_not_told_of_for_one_gap_like_the_others():
    assert (known(3, np.full(2000, 5.0)).limits(np.arange(3)) > 5.0).all()


def test_an_alarm_of_somebody_makes_the_limit_of_everybody_a_little_longer():
    habits = known(100, np.full(2000, 5.0))
    habits.since[0] = 1e6
    before = habits.scale.copy()
    found, _ = habits.close_minute(T0 + 7_200_000, np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert found.tolist() == [0]
    assert (habits.scale[1:] > before[1:]).all()
    assert habits.scale[0] > habits.scale[1]
    found, _ = habits.close_minute(T0 + 7_260_000, np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert found.size == 0
    assert (habits.scale < 1.4 * before).all()


def test_a_movement_told_late_ends_a_stillness():
    until_s = 9 * 86_400 + 12 * 3600
    log, last_ms = days_of_movement(10, until_s)
    late_ms = log[-1][0]
    log.append((late_ms, movement("room-0", last_ms + 1_800_000)))
    found = [record for record in run(log)[1] if isinstance(record, Stillness)]
    assert [s.active for s in found] == [True, False]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_batches_and_restarts_change_nothing(data):
    gaps = data.draw(st.lists(st.integers(0, 40_000), min_size=5, max_size=120))
    at = T0 + np.cumsum(gaps)
    log = [
        (int(ms), data.draw(st.sampled_from([None, reading("a", at_ms=int(ms)), reading("b", at_ms=int(ms)),
         movement("c", int(ms)), b"?"])))
        for ms in at
    ]  # fmt: skip
    cuts = sorted(data.draw(st.sets(st.integers(0, len(log)), max_size=6)))
    whole, parts = run(log), run(log, cuts=cuts)
    assert parts[1] == whole[1]
    assert parts[0].devices.gaps.tolist() == whole[0].devices.gaps.tolist()
    np.testing.assert_allclose(parts[0].devices.mean_ms, whole[0].devices.mean_ms)
    np.testing.assert_allclose(parts[0].devices.longest_ms, whole[0].devices.longest_ms)
