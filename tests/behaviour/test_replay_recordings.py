"""`taishi replay` with the real stack: at its own times into InfluxDB, or as if it were now into the log.

The files are the shared recordings where they lie beside the repository, and a few lines of our own, in the
same form, everywhere.
"""

from __future__ import annotations

import dataclasses
import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from pipelines.io.influxdb import InfluxDb, InfluxSettings
from schemas.store import RECORDED
from schemas.topics import readings_topic

if TYPE_CHECKING:
    from tests.conftest import Stack

pytestmark = pytest.mark.stack

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"
RECORDINGS = {
    "melbourne-bays": ("melbourne_bays/on-street-parking-bay-sensors.csv", "parking"),
    "tihm-activity": ("tihm/Activity_events.csv.gz", "care"),
    "tihm-physiology": ("tihm/Physiology.csv", "care"),
}
LIMIT = 100
BAYS = """Lastupdated,Status_Timestamp,Zone_Number,Status_Description,KerbsideID,Location
2025-01-22T14:44:37+11:00,2024-05-03T12:55:43+10:00,,Present,1,"-37.82, 144.96"
2025-01-22T14:44:37+11:00,2024-05-03T12:55:45+10:00,,Unoccupied,2,"-37.82, 144.96"
2025-01-22T14:44:37+11:00,2024-05-03T12:56:10+10:00,,Present,3,"-37.82, 144.96"
2025-01-22T14:44:37+11:00,yesterday,,Present,4,"-37.82, 144.96"
2025-01-22T14:44:37+11:00,2024-05-03T12:56:20+10:00,,Under repair,5,"-37.82, 144.96"
"""
AT_MS = 1_714_704_900_000  # 2024-05-03T12:55+10:00


@pytest.fixture
def bays(tmp_path: Path) -> Path:
    path = tmp_path / "bays.csv"
    path.write_text(BAYS, "utf-8")
    return path


@pytest.fixture
def apart(stack: Stack, request: pytest.FixtureRequest) -> Iterator[tuple[Stack, InfluxDb]]:
    """The stack with a database of this test's own."""
    name = f"replay{abs(hash(request.node.name))}"
    store = InfluxDb(InfluxSettings(stack.influxdb_url, name))
    store.create_database()
    yield (
        dataclasses.replace(stack, environment=stack.environment | {"TAISHI_INFLUXDB_DATABASE": name}),
        store,
    )
    store.close()


def replayed(stack: Stack, file: Path, mapping: str, *words: str) -> dict[str, Any]:
    done = stack.run("replay", str(file), "--format", mapping, "--json", *words, timeout_s=240)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def sums(store: InfluxDb, domain: str, measure: str) -> dict[str, Counter[int]]:
    """level -> start of the minute, ms -> the sum of its places."""
    source = f'"{RECORDED}"."{domain}"'
    rows = store.query(f"SELECT {measure}, level FROM {source} WHERE \"window\" = '1m'")  # noqa: S608 - ours
    found: dict[str, Counter[int]] = {}
    for row in rows:
        found.setdefault(row["level"], Counter())[row["time"]] += int(row[measure])
    return found


def test_a_recording_at_its_own_times_is_in_influxdb_and_its_bad_rows_in_quarantine(
    apart: tuple[Stack, InfluxDb], bays: Path
) -> None:
    stack, store = apart
    told = replayed(stack, bays, "melbourne-bays", "--as-recorded")
    assert (told["rows"], told["consumed"], told["stored"], told["not_counted"]) == (5, 3, 3, 0)
    assert told["quarantined"] == {"bad_time": 1, "wrong_type": 1}
    assert sums(store, "parking", "occupied")["district"] == {AT_MS: 1, AT_MS + 60_000: 2}
    assert sums(store, "parking", "spaces")["district"] == {AT_MS: 2, AT_MS + 60_000: 3}
    assert store.query("SELECT occupied FROM parking") == [], "among the district's own minutes"
    kept = stack.run("quarantine", "list", "--reason", "bad_time", "--json")
    assert any("bays.csv:5" in each["address"] for each in json.loads(kept.stdout))


@pytest.mark.parametrize("mapping", RECORDINGS)
def test_a_shared_recording_is_in_influxdb_to_its_last_reading_on_every_level(
    apart: tuple[Stack, InfluxDb], mapping: str
) -> None:
    name, domain = RECORDINGS[mapping]
    if not (SHARED / name).exists():
        pytest.skip(f"no {SHARED / name} beside the repository")
    stack, store = apart
    told = replayed(stack, SHARED / name, mapping, "--as-recorded", "--limit", str(LIMIT))
    assert told["rows"] == told["consumed"] == told["stored"] + told["duplicate"] == LIMIT
    found = sums(store, domain, "readings")
    assert found["grid"].total() == told["stored"]
    assert found["grid"] == found["community"] == found["street"] == found["district"]


def test_a_recording_as_if_it_were_now_is_in_the_log(stack: Stack, bays: Path) -> None:
    begun_ms = time.time_ns() // 1_000_000
    told = replayed(stack, bays, "melbourne-bays", "--speed", "max")
    assert told["rows"] == 5
    assert told["readings"] == 3
    assert told["quarantined"] == {"bad_time": 1, "wrong_type": 1}
    mine = _since(stack, begun_ms, b'"file.melbourne-bays"')
    assert [each["value"] for each in sorted(mine, key=lambda each: each["device"])] == [1.0, 0.0, 1.0]
    assert all(begun_ms <= each["observed_at_ms"] <= time.time_ns() // 1_000_000 for each in mine)


def _since(stack: Stack, since_ms: int, marked: bytes) -> list[dict[str, Any]]:
    """Parking readings that the log took since then and that hold these bytes: the stack is shared."""
    topic, values = readings_topic("parking"), list[bytes]()
    consumer = Consumer({"bootstrap.servers": stack.kafka_bootstrap, "group.id": "recordings"})
    for partition in range(4):
        shard = TopicPartition(topic, partition)
        _, end = consumer.get_watermark_offsets(shard, 10)
        (found,) = consumer.offsets_for_times([TopicPartition(topic, partition, since_ms)], 10)
        if found.offset < 0:
            continue
        consumer.assign([found])
        while consumer.position([shard])[0].offset < end:
            values += [m.value() for m in consumer.consume(1000, 0.2) if not m.error() and m.value()]
    consumer.close()
    return [json.loads(value) for value in values if marked in value]
