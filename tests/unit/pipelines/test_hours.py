"""Long windows: panes leave before they close, and still they are exact, also after late readings."""

import importlib.util
import random
from pathlib import Path

import numpy as np
import pytest

from pipelines.kernels.fold import fold
from pipelines.kernels.settled import Range, settled_windows
from pipelines.kernels.state import FoldSettings, ShardState, WindowBlock
from pipelines.kernels.state_codec import state_to_bytes
from schemas.kinds import DOMAINS, KINDS
from schemas.measures import MEASURES, OVER_TIME

_spec = importlib.util.spec_from_file_location("fold_runs", Path(__file__).with_name("fold_runs.py"))
runs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(runs)

T0 = runs.T0 // 30_000 * 30_000
END_MS = T0 + 90_000


def city_log(domain, seed=1, every_ms=250):
    """A minute and a half of readings of six devices in two grids, many up to 11 s late, some twice."""
    rng = random.Random(seed)
    kinds = [k for k in KINDS.values() if k.domain == domain]
    log = []
    for offset, append_ms in enumerate(range(T0, END_MS + 20_000, every_ms)):
        kind, device = rng.choice(kinds), rng.randrange(6)
        metric = rng.choice(kind.metrics)
        if append_ms >= END_MS:
            log.append((offset, append_ms, None))
            continue
        log.append((offset, append_ms, runs.reading(
            kind=kind.name,
            metric=metric.name,
            value=rng.randint(int(metric.low), int(min(metric.high, metric.low + 3))),
            device=f"d{device}",
            grid=f"g{device % 2}",
            subject=f"p{device // 2}" if domain == "care" else "",
            observed_at_ms=append_ms - rng.choice([0, 300, 2_000, 8_000, 11_000]),
        )))  # fmt: skip
        if rng.random() < 0.1:
            log[-1] = (offset, append_ms, rng.choice(log)[2])
    return log


def shorter(values, size_s, grid, start_ms, length_s):
    """Values of the windows of `size_s` that fill the one of `length_s`."""
    starts = range(start_ms, start_ms + length_s * 1000, size_s * 1000)
    return [values[key] for start in starts if (key := (size_s, start, grid)) in values]


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_long_window_is_the_sum_or_the_last_of_the_short_ones_or_counted_over_all_of_it(domain):
    upserts, _, _ = runs.run(domain, city_log(domain), [17], runs.LONG, reload=True)
    values = runs.final_values(upserts)
    long = [key for key in values if key[0] == 30 and T0 <= key[1] < END_MS]
    assert len(long) == 3 * 2
    distinct_below_sum = 0
    for _, start_ms, grid in long:
        whole = values[30, start_ms, grid]
        for size_s in (1, 3):
            parts = shorter(values, size_s, grid, start_ms, 30)
            for measure in MEASURES[domain]:
                added = sum(part[measure.name] for part in parts)
                if measure.over_time == "sum":
                    assert whole[measure.name] == pytest.approx(added, abs=1e-6), measure.name
                elif measure.over_time == "last":
                    assert whole[measure.name] == parts[-1][measure.name], measure.name
                else:
                    assert max(part[measure.name] for part in parts) <= whole[measure.name] <= 3
                    distinct_below_sum += whole[measure.name] < added
    assert distinct_below_sum


def test_every_rule_says_what_it_is_over_time():
    assert {term.rule for of in MEASURES.values() for measure in of for term in measure.terms} == set(
        OVER_TIME
    )


def test_a_late_reading_revises_the_long_window_that_has_closed():
    log = [
        (0, T0, runs.reading(observed_at_ms=T0, value=0)),
        (1, T0 + 28_000, runs.reading(observed_at_ms=T0 + 28_000, value=0)),
        (2, T0 + 33_000, None),
        (3, T0 + 34_000, runs.reading(observed_at_ms=T0 + 29_000, value=1)),
        (4, T0 + 36_000, None),
    ]
    upserts, _, _ = runs.run("parking", log, [1], runs.LONG, reload=True)
    told = [
        (revision, values["readings"], values["occupied"])
        for revision, size, _, _, values in upserts
        if size == 30
    ]
    assert told == [(2, 2, 0), (4, 3, 1)]


def test_of_a_log_that_was_cut_windows_that_began_before_it_are_not_sent():
    log = [(offset + 7, append_ms, r) for offset, append_ms, r in city_log("security")]
    state = ShardState("security", next_offset=7)
    sent = set()
    for batch in runs.batches(log, [50], begin=7):
        flushes = fold(runs.LONG, state, batch).flushes
        sent |= {(block.window_s, block.start_ms) for flush in flushes for block in flush.blocks}
    begins_ms = T0 + runs.LONG.skew_max_ms
    assert min(start for _, start in sent) == begins_ms
    assert {start for size, start in sent if size == 30} == {T0 + 30_000, T0 + 60_000}


def test_what_has_passed_of_an_hour_takes_little_of_a_checkpoint():
    """With an hour's readings held the state would be six times as large."""
    log = []
    for number in range(3500):
        at_ms, device = T0 + number * 1000, number % 400
        sent = {"device": f"d{device}", "grid": f"g{device % 40}", "value": number // 400 % 2}
        log.append((number, at_ms, runs.reading(observed_at_ms=at_ms, **sent)))
    sizes = {}
    for window_s in ((10, 60), (10, 60, 3600)):
        settings = FoldSettings(window_s)
        _, _, state = runs.run("parking", log, [1000], settings)
        sizes[window_s] = len(state_to_bytes(settings, state))
    assert sizes[10, 60, 3600] < 1.1 * sizes[10, 60]


def test_settled_windows_hold_the_hour_too():
    log = city_log("governance")
    live = runs.final_values(runs.run("governance", log, [13], runs.LONG)[0])
    settled = settled_windows(runs.LONG, ShardState("governance"), runs.batches(log, [29]), Range(T0, END_MS))
    hours = {(30, w.start_ms, grid) for w in settled if w.window_s == 30 for grid in w.grids}
    assert hours == {key for key in live if key[0] == 30 and T0 <= key[1] < END_MS}


def test_a_range_takes_the_hours_it_touches_and_of_shorter_windows_those_within():
    hour_ms = 3_600_000
    wanted = Range(2 * hour_ms + 600_000, 2 * hour_ms + 1_200_000)
    held = [
        (size, start)
        for size in (60, 3600)
        for start in range(0, 5 * hour_ms, size * 1000)
        if wanted.holds(WindowBlock(size, start, [], np.empty((0, 0), np.int64)))
    ]
    assert held[-1] == (3600, 2 * hour_ms)
    assert held[0] == (60, wanted.from_ms)
    assert len(held) == 10 + 1
    beside = Range(2 * hour_ms, 3 * hour_ms)
    assert not beside.holds(WindowBlock(3600, hour_ms, [], np.empty((0, 0), np.int64)))
    assert not beside.holds(WindowBlock(3600, 3 * hour_ms, [], np.empty((0, 0), np.int64)))
