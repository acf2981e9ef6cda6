"""A running installation is backed up, destroyed, restored and started: what it had accepted is there."""

import json
import shutil
import sys
import threading
import time

import pytest
from confluent_kafka import Producer

from connectors.privacy.keys import create_keys
from deploy.embedded import stack as embedded
from pipelines.io.checkpoints import Checkpoint, load_checkpoints, save_checkpoint
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from pipelines.io.shards import topic_identities
from pipelines.io.sink import KafkaSink
from schemas.topics import ALERTS
from taishi.people import opened, said
from taishi.stack_settings import stack_settings
from tests.behaviour.sharing import ends

pytestmark = pytest.mark.stack

PARTS = ("kafka", "topics", "influxdb", "influxdb-database")
TOPIC = "readings.parking"
SHARDS = 4


class Accepting(threading.Thread):
    """Records and points, one after the other, each noted when it was confirmed; also during the backup."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.ended = stack, threading.Event()
        self.records, self.points = [], []  # when each was confirmed, s
        self.goes_on = threading.Event()

    def run(self):
        store = InfluxDb(InfluxSettings(self.stack.influxdb_url, self.stack.influxdb_database))
        producer = Producer({"bootstrap.servers": self.stack.kafka_bootstrap, "acks": "all", "linger.ms": 0})
        now_ms = time.time_ns() // 1_000_000
        while not self.ended.is_set():
            number = len(self.records)
            producer.produce(TOPIC, str(number).encode(), partition=number % SHARDS)
            assert producer.flush(60) == 0
            self.records.append(time.time())
            store.write(
                [f"parking,level=grid,place=g{number % 9} number={number}i {now_ms - number}"], "taishi/1m"
            )
            self.points.append(time.time())
            if len(self.points) > 100:
                self.goes_on.set()

    def end(self):
        self.ended.set()
        self.join()


def up(stack):
    wanted = stack_settings(stack.settings)
    embedded.up(wanted, only=PARTS, outlive=False)
    embedded.wait_well(wanted, 120)


def held(stack):
    """How much is there: (records of readings, points)."""
    store = InfluxDb(InfluxSettings(stack.influxdb_url, stack.influxdb_database))
    rows = store.query('SELECT count("number") FROM "1m"."parking"')
    return sum(ends(stack.kafka_bootstrap, TOPIC).values()), int(rows[0]["count"])


def test_what_was_accepted_before_the_backup_is_there_after_everything_was_destroyed(stack_at, tmp_path):
    stack = stack_at(tmp_path / "home")
    home, target, key = stack.settings.home, tmp_path / "backup", tmp_path / "elsewhere.key"
    try:
        up(stack)
        create_keys(home / "keys.json")
        with opened(stack.settings) as store:
            store.record(said("backup.test", detail="before"))
        identity = topic_identities(stack.kafka_bootstrap, (ALERTS,))[ALERTS]
        state = Checkpoint(
            job="watch", shard="alerts/0", epoch=7, next_offset=0, topic_id=identity.topic_id, partitions=1,
            state=b"weeks of learning",
        )  # fmt: skip
        save_checkpoint(KafkaSink(stack.kafka_bootstrap), state)
        accepting = Accepting(stack)
        accepting.start()
        assert accepting.goes_on.wait(60)
        taken = stack.run("backup", str(target), "--vault-key", str(key), "--json")
        assert taken.returncode == 0, taken.stderr
        figures = json.loads(taken.stdout)
        accepting.end()
        moment_s = json.loads((target / "manifest.json").read_bytes())["taken_at_ms"] / 1000
        accepted = [sum(at < moment_s for at in each) for each in (accepting.records, accepting.points)]
        now = held(stack)
        assert now == (len(accepting.records), len(accepting.points))

        refused = stack.run("restore", str(target), "--vault-key", str(key))
        assert (refused.returncode, "received a running installation" in refused.stderr) == (1, True)
        embedded.down(stack_settings(stack.settings))
        for name in ("data", "keys.json"):
            (shutil.rmtree if name == "data" else type(home).unlink)(home / name)

        began_s = time.monotonic()
        done = stack.run("restore", str(target), "--vault-key", str(key), "--json")
        assert done.returncode == 0, done.stderr
        up(stack)
        rto_s = time.monotonic() - began_s
        restored = held(stack)
        sys.stderr.write(
            f"\nbacked up {figures}; restored {json.loads(done.stdout)}, up again after {rto_s:.1f} s; "
            f"accepted until then (records, points) {accepted}, restored {restored}, at the end {now}\n"
        )
        # One of each may have been under way: confirmed a moment after it was written.
        assert accepted[0] <= restored[0] <= accepted[0] + 1
        assert accepted[1] <= restored[1] <= accepted[1] + 1
        assert figures["stood_s"] < 5
        # Offsets and topics are what they were, so what the jobs have learned goes on.
        found = load_checkpoints(stack.kafka_bootstrap, "watch")["alerts/0"]
        assert found == state
        found.check(topic_identities(stack.kafka_bootstrap, (ALERTS,))[ALERTS])
        with opened(stack.settings) as store:
            assert "before" in [entry.said.detail for entry in store.newest(10)]
        assert (home / "keys.json").exists()
    finally:
        embedded.down(stack_settings(stack.settings))
