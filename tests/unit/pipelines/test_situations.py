"""From closed windows to alerts: minutes, rules and detectors together."""

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.plan import plan_for
from pipelines.kernels.rules.load import load_rules
from pipelines.kernels.watch.situations import SituationsSettings, SituationsState, fold_situations
from pipelines.kernels.watch.situations_codec import situations_from_bytes, situations_to_bytes
from schemas.errors import OutdatedState
from schemas.windows import Progress, Window

T0 = 1_790_006_400_000
GRIDS = ["370202001001001", "370202001001002", "370202002001001"]
SHARD = "readings.parking/0"
FULL = """
[[rules]]
name = "full"
title = "停车场已满"
title_en = "parking full"
severity = "medium"
domain = "parking"
figure = "occupancy"
level = ["grid", "street"]
above = 0.95
deadband = 0.05
on_delay_s = 120
"""


def window(minute, grid, occupied, *, spaces=100.0, window_s=60, revision=1, simulated=0.0):
    metrics = dict.fromkeys(plan_for("parking").measures, 0.0)
    metrics |= {"spaces": spaces, "occupied": occupied, "readings": 5.0, "readings_simulated": simulated}
    return Window(domain="parking", grid=grid, window_s=window_s, start_ms=T0 + minute * 60_000,
                  revision=revision, shard=SHARD, metrics=metrics)  # fmt: skip


def progress(minute):
    through_ms = T0 + (minute + 1) * 60_000
    return Progress(domain="parking", shard=SHARD, shards=1, closed_through_ms=through_ms, revision=minute)


def log_of(occupied_by_minute, **fields):
    """For each minute a window of every grid (occupied by grid), and the mark that closes it."""
    log = []
    for minute, occupied in enumerate(occupied_by_minute):
        log += [
            window(minute, grid, o, **fields)
            for grid, o in zip(GRIDS, occupied, strict=True)
            if o is not None
        ]
        log.append(progress(minute))
    return log


def fold(log, rules=FULL, cuts=()):
    """The alerts of a log of window records; a restart at each cut."""
    rule_set, state, output = load_rules(rules), SituationsState(), []
    for start, stop in zip([0, *cuts], [*cuts, len(log)], strict=True):
        state = situations_from_bytes(situations_to_bytes(state))
        offsets = np.arange(start, stop)
        values = [msgspec.json.encode(record) for record in log[start:stop]]
        batch = ShardBatch("windows/0", start, stop, offsets, T0 + offsets, values)
        output += fold_situations(SituationsSettings(), rule_set, state, batch)
    return output


def test_a_rule_raises_an_alert_after_its_delay_and_ends_it_past_its_deadband():
    begun, over = fold(log_of([(50, 50, 50), *[(99, 50, 50)] * 5, (92, 50, 50), (80, 50, 50)]))
    assert (begun.rule, begun.level, begun.place, begun.severity) == ("rule.full", "grid", GRIDS[0], "medium")
    assert (begun.active, begun.onset_ms, begun.observed) == (True, T0 + 60_000, pytest.approx(0.99))
    assert "停车场已满" in begun.title
    assert (over.id, over.active, over.cleared_ms) == (begun.id, False, T0 + 7 * 60_000)
    assert over.revision > begun.revision


def test_places_above_are_judged_by_their_own_sums():
    alerts = fold(log_of([(99, 99, 10)] * 5))
    assert {(a.level, a.place) for a in alerts} == {
        ("grid", GRIDS[0]),
        ("grid", GRIDS[1]),
        ("street", "370202001"),
    }


def test_a_late_reading_corrects_a_minute_and_raises_nothing():
    log = log_of([(50, 50, 50)] * 5)
    late = [window(minute, GRIDS[0], 100.0, revision=99) for minute in range(5)]
    assert fold([*log, *late, progress(5)]) == []


def test_windows_of_other_sizes_are_not_judged():
    assert fold(log_of([(99, 99, 99)] * 20, window_s=10)) == []


def test_what_is_all_simulated_says_so():
    assert all(alert.simulated for alert in fold(log_of([(99, 50, 50)] * 5, simulated=5.0)))
    assert not any(alert.simulated for alert in fold(log_of([(99, 50, 50)] * 5, simulated=4.0)))


def test_a_state_of_another_release_is_outdated():
    with pytest.raises(OutdatedState, match="received 99, allowed: 1"):
        situations_from_bytes(msgspec.msgpack.encode({"version": 99}))


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_batches_and_restarts_change_nothing(data):
    occupied = st.one_of(st.none(), st.sampled_from([50.0, 99.0]))
    log = log_of(data.draw(st.lists(st.tuples(occupied, occupied, occupied), min_size=3, max_size=15)))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(log)), max_size=5)))
    assert fold(log, cuts=cuts) == fold(log)
