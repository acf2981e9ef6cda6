"""`taishi quarantine` and `taishi status` against a real Kafka and InfluxDB."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from schemas.quarantine import Quarantined, Reason
from schemas.topics import QUARANTINE

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

LARGE = b"\xff\x00" + b"x" * 10_000_000
SOURCE = "mqtt.test-commands"
HELD = [
    Quarantined(
        reason=reason, detail=detail, source=SOURCE, address=address, received_at_ms=1, payload=payload
    )
    for reason, detail, address, payload in (
        (Reason.OVERSIZE, "received 10 MB", "application/1/device/ab/event/up", LARGE),
        (Reason.FUTURE, "received 90 s ahead", "readings.parking/2:7", b'{"kind": "parking.space"}'),
        (Reason.MALFORMED, "received a cut frame", "a/topic/with/+", b"\x1b[31m{"),
    )
]


@pytest.fixture(scope="module")
def positions(stack: Stack) -> list[str]:
    """The three records, put into quarantine; their positions."""
    put: list[str] = []
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap, "message.max.bytes": 32 * 2**20})
    for each in HELD:
        producer.produce(
            QUARANTINE, each.payload, key=SOURCE, headers=each.headers(),
            on_delivery=lambda _error, message: put.append(f"{message.partition()}:{message.offset()}"),
        )  # fmt: skip
        producer.flush(30)
    assert len(put) == len(HELD)
    return put


def test_list_shows_facts_and_no_content(stack: Stack, positions: list[str]) -> None:
    listed = json.loads(stack.run("quarantine", "list", "--source", SOURCE, "--json").stdout)
    assert [row["position"] for row in listed] == positions
    assert [row["reason"] for row in listed] == ["oversize", "future", "malformed"]
    assert listed[0]["bytes"] == len(LARGE)
    assert "parking.space" not in json.dumps(listed)


def test_list_takes_reason_and_time(stack: Stack, positions: list[str]) -> None:
    words = ("quarantine", "list", "--source", SOURCE, "--reason", "future", "--since", "1h", "--json")
    assert [row["position"] for row in json.loads(stack.run(*words).stdout)] == [positions[1]]
    later = ("quarantine", "list", "--source", SOURCE, "--since", "2100-01-01", "--json")
    assert json.loads(stack.run(*later).stdout) == []


def test_show_masks_and_raw_returns_the_original_bytes(stack: Stack, positions: list[str], tmp_path) -> None:
    raw = tmp_path / "original"
    shown = stack.run("quarantine", "show", positions[0], "--raw", str(raw)).stdout
    assert len(shown) < 1000
    assert raw.read_bytes() == LARGE
    assert "\x1b" not in stack.run("quarantine", "show", positions[2]).stdout


def test_show_refuses_a_position_the_topic_does_not_hold(stack: Stack, positions: list[str]) -> None:
    refused = stack.run("quarantine", "show", "0:999999")
    assert refused.returncode == 1
    assert "received 0:999999, allowed: 0:0 to" in refused.stderr


def test_replay_sends_a_refused_reading_back_to_its_shard(stack: Stack, positions: list[str]) -> None:
    replayed = stack.run("quarantine", "replay", positions[1], "--json")
    assert replayed.returncode == 0, replayed.stderr
    assert json.loads(replayed.stdout)[0]["result"] == "accepted"
    consumer = Consumer({"bootstrap.servers": stack.kafka_bootstrap, "group.id": "test-replay"})
    shard = TopicPartition("readings.parking", 2)
    _, end = consumer.get_watermark_offsets(shard, timeout=10)
    consumer.assign([TopicPartition(shard.topic, shard.partition, end - 1)])
    (message,) = consumer.consume(1, timeout=30)
    consumer.close()
    assert message.value() == HELD[1].payload


def test_replay_says_what_was_in_the_way(stack: Stack, positions: list[str]) -> None:
    replayed = stack.run("quarantine", "replay", positions[2], "--json")
    assert replayed.returncode == 1
    (outcome,) = json.loads(replayed.stdout)
    assert outcome["result"] == "unsent"
    assert "a/topic/with/+" in outcome["detail"]


def test_status_reads_the_log_and_the_parts_of_a_real_stack(stack: Stack) -> None:
    said = json.loads(stack.run("status", "--json").stdout)
    states = {part["name"]: part["state"] for part in said["parts"]}
    assert states["kafka"] == "healthy"
    assert states["topics"] == "done"
    assert len(said["shards"]) == 16
    assert all(shard["end_offset"] is not None for shard in said["shards"])
    assert not any("Kafka" in problem or "InfluxDB" in problem for problem in said["problems"])
