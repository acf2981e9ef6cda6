"""Job `situation` against a real Kafka and a real InfluxDB: killed, down, wiped; the picture is the same."""

import importlib.util
import json
import sys
import uuid
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from pipelines.io.canary import StoreLostData
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from pipelines.jobs.line import LineSettings
from pipelines.jobs.situation import SituationFactory
from pipelines.kernels.rollup_state import RollupSettings
from schemas.store import policies

_path = Path(__file__).parents[1] / "unit" / "pipelines" / "rollup_oracle.py"
_spec = importlib.util.spec_from_file_location("rollup_oracle", _path)
oracle = importlib.util.module_from_spec(_spec)
sys.modules["rollup_oracle"] = oracle
_spec.loader.exec_module(oracle)

pytestmark = [pytest.mark.stack, pytest.mark.faults]
SCALE = 1_000_000


def city_log(windows=20):
    log, revision = [], 0
    for start in range(windows):
        for number, grid in enumerate(oracle.GRIDS):
            revision += 1
            log.append((0, oracle.window(grid, start, revision, [float(number), start * 0.5])))
        revision += 1
        log.append((0, oracle.window(oracle.GRIDS[start % 8], max(0, start - 3), revision, [7.0])))
        log += [(0, oracle.progress(shard, start + 1)) for shard in oracle.SHARDS]
    return log


class City:
    """A topic of windows and a database of its own, and the job between them, in this process."""

    def __init__(self, stack):
        self.stack, self.log = stack, []
        self.topic = name = f"windows_{uuid.uuid4().hex[:8]}"
        admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap})
        admin.create_topics([NewTopic(name, 1, 1, config={"message.timestamp.type": "LogAppendTime"})])[
            name
        ].result()
        # A batch of the log is read whole: small ones, so that something can happen between two.
        self.producer = Producer({"bootstrap.servers": stack.kafka_bootstrap, "batch.num.messages": 9})
        self.say(20)
        ever = dict.fromkeys(("10s", "1m", "1h", "events"), 36_500)  # the windows are of 1970
        self.influxdb = InfluxSettings(stack.influxdb_url, name, policies=policies((10, 60, 3600), ever))
        line = LineSettings(
            stack.kafka_bootstrap, (name,), checkpoint_interval_s=0.001, batch_records=9, tick_interval_s=None
        )
        self.factory = SituationFactory(line, self.influxdb, RollupSettings())
        self.shard, self.store = f"{name}/0", InfluxDb(self.influxdb)

    def say(self, windows):
        """The district goes on, up to this window."""
        more = city_log(windows)[len(self.log) :]
        for _, record in more:
            self.producer.produce(self.topic, json.dumps(record).encode(), key=b"370202")
        assert self.producer.flush(30) == 0
        self.log += more
        self.windows = windows

    def runtime(self):
        made = self.factory()
        made.start()
        return made

    def run(self, runtime, records=None, then=lambda: None):
        """Go on for `records` more, or to the end; call `then` after every batch."""
        end = len(self.log) if records is None else runtime.next_offsets()[self.shard] + records
        while runtime.next_offsets()[self.shard] < end:
            for batch in runtime.read(1.0):
                runtime.write(runtime.fold(batch))
                runtime.checkpoint(self.shard)
                then()

    def wipe(self):
        self.store._results("post", f'DROP DATABASE "{self.influxdb.database}"')

    def check(self):
        """The store, restarted, holds what a plain adding up says, and nothing else."""
        self.stack.kill("influxdb")
        self.stack.wait_healthy("influxdb")
        held = {}
        for row in self.store.query('SELECT * FROM "10s"."care"'):
            key = (row["level"], row["place"], 10, row["time"])
            values = tuple(round(row[name] * SCALE) for name in oracle.MEASURES)
            held[key] = (values, row["revision"], row["grids"])
            assert row["complete"] == 1
        assert held == oracle.expected(self.log)


@pytest.fixture
def city(stack):
    made = City(stack)
    yield made
    made.wipe()


def test_influxdb_killed_again_and_again_under_the_job_loses_nothing(city):
    runtime = city.runtime()
    for _ in range(3):
        city.run(runtime, records=40)
        city.stack.kill("influxdb")  # the next write finds nobody, waits for the supervisor, and goes on
    city.run(runtime)
    city.stack.wait_healthy("influxdb")
    city.check()


def test_the_job_goes_on_from_its_checkpoint(city):
    city.run(city.runtime(), records=100)  # and is never heard of again
    again = city.runtime()
    assert again.next_offsets()[city.shard] >= 100 - 9
    city.run(again)
    city.check()


def test_a_database_dropped_under_the_running_job_is_rebuilt_by_its_next_start(city):
    runtime = city.runtime()
    city.run(runtime, records=100)
    city.wipe()
    with pytest.raises(StoreLostData, match="holds mark None"):
        city.run(runtime)
    again = city.runtime()
    assert again.next_offsets()[city.shard] == 0
    city.run(again)
    city.check()


def test_a_policy_dropped_under_the_running_job_is_rebuilt_by_its_next_start(city):
    runtime = city.runtime()
    city.run(runtime, records=100)
    city.store._results("post", f'DROP RETENTION POLICY "10s" ON "{city.influxdb.database}"')
    with pytest.raises(StoreLostData, match="holds mark None"):
        city.run(runtime)
    city.run(city.runtime())
    city.check()


def test_a_database_dropped_while_the_job_was_down_is_rebuilt_at_its_start(city):
    city.run(city.runtime())
    city.wipe()
    city.run(city.runtime())
    city.check()
