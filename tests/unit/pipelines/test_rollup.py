"""The roll-up: sums add up at every level, whatever the order, the batches and the restarts."""

import importlib.util
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.kernels.rollup import fold_windows
from pipelines.kernels.rollup_codec import rollup_from_bytes, rollup_to_bytes
from pipelines.kernels.rollup_state import RollupSettings, RollupState
from schemas.errors import OutdatedState, SettingsError
from schemas.quarantine import Reason

_spec = importlib.util.spec_from_file_location("rollup_oracle", Path(__file__).with_name("rollup_oracle.py"))
oracle = importlib.util.module_from_spec(_spec)
sys.modules["rollup_oracle"] = oracle
_spec.loader.exec_module(oracle)

SETTINGS = RollupSettings(kept_ms=60_000, grace_ms=30_000, patience_ms=120_000)
ALL, FEW = oracle.SHARDS, oracle.SHARDS[0]


def run(log, sizes=(10_000,), *, restart=False, state=None):
    """What is upserted for a log, in order; with `restart` the state goes through bytes after every batch."""
    state = state or RollupState()
    windows, quarantined = [], []
    for batch in oracle.batches(log, sizes):
        output = fold_windows(SETTINGS, state, batch)
        windows += output.windows
        quarantined += output.quarantined
        if restart:
            state = rollup_from_bytes(rollup_to_bytes(state))
    return windows, quarantined, state


def above(windows):
    return [w for w in windows if w.level != "grid"]


values = st.lists(
    st.integers(0, 50).map(float) | st.floats(-100, 100).map(lambda v: round(v, 6)), min_size=1, max_size=4
)
revisions = st.tuples(st.sampled_from(oracle.GRIDS), st.integers(0, 4), st.integers(0, 9), values)


@st.composite
def logs(draw):
    """Windows with revisions in any order, marks, ticks and rubbish between them; at the end all is closed.

    A revision says the same thing whenever it is said.
    """
    said = {}
    log, append_ms = [], 1_000_000
    for grid, start, revision, metrics in draw(st.lists(revisions, min_size=1, max_size=40)):
        append_ms += draw(st.sampled_from([0, 1, 500, 40_000]))
        record = said.setdefault((grid, start, revision), oracle.window(grid, start, revision, metrics))
        log.append((append_ms, record))
        extra = draw(st.sampled_from(["none", "none", "tick", "mark", "rubbish"]))
        if extra == "tick":
            log.append((append_ms + 1, None))
        elif extra == "rubbish":
            log.append((append_ms, b'{"type": "window"'))
        elif extra == "mark":
            log.append((append_ms, oracle.progress(draw(st.sampled_from(ALL)), draw(st.integers(0, 5)))))
    return log + [(append_ms, oracle.progress(shard, 6)) for shard in ALL]


@settings(deadline=None)
@given(logs())
def test_every_level_is_the_sum_of_its_grids_newest_revisions(log):
    windows, _, _ = run(log)
    held = oracle.held(windows)
    want = oracle.expected(log)
    assert {key: (row.values, row.revision, row.grids) for key, row in held.items()} == want
    assert all(row.complete for row in held.values())


@settings(deadline=None)
@given(logs(), st.lists(st.integers(1, 7), min_size=1, max_size=10), st.booleans())
def test_batches_and_restarts_change_nothing(log, sizes, restart):
    whole, refused, state = run(log)
    cut, refused_too, state_too = run(log, sizes, restart=restart)
    assert [repr(w) for w in whole] == [repr(w) for w in cut]
    assert refused == refused_too
    assert rollup_to_bytes(state) == rollup_to_bytes(state_too)


@settings(deadline=None)
@given(logs(), st.randoms(use_true_random=False))
def test_the_order_in_which_shards_spoke_leaves_no_trace(log, random):
    ends, said = (
        log[-len(ALL) :],
        [r for r in log[: -len(ALL)] if isinstance(r[1], dict) and r[1]["type"] == "window"],
    )
    shuffled = list(said)
    random.shuffle(shuffled)
    times = [t for t, _ in said]
    again = [(t, record) for t, (_, record) in zip(times, shuffled, strict=True)]
    assert oracle.held(run(said + ends)[0]) == oracle.held(run(again + ends)[0])


@settings(deadline=None)
@given(logs(), st.integers(0, 100))
def test_saying_a_stretch_of_the_log_again_leaves_the_same_picture(log, at):
    # The aggregate worker was killed and says everything since its checkpoint again.
    start = at % len(log)
    assert oracle.held(run(log + log[start:])[0]) == oracle.held(run(log)[0])


def test_a_lower_revision_is_ignored_and_an_equal_one_says_nothing_again():
    grid = oracle.GRIDS[0]
    log = [
        (0, oracle.window(grid, 0, 5, [3.0])),
        (1, oracle.window(grid, 0, 4, [9.0])),
        (2, oracle.window(grid, 0, 5, [3.0])),
    ]
    windows, _, state = run(log)
    assert [(w.level, w.revision) for w in windows] == [("grid", 5)]
    assert state.accounts == {"taken": 1, "repeated": 2}


def test_places_above_wait_for_the_last_shard():
    log = [(0, oracle.window(oracle.GRIDS[0], 0, 1, [1.0])), (1, oracle.progress(ALL[0], 1))]
    assert above(run(log)[0]) == []
    log.append((2, oracle.progress(ALL[1], 1)))
    assert [(w.level, w.complete, w.grids) for w in above(run(log)[0])] == [
        ("community", True, 1),
        ("street", True, 1),
        ("district", True, 1),
    ]


def test_a_silent_shard_delays_the_district_by_the_grace_and_no_more():
    log = [(0, oracle.window(oracle.GRIDS[0], 0, 1, [1.0])), (1_000, oracle.progress(ALL[0], 1))]
    assert above(run([*log, (30_999, None)])[0]) == []
    windows = above(run([*log, (31_000, None)])[0])
    assert [(w.level, w.complete) for w in windows] == [
        ("community", False),
        ("street", False),
        ("district", False),
    ]


def test_the_silent_shard_comes_back_and_the_window_is_sent_as_complete():
    log = [
        (0, oracle.window(oracle.GRIDS[0], 0, 1, [1.0])),
        (1_000, oracle.progress(ALL[0], 1)),
        (40_000, None),
        (50_000, oracle.window(oracle.GRIDS[1], 0, 7, [2.0])),
        (50_001, oracle.progress(ALL[1], 1)),
    ]
    district = [w for w in run(log)[0] if w.level == "district"]
    assert [(w.complete, w.grids, w.revision) for w in district] == [(False, 1, 1), (True, 2, 8)]


def test_a_revision_reaches_the_district_at_the_next_mark():
    log = [(0, oracle.window(oracle.GRIDS[0], 0, 1, [1.0])), *((1, oracle.progress(s, 1)) for s in ALL)]
    late = [(5, oracle.window(oracle.GRIDS[0], 0, 9, [4.0])), (6, oracle.progress(ALL[0], 2))]
    district = [w for w in run(log + late)[0] if w.level == "district"]
    assert [(w.revision, int(w.values[0])) for w in district] == [(1, 1_000_000), (9, 4_000_000)]


def test_the_state_stays_bounded_when_time_goes_on():
    log, sizes = [], []
    for minute in range(40):
        for index in range(6):
            log += [
                (minute * 60_000, oracle.window(g, minute * 6 + index, minute, [1.0])) for g in oracle.GRIDS
            ]
        log += [(minute * 60_000, oracle.progress(s, minute * 6 + 6)) for s in ALL]
        _, _, state = run(log)
        sizes.append(len(state.domains["care"].cells))
    assert max(sizes) <= 60_000 // 10_000 + 6
    assert len(set(sizes[3:])) == 1


def test_the_state_stays_bounded_when_a_shard_never_comes_back():
    log = [(0, oracle.progress(ALL[1], 0))]
    for start in range(200):
        log += [
            (start * 10_000, oracle.window(oracle.GRIDS[0], start, start, [1.0])),
            (start * 10_000, oracle.progress(ALL[0], start + 1)),
        ]
    windows, _, state = run(log)
    assert len(state.domains["care"].cells) <= SETTINGS.patience_ms // 10_000
    assert sum(w.level == "district" for w in windows) >= 195
    assert not any(w.complete for w in above(windows))


def test_windows_of_a_shard_too_far_behind_reach_their_grid_and_are_counted():
    log = [
        (0, oracle.progress(ALL[1], 0)),
        (1, oracle.progress(ALL[0], 100)),
        (2, oracle.window(oracle.GRIDS[1], 3, 1, [1.0])),
    ]
    windows, _, state = run(log)
    assert [w.level for w in windows] == ["grid"]
    assert state.accounts == {"orphaned": 1}


def test_a_window_too_old_to_change_is_left_as_it_is():
    log = [(0, oracle.progress(ALL[0], 100)), (1, oracle.window(oracle.GRIDS[0], 3, 1, [1.0]))]
    windows, _, state = run(log)
    assert windows == []
    assert state.accounts == {"final": 1}


def changed(**fields):
    return oracle.window(oracle.GRIDS[0], 0, 1, [1.0]) | fields


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"\xff\xfe", Reason.MALFORMED),
        (b"{", Reason.MALFORMED),
        (b"[]", Reason.WRONG_TYPE),
        (b'{"type": "window", "x": ' + b"[" * 100_000, Reason.MALFORMED),
        (b'{"type": "window"}', Reason.WRONG_TYPE),
        (b'{"type": "alien"}', Reason.WRONG_TYPE),
        (changed(revision="7"), Reason.WRONG_TYPE),
        (changed(window_s=0), Reason.IMPLAUSIBLE),
        (changed(metrics={}), Reason.MISSING_FIELD),
        (changed(metrics=changed()["metrics"] | {"readings": 1e300}), Reason.IMPLAUSIBLE),
        (changed(grid="370202"), Reason.UNKNOWN_PLACE),
        (changed(grid="3702 02,level=grid x"), Reason.UNKNOWN_PLACE),
    ],
)
def test_a_record_that_is_no_window_comes_out_with_its_reason_and_stops_nothing(record, reason):
    good = oracle.window(oracle.GRIDS[1], 0, 1, [1.0])
    windows, quarantined, state = run([(0, record), (1, good)])
    assert [q.reason for q in quarantined] == [reason]
    assert quarantined[0].address == "windows/0@0"
    assert [w.place for w in windows] == [oracle.GRIDS[1]]
    assert state.next_offset == 2


def test_a_batch_that_does_not_begin_where_the_state_stands_is_never_folded():
    (batch,) = oracle.batches([(0, None)])
    with pytest.raises(ValueError, match="received offset 0, expected 5"):
        fold_windows(SETTINGS, RollupState(next_offset=5), batch)


def test_a_state_of_another_version_is_outdated_and_says_which(monkeypatch):
    monkeypatch.setattr("pipelines.kernels.rollup_codec.VERSION", 99)
    data = rollup_to_bytes(RollupState())
    monkeypatch.undo()
    with pytest.raises(OutdatedState, match="received 99, allowed: 3"):
        rollup_from_bytes(data)


@settings(max_examples=20, deadline=None)
@given(logs())
def test_a_state_of_fewer_measures_is_read_with_zeros_for_the_new_ones(log):
    with pytest.MonkeyPatch.context() as patch:
        _, _, state = run(log)
        before = rollup_to_bytes(state)
        plan = type("Plan", (), {"measures": ("added", *oracle.MEASURES)})
        patch.setattr("pipelines.kernels.rollup_codec.plan_for", lambda _domain: plan)
        widened = rollup_from_bytes(before)
    for key, cell in widened.domains["care"].cells.items():
        assert not cell.sums[:, 0].any()
        assert (cell.sums[:, 1:] == state.domains["care"].cells[key].sums).all()


def test_impatience_beyond_what_revisions_need_is_refused():
    with pytest.raises(SettingsError, match="patience_ms: received 1"):
        RollupSettings(patience_ms=1)
