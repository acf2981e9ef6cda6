"""From presence to alerts: a device, a feed, a person."""

import msgspec
import numpy as np

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.watch.codec import SILENCE
from pipelines.kernels.watch.silence import SilenceState, fold_silence
from schemas.presence import Pulse, Silence, Stillness

T0 = 1_790_000_000_000
GRID = "370202001001001"


def fold(records, cuts=()):
    """The alerts of a log of presence records; a restart at each cut."""
    state, output = SilenceState("370202"), []
    for start, stop in zip([0, *cuts], [*cuts, len(records)], strict=True):
        state = SILENCE.from_bytes(SILENCE.to_bytes(state))
        values = [
            r if r is None or isinstance(r, bytes) else msgspec.json.encode(r) for r in records[start:stop]
        ]
        offsets = np.arange(start, stop)
        output += fold_silence(
            state, ShardBatch("presence/0", start, stop, offsets, np.zeros(stop - start, np.int64), values)
        )
    return output


def pulses(first_s, last_s, *sources):
    return [
        Pulse(shard="readings.care/0", at_ms=T0 + s * 1000, sources=dict.fromkeys(sources, 3), simulated={})
        for s in range(first_s, last_s, 10)
    ]


def silence(at_s, *, device="d", since_s=0, active=True, source="mqtt.a"):
    return Silence(shard="readings.care/0", device=device, kind="care.bed", source=source, grid=GRID,
                   active=active, since_ms=T0 + since_s * 1000, at_ms=T0 + at_s * 1000,
                   allowed_s=300)  # fmt: skip


def test_a_silent_device_is_one_alert_until_it_is_heard_again():
    log = [*pulses(0, 1000, "mqtt.a"), silence(1000, since_s=700), silence(1000, since_s=700),
           silence(1500, since_s=700, active=False)]  # fmt: skip
    begun, over = fold(log)
    assert (begun.rule, begun.severity, begun.place, begun.device) == ("silence.care.bed", "low", GRID, "d")
    assert begun.title == "床位传感器离线 bed sensor silent"
    assert "已 5 分钟 无数据" in begun.explanation
    assert (over.id, over.active, over.cleared_ms) == (begun.id, False, T0 + 1_500_000)
    assert over.revision > begun.revision


def test_a_dead_feed_is_one_alert_and_not_one_for_each_of_its_573_devices():
    log = [*pulses(0, 1200, "mqtt.a", "mqtt.b"), *pulses(1200, 1900, "mqtt.b")]
    log += [silence(1900, device=f"d-{n}", since_s=1190) for n in range(573)]
    (alert,) = fold(log)
    assert (alert.rule, alert.device, alert.level, alert.severity) == (
        "silence.feed",
        "mqtt.a",
        "district",
        "high",
    )
    assert alert.onset_ms == T0 + 1_190_000
    assert 60 <= alert.observed <= 80


def test_devices_that_do_not_come_back_with_their_feed_are_told_of_then():
    log = [*pulses(0, 1200, "mqtt.a", "mqtt.b"), *pulses(1200, 1900, "mqtt.b")]
    log += [silence(1900, device=name, since_s=1190) for name in ("gone", "back")]
    log += [*pulses(1900, 2000, "mqtt.a", "mqtt.b"), silence(2000, device="back", since_s=1190, active=False)]
    log += pulses(2000, 2600, "mqtt.a", "mqtt.b")
    feed, over, device = fold(log)
    assert (feed.rule, over.id, over.active) == ("silence.feed", feed.id, False)
    assert (device.rule, device.device, device.active) == ("silence.care.bed", "gone", True)


def test_a_feed_that_was_hardly_known_and_a_recording_that_ended_are_no_dead_feeds():
    assert fold([*pulses(0, 300, "mqtt.a", "file.tihm"), *pulses(300, 4000, "mqtt.b")]) == []
    assert fold([*pulses(0, 1200, "file.tihm"), *pulses(1200, 4000, "mqtt.b")]) == []


def test_a_log_that_stood_still_makes_no_feed_dead():
    resumed = sorted([*pulses(9000, 9200, "mqtt.b"), *pulses(9040, 9200, "mqtt.a")], key=lambda p: p.at_ms)
    assert fold([*pulses(0, 1200, "mqtt.a"), *resumed]) == []


def still(at_s, *, active=True, since_s=0):
    return Stillness(shard="s", subject="p-123456789", grid=GRID, source="mqtt.a", active=active,
                     since_ms=T0 + since_s * 1000, at_ms=T0 + at_s * 1000, expected=40.0)  # fmt: skip


def test_a_person_who_does_not_move_is_told_of_while_their_feed_is_well():
    begun, over = fold([*pulses(0, 1200, "mqtt.a"), still(1200), still(1300, active=False)])
    assert (begun.rule, begun.severity, begun.subject) == ("silence.person", "high", "p-123456789")
    assert begun.title.startswith("长时间无活动")
    assert (over.id, over.active) == (begun.id, False)


def test_nobody_is_still_while_the_feed_of_their_sensors_is_dead():
    log = [*pulses(0, 1200, "mqtt.a", "mqtt.b"), *pulses(1200, 1900, "mqtt.b"), still(1900, since_s=1100)]
    assert [alert.rule for alert in fold(log)] == ["silence.feed"]


def test_restarts_change_nothing_and_what_is_no_record_is_passed_over():
    log = [*pulses(0, 1200, "mqtt.a", "mqtt.b"), b"?", None, *pulses(1200, 1900, "mqtt.b"),
           silence(1900, since_s=1190),
           still(1900, since_s=100), *pulses(1900, 2700, "mqtt.a"), still(2700, active=False)]  # fmt: skip
    assert fold(log, cuts=range(1, len(log), 7)) == fold(log)
    assert len(fold(log)) > 3
