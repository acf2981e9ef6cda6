"""One occurrence, one alert, whatever comes twice, late, in pieces or after a restart."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.signals.codec import signals_from_bytes, signals_to_bytes
from pipelines.kernels.signals.fold import CHATTER_MS, KEPT_MS, SignalsState, fold_signals
from pipelines.kernels.signals.table import SIGNALS
from schemas.errors import OutdatedState
from schemas.signals import SIGNAL_TYPES, Signal, signal_id

T0 = 1_795_392_000_000
GRID = "370202001001001"


def signal(at_ms, state="active", *, kind="smoke", device="d1", alarm="", heard_ms=0, late_ms=200):
    at = T0 + at_ms
    return Signal(
        id=signal_id(device, kind, alarm, state, at),
        type=kind,
        state=state,
        device=device,
        grid=GRID,
        source="mqtt.x",
        observed_at_ms=at,
        received_at_ms=max(at, T0 + heard_ms if heard_ms else 0) + late_ms,
        alarm=alarm,
        heard_at_ms=T0 + heard_ms if heard_ms else 0,
    )


def batches(signals, sizes=(1,)):
    """The log cut into batches; a record's append time is when it was received."""
    values = [s if isinstance(s, bytes) else msgspec.json.encode(s) for s in signals]
    times = [T0 if isinstance(s, bytes) else s.received_at_ms for s in signals]
    start, turn = 0, 0
    while start < len(values):
        stop = min(len(values), start + sizes[turn % len(sizes)])
        yield ShardBatch("signals/0", start, stop, np.arange(start, stop),
                         np.array(times[start:stop], np.int64), values[start:stop])  # fmt: skip
        start, turn = stop, turn + 1


def run(*signals, sizes=(1,), restart=False, state=None):
    """Every alert written, in order."""
    state, written = state or SignalsState(), []
    for batch in batches(signals, sizes):
        written += [alert for _, alert in fold_signals(state, batch).alerts]
        if restart:
            state = signals_from_bytes(signals_to_bytes(state))
    return written


def newest(written):
    """What the compacted topic holds."""
    return {alert.id: alert for alert in written}


@pytest.mark.parametrize("kind", SIGNAL_TYPES)
def test_every_type_raises_an_alert_in_chinese_and_english_with_its_severity(kind):
    (alert,) = run(signal(0, kind=kind))
    meaning = SIGNALS[kind]
    assert (alert.severity, alert.latched, alert.domain) == (
        meaning.severity,
        meaning.latched,
        SIGNAL_TYPES[kind],
    )
    assert (alert.active, alert.onset_ms, alert.place, alert.level) == (True, T0, GRID, "grid")
    assert alert.title.startswith(meaning.chinese)
    assert "设备 d1" in alert.explanation


def test_begin_marks_and_end_are_one_alert():
    written = run(
        signal(0), signal(0, heard_ms=60_000), signal(0, heard_ms=120_000), signal(150_000, "cleared")
    )
    (alert,) = newest(written).values()
    assert (alert.active, alert.cleared_ms - T0, alert.told_ms - T0, alert.count) == (
        False,
        150_000,
        120_000,
        1,
    )
    assert [a.revision for a in written] == [0, 1, 2, 3]


def test_the_same_record_again_writes_nothing():
    assert len(run(signal(0), signal(0), signal(0))) == 1
    assert len(run(signal(0), signal(5, "cleared"), signal(0), signal(5, "cleared"))) == 2


def test_an_end_without_a_begin_is_nothing():
    assert run(signal(0, "cleared")) == []


def test_three_transitions_in_a_minute_are_chatter_and_one_alert():
    states = ("active", "cleared", "active", "cleared", "active")
    flips = [signal(at, state) for at, state in zip(range(0, 50_000, 10_000), states, strict=True)]
    (alert,) = newest(run(*flips)).values()
    assert (alert.chattering, alert.count, alert.active) == (True, 3, True)
    assert "共 3 次" in alert.explanation


def test_presses_within_a_minute_are_one_alert_and_a_later_one_is_another():
    written = run(*(signal(at, kind="sos") for at in (0, 5_000, 10_000, 10_000 + CHATTER_MS + 1)))
    first, second = newest(written).values()
    assert (first.count, first.active, first.latched) == (3, False, True)
    assert (second.count, second.active) == (1, True)


def test_an_occurrence_after_its_end_is_another_alert():
    written = run(signal(0), signal(10_000, "cleared"), signal(200_000))
    assert [a.active for a in newest(written).values()] == [False, True]


def test_an_older_one_told_late_is_an_alert_that_is_over_and_the_newer_one_stays():
    written = run(signal(1_000_000), signal(0, late_ms=1_100_000), signal(1_200_000, "cleared"))
    newer, older = newest(written).values()
    assert (older.onset_ms - T0, older.active) == (0, False)
    assert "迟到 1100 秒" in older.explanation
    assert (newer.onset_ms - T0, newer.active, newer.cleared_ms - T0) == (1_000_000, False, 1_200_000)


def test_a_late_end_does_not_end_what_is_newer():
    (alert,) = newest(run(signal(100_000), signal(50_000, "cleared"))).values()
    assert alert.active


def test_what_is_no_signal_comes_out_with_its_reason_and_stops_nothing():
    state = SignalsState()
    meteor = msgspec.json.encode(msgspec.structs.replace(signal(0), type="meteor"))
    (batch,) = batches([b"rubbish", b"\xff", b"{}", meteor, signal(0)], (10,))
    output = fold_signals(state, batch)
    reasons = [q.reason.value for q in output.quarantined]
    assert reasons == ["malformed", "malformed", "wrong_type", "unsupported"]
    assert [q.address for q in output.quarantined] == [f"signals/0@{n}" for n in range(4)]
    assert len(output.alerts) == 1


def test_a_batch_that_begins_elsewhere_is_refused():
    with pytest.raises(ValueError, match="received offset 0, expected 7"):
        fold_signals(SignalsState(next_offset=7), next(batches([signal(0)])))


def test_a_state_of_another_version_is_outdated(monkeypatch):
    monkeypatch.setattr("pipelines.kernels.signals.codec.VERSION", 99)
    data = signals_to_bytes(SignalsState())
    monkeypatch.undo()
    with pytest.raises(OutdatedState, match="received 99, allowed: 1"):
        signals_from_bytes(data)


def test_alarms_that_ended_long_ago_are_forgotten_and_active_ones_never():
    state = SignalsState()
    devices = [f"d{number}" for number in range(1_001)]
    run(
        *(signal(0, device=d) for d in devices),
        *(signal(1, "cleared", device=d) for d in devices[1:]),
        state=state,
    )
    assert len(state.watched) == 1_001
    late = signal(2, device="new", late_ms=KEPT_MS + 10_000)
    (batch,) = batches([late])
    state.next_offset = 0  # another log: only its clock matters here
    fold_signals(state, batch)
    assert {key[0] for key in state.watched} == {"d0", "new"}


STEPS = st.lists(
    st.tuples(
        st.integers(-100_000, 100_000), st.sampled_from(["active", "cleared"]),
        st.sampled_from(["smoke", "sos"]), st.sampled_from(["d1", "d2"]), st.booleans(),
    ),
    max_size=20,
)  # fmt: skip


@given(STEPS, st.sampled_from([(1000,), (3,), (1, 4)]), st.booleans())
def test_batches_restarts_and_records_that_come_twice_change_nothing(steps, sizes, restart):
    at_ms, log = 0, []
    for step_ms, state, kind, device, twice in steps:
        at_ms = max(0, at_ms + step_ms)
        each = signal(at_ms, state, kind=kind, device=device)
        log += [each, each] if twice else [each]
    whole = run(*log)
    assert run(*log, sizes=sizes, restart=restart) == whole
    once = [each for at, each in enumerate(log) if at == 0 or each != log[at - 1]]

    def plain(written):
        return [msgspec.structs.replace(alert, revision=0) for alert in written]

    assert plain(run(*once)) == plain(whole)
