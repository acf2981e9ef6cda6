"""From raw answers to the snapshot."""

import json

import pytest
from rich.console import Console

from deploy.embedded.state import PartState, StackState
from schemas.kinds import DOMAINS
from schemas.topics import LARGE_BYTES
from taishi.status.assemble import assemble
from taishi.status.exposition import parse
from taishi.status.gathered import Gathered, LogEnds, WindowRow
from taishi.status.render import render, to_json

NOW_MS = 1_763_872_200_000
CONNECTORS = """
# TYPE taishi_messages_received counter
taishi_messages_received_total{source="mqtt.chirpstack"} 50.0
taishi_messages_received_created{source="mqtt.chirpstack"} 1.76e9
taishi_messages_acknowledged_total{source="mqtt.chirpstack"} 47.0
taishi_messages_in_flight{source="mqtt.chirpstack"} 3.0
taishi_readings_forwarded_total{source="mqtt.chirpstack"} 90.0
taishi_quarantined_total{source="mqtt.chirpstack",reason="malformed"} 2.0
taishi_quarantined_total{source="mqtt.chirpstack",reason="future"} 0.0
"""
AGGREGATE = """
taishi_readings_consumed_total{source="mqtt.chirpstack"} 90.0
taishi_readings_stored_total{source="mqtt.chirpstack"} 85.0
taishi_readings_late_total{source="mqtt.chirpstack"} 4.0
taishi_readings_quarantined_total{source="mqtt.chirpstack",reason="future"} 1.0
taishi_lag_records{shard="readings.parking/0"} 7
taishi_watermark_age_seconds{shard="readings.parking/0"} 5.5
taishi_checkpoint_bytes{shard="readings.parking/0"} 1024
"""
PARKING = {"spaces": 100.0, "occupied": 60.0, "unknown": 20.0, "occupancy": 0.75}


def stack(*parts):
    return StackState(1, NOW_MS, parts or (PartState("kafka", "healthy", NOW_MS, pid=7, rss_bytes=2**28),))


def gathered(**given):
    row = WindowRow(NOW_MS - 20_000, PARKING, simulated=True)
    facts = {
        "at_ms": NOW_MS,
        "running": True,
        "stack": stack(),
        "metrics": {"connect-mqtt": CONNECTORS, "worker-aggregate": AGGREGATE},
        "unreachable": {},
        "log": LogEnds({"readings.parking/0": 100}, {"readings.parking/0": 93}),
        "windows": dict.fromkeys(DOMAINS, row),
    }
    return Gathered(**(facts | given))


def snapshot(before=None, **given):
    return assemble("370202", 10, gathered(**given), before)


def shown(snap, width=200):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123 - a sink
    with console.file:
        console.print(render(snap))
        return console.export_text()


def test_a_well_installation_has_no_problems():
    snap = snapshot()
    assert snap.well, snap.problems
    assert {check.verdict for check in snap.checks} == {"holds", "unknown"}


def test_notifications_that_every_channel_refuses_are_a_problem():
    refused = snapshot(metrics={"oncall": "taishi_notifications_parked 2\n"})
    assert any("refuses what they are told (2 notifications are parked)" in each for each in refused.problems)
    assert not any(
        "refuses" in each for each in snapshot(metrics={"oncall": "taishi_notifications_parked 0\n"}).problems
    )


def test_a_source_has_what_the_connectors_and_the_aggregate_say():
    (source,) = snapshot().sources
    assert (source.received, source.acknowledged, source.in_flight) == (50, 47, 3)
    assert (source.consumed, source.stored, source.late) == (90, 85, 4)
    assert source.messages_quarantined == {"malformed": 2}
    assert source.readings_quarantined == {"future": 1}
    assert source.readings_per_s is None


def test_the_rate_comes_from_two_looks():
    before = gathered(at_ms=NOW_MS - 2000, metrics={"connect-mqtt": CONNECTORS.replace("90.0", "70.0")})
    assert snapshot(before).sources[0].readings_per_s == 10.0


def test_a_counter_that_fell_gives_no_rate():
    before = gathered(at_ms=NOW_MS - 2000, metrics={"connect-mqtt": CONNECTORS.replace("90.0", "99.0")})
    assert snapshot(before).sources[0].readings_per_s is None


def test_a_source_without_a_connector_has_the_rate_of_the_aggregate():
    now = 'taishi_readings_consumed_total{source="file.tihm"} 90\n'
    before = gathered(at_ms=NOW_MS - 2000, metrics={"worker-aggregate": now.replace("90", "50")})
    assert snapshot(before, metrics={"worker-aggregate": now}).sources[0].readings_per_s == 20.0


def test_sources_that_sent_nothing_stand_in_one_line():
    silent = 'taishi_messages_received_total{source="http.fhir"} 0\n'
    assert "尚无数据 nothing yet: http.fhir" in shown(snapshot(metrics={"connect-http": silent}))


def test_every_shard_of_the_readings_is_listed_whether_the_worker_speaks_or_not():
    shards = snapshot(metrics={}).shards
    assert len(shards) == 4 * len(DOMAINS)
    assert {shard.lag_records for shard in shards} == {None}
    assert snapshot().shards[0].lag_records == 7


def test_a_part_that_is_down_is_a_problem_with_its_reason():
    snap = snapshot(
        stack=stack(PartState("influxdb", "backing-off", NOW_MS, restarts=3, detail="exit code 1"))
    )
    assert snap.problems == ("influxdb: backing-off: exit code 1",)
    assert "稍后重启 backing-off" in shown(snap)


def test_a_healthy_part_whose_metrics_are_silent_is_a_problem():
    part = PartState("connect-http", "healthy", NOW_MS)
    assert not snapshot(stack=stack(part), unreachable={"connect-http": "refused"}).well


def test_the_last_words_of_a_dead_supervisor_are_not_taken_for_now():
    snap = snapshot(running=False)
    assert snap.parts[0].state == "unsupervised"
    assert not snap.well


def test_nothing_at_all_runs_is_one_clear_sentence():
    snap = snapshot(running=False, stack=None, metrics={}, log="Kafka: refused", windows="InfluxDB: refused")
    assert snap.problems == ("nothing runs here: `taishi up` starts everything",)


def test_a_stack_that_was_stopped_is_the_same_one_sentence():
    stopped = stack(PartState("kafka", "stopped", NOW_MS), PartState("influxdb", "stopped", NOW_MS))
    snap = snapshot(running=False, stack=stopped, metrics={}, log="Kafka: refused")
    assert snap.problems == ("nothing runs here: `taishi up` starts everything",)


def test_without_a_supervisor_the_parts_that_carry_the_flow_must_answer():
    snap = snapshot(running=False, stack=None, unreachable={"connect-http": "refused", "simulate": "refused"})
    assert snap.problems == ("connect-http: unreachable: refused",)
    assert {part.name for part in snap.parts if part.well} >= {"connect-mqtt", "worker-aggregate"}


@pytest.mark.parametrize("field", ["log", "windows"])
def test_a_store_that_does_not_answer_is_named(field):
    assert snapshot(**{field: "it does not answer"}).problems == ("it does not answer",)


def test_metrics_that_are_not_metrics_are_a_problem_of_their_part():
    snap = snapshot(stack=stack(PartState("simulate", "healthy", NOW_MS)), metrics={"simulate": "<html>{"})
    assert "not Prometheus text" in snap.problems[0]


def test_an_old_window_is_stale_and_said():
    old = WindowRow(NOW_MS - 120_000, PARKING)
    snap = snapshot(windows={"parking": old, "security": None, "care": WindowRow(NOW_MS - 20_000, {})})
    assert snap.problems == ("parking: the district's newest window ended 110 s ago",)
    assert "过期 stale" in shown(snap)
    assert "无数据 no window yet" in shown(snap)


def test_readings_without_any_window_are_a_problem_and_silence_is_none():
    nothing = dict.fromkeys(DOMAINS)
    assert snapshot(windows=nothing).problems == ("readings are stored, and the district has no window yet",)
    assert snapshot(windows=nothing, metrics={}).well


def test_simulated_figures_are_marked_and_real_ones_are_not():
    real = dict.fromkeys(DOMAINS, WindowRow(NOW_MS - 20_000, PARKING))
    assert "模拟 simulated" in shown(snapshot())
    assert "模拟 simulated" not in shown(snapshot(windows=real))


def test_sums_without_a_silent_shard_are_marked():
    row = WindowRow(NOW_MS - 20_000, PARKING | {"complete": 0.0})
    assert shown(snapshot(windows=dict.fromkeys(DOMAINS, row))).count("不全 incomplete") == len(DOMAINS)


@pytest.mark.parametrize(("size_bytes", "said"), [(LARGE_BYTES // 2, False), (LARGE_BYTES // 2 + 1, True)])
def test_a_checkpoint_beyond_half_of_what_a_record_may_hold_is_a_problem(size_bytes, said):
    metrics = {"worker-aggregate": f'taishi_checkpoint_bytes{{shard="readings.care/1"}} {size_bytes}\n'}
    problems = snapshot(metrics=metrics).problems
    assert any("readings.care/1: its checkpoint holds 16 of at most 32 MiB" in p for p in problems) == said


def test_words_of_others_are_shown_as_they_are():
    part = PartState("influxdb", "unhealthy", NOW_MS, detail="[red]refused[/nothing]")
    assert "[red]refused[/nothing]" in shown(snapshot(stack=stack(part)))


def test_a_store_that_lost_what_it_acknowledged_is_a_problem_until_it_was_seen():
    failed = {"worker-situation": "taishi_canary_failures_total 1\n"}
    assert "had acknowledged" in snapshot(gathered(metrics={}), metrics=failed).problems[0]
    assert snapshot(gathered(metrics=failed), metrics=failed).well


def test_the_table_shows_the_key_figures_in_both_languages():
    text = shown(snapshot())
    for words in (
        "车位 spaces 100",
        "占用率 occupancy 75.0%",
        "mqtt.chirpstack",
        "malformed 2",
        "一切正常 all well",
    ):
        assert words in text


def test_json_holds_everything_and_is_plain():
    data = json.loads(json.dumps(to_json(snapshot())))
    assert data["well"] is True
    assert data["sources"][0]["stored"] == 85
    assert data["domains"][0]["values"]["occupancy"] == 0.75


def test_equal_samples_of_two_processes_are_added():
    scrape = parse([CONNECTORS, CONNECTORS])
    assert scrape.by("taishi_messages_received_total", "source") == {"mqtt.chirpstack": 100.0}
    assert scrape.total("taishi_absent_total") is None


def test_the_size_of_the_store_is_shown_by_policy():
    snap = snapshot(stored={"taishi/10s": 3 * 2**20, "taishi/1m": 2**19})
    assert "时序库 Store taishi/10s 3.0 MiB · taishi/1m 0.5 MiB" in shown(snap)
    assert to_json(snap)["stored_bytes"] == {"taishi/10s": 3 * 2**20, "taishi/1m": 2**19}
    assert "Store" not in shown(snapshot())
