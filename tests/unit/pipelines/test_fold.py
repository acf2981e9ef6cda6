"""The fold against a slow oracle, and the laws it must keep."""

import importlib.util
import json
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.state import ACCOUNTS, FoldSettings, ShardState
from pipelines.kernels.state_codec import state_from_bytes, state_to_bytes
from schemas.errors import SettingsError
from schemas.kinds import DOMAINS, KINDS
from schemas.quarantine import Reason


def _load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runs = _load("fold_runs")
oracle = _load("fold_oracle").oracle
T0, SHORT, LONG = runs.T0, runs.SHORT, runs.LONG
batches, run, final_values, reading = runs.batches, runs.run, runs.final_values, runs.reading


@st.composite
def logs(draw, domain):
    """A log: append times mostly grow, event times lie around them, devices and times repeat."""
    kinds = [k for k in KINDS.values() if k.domain == domain]
    append_ms, log, offset = T0, [], draw(st.integers(0, 3))
    for _ in range(draw(st.integers(1, 45))):
        append_ms += draw(st.sampled_from([0, 0, 1, 200, 700, 1500, -300, 4000, 30_000, 100_000_000]))
        offset += draw(st.sampled_from([1, 1, 1, 2]))
        if draw(st.integers(0, 9)) == 0:
            log.append((offset, append_ms, None))
            continue
        kind = draw(st.sampled_from(kinds))
        metric = draw(st.sampled_from(kind.metrics))
        value = draw(st.integers(0, 3)) if metric.high <= 1_000_000 else 0
        log.append((offset, append_ms, reading(
            kind=kind.name,
            metric=metric.name,
            value=draw(st.sampled_from([value, metric.low, metric.high])),
            device=draw(st.sampled_from(["d1", "d2"])),
            grid=draw(st.sampled_from(["g1", "g2"])),
            observed_at_ms=append_ms
            - draw(st.sampled_from([0, 1, 500, 900, 2500, 4000, 9000, 13_000, 20_000, -3000, -5000])),
            seq=draw(st.integers(0, 1)),
            subject=draw(st.sampled_from(["", "p1", "p2"])) if domain == "care" else "",
            simulated=draw(st.booleans()),
        )))  # fmt: skip
    return log


@pytest.mark.parametrize("fold_settings", [SHORT, LONG], ids=["short", "long"])
@pytest.mark.parametrize("domain", DOMAINS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_every_upsert_equals_the_slow_oracle_whatever_the_batches(domain, fold_settings, data):
    log = data.draw(logs(domain))
    for _, _, r in log:
        if r is not None and domain == "care":
            r["subject"] = {"d1": "p1", "d2": ""}[r["device"]]
    sizes = data.draw(st.sampled_from([[1], [1000], [3], [1, 7, 2]]))
    upserts, accounts, _ = run(domain, log, sizes, fold_settings, reload=data.draw(st.booleans()))
    expected, expected_accounts = oracle(domain, fold_settings, log)
    assert final_values(upserts) == final_values(expected)
    assert {k: v for k, v in accounts.items() if v and k != "consumed"} == expected_accounts


@pytest.mark.parametrize("domain", DOMAINS)
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_batch_sizes_restarts_and_ways_to_read_change_nothing_not_even_revisions(domain, data):
    log = data.draw(logs(domain))
    first, first_accounts, _ = run(domain, log, [1], LONG)
    # By template where records are at least so many, else decoded one by one, as in the first run.
    for sizes, least_rows in (([2], 1), ([7, 1], 1000), ([1000], 1)):
        with patch("pipelines.kernels.columns.LEAST_ROWS", least_rows):
            again, accounts, _ = run(domain, log, sizes, LONG, reload=True)
        assert again == first
        assert accounts == first_accounts


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_every_reading_is_accounted_for(data):
    log = data.draw(logs("security"))
    _, accounts, _ = run("security", log, [5])
    assert accounts["consumed"] == sum(r is not None for _, _, r in log)
    assert accounts["consumed"] == sum(accounts[what] for what in ACCOUNTS[1:])


def test_a_duplicate_changes_nothing_and_is_counted():
    log = [(i, T0 + i * 10, reading()) for i in range(5)] + [(5, T0 + 60_000, None)]
    upserts, accounts, _ = run("parking", log, [2])
    once, _, _ = run("parking", [log[0], (5, T0 + 60_000, None)], [2])
    assert [u[1:] for u in upserts] == [u[1:] for u in once]
    assert accounts["duplicate"] == 4


def test_a_late_reading_sends_the_same_window_again_whole_with_a_higher_revision():
    log = [
        (0, T0, reading(domain="security", device="a")),
        (1, T0 + 5_000, None),
        (2, T0 + 5_001, reading(domain="security", device="b", observed_at_ms=T0 + 1)),
        (3, T0 + 9_000, None),
    ]
    upserts, _, _ = run("security", log, [1])
    versions = [u for u in upserts if u[1:3] == (1, T0 // 1000 * 1000)]
    assert [u[0] for u in versions] == [1, 3]
    assert [u[4]["devices"] for u in versions] == [1, 2]
    assert set(versions[0][4]) == set(versions[1][4])


def test_a_rogue_clock_moves_nothing_and_is_refused_as_future():
    state = ShardState("parking")
    log = [(0, T0, reading(observed_at_ms=T0 + 10**9)), (1, T0 + 1, reading(device="d2"))]
    (batch,) = batches(log, [10])
    output = fold(SHORT, state, batch)
    assert [(r.index, r.reason) for r in output.rejections] == [(0, Reason.FUTURE)]
    assert state.watermark_ms == T0 + 1 - SHORT.delay_ms


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xff\xfe", Reason.MALFORMED),
        (b'{"kind": "parking.space"', Reason.MALFORMED),
        (b"[]", Reason.WRONG_TYPE),
        (b"{}", Reason.MISSING_FIELD),
        (json.dumps(reading(value="1")).encode(), Reason.WRONG_TYPE),
        (json.dumps(reading(observed_at_ms=10**30)).encode(), Reason.WRONG_TYPE),
        (json.dumps(reading(observed_at_ms=-5)).encode(), Reason.WRONG_TYPE),
        (json.dumps(reading(kind="parking.cloud")).encode(), Reason.UNSUPPORTED),
        (json.dumps(reading(kind="care.bed", metric="in_bed")).encode(), Reason.UNSUPPORTED),
        (json.dumps(reading(device="")).encode(), Reason.UNKNOWN_DEVICE),
        (json.dumps(reading(grid="a,b c")).encode(), Reason.UNKNOWN_PLACE),
        (json.dumps(reading(value=7)).encode(), Reason.IMPLAUSIBLE),
        (b"[" * 20_000, Reason.WRONG_TYPE),
    ],
)
def test_a_bad_record_is_an_output_with_its_reason_and_its_neighbours_are_folded(value, reason):
    state = ShardState("parking")
    good = json.dumps(reading()).encode()
    append = np.array([T0, T0, T0], np.int64)
    batch = ShardBatch("s", 0, 3, np.arange(3), append, [good, value, good.replace(b"d1", b"d2")])
    output = fold(SHORT, state, batch)
    assert [(r.index, r.reason) for r in output.rejections] == [(1, reason)]
    assert state.accounts.sum(axis=1).tolist() == [3, 2, 0, 0, 1]
    again = state_from_bytes(SHORT, state_to_bytes(SHORT, state))
    assert again.refused == state.refused
    assert [(key[1], count) for key, count in again.refused.items()] == [(reason, 1)]


def test_a_batch_that_does_not_begin_where_the_state_ends_never_gets_in():
    log = [(5, T0, reading())]
    (batch,) = batches(log, [1])
    state = ShardState("parking", next_offset=3)
    with pytest.raises(ValueError, match="received offset 0, expected 3"):
        fold(SHORT, state, batch)


def test_a_stop_of_days_does_not_send_the_windows_nobody_watched():
    day = 86_400_000
    log = [(0, T0, reading()), (1, T0 + 3 * day, None), (2, T0 + 3 * day + 3000, None)]
    upserts, _, _ = run("parking", log, [1])
    starts = {start for _, size, start, *_ in upserts if size == 1}
    assert min(starts) == T0
    assert len(starts) < 30


def test_a_silent_space_becomes_unknown_and_is_neither_free_nor_occupied():
    hour = 3_600_000
    log = [(0, T0, reading()), (1, T0 + 26 * hour, None), (2, T0 + 26 * hour + 2000, None)]
    upserts, _, _ = run("parking", log, [1])
    last = upserts[-1][4]
    assert (last["spaces"], last["occupied"], last["unknown"]) == (1, 0, 1)


def test_other_window_sizes_than_the_checkpoints_are_refused_by_name():
    data = state_to_bytes(SHORT, ShardState("care"))
    with pytest.raises(SettingsError, match="window_s"):
        state_from_bytes(FoldSettings(), data)


@pytest.mark.parametrize("sizes", [(), (0,), (90,), (10, 25), (10, 5)])
def test_window_sizes_that_cannot_be_are_refused(sizes):
    with pytest.raises(SettingsError, match="window_s"):
        FoldSettings(window_s=sizes)
