"""The same log by other batch sizes, by two workers, after a stop without a goodbye: the same records."""

import threading

import pytest

from benchmarks.aggregate_load import fill_topic, recreate_topic
from pipelines.jobs.aggregate import AggregateFactory
from pipelines.jobs.line import LineSettings
from pipelines.kernels.state import FoldSettings
from tests.behaviour.sharing import records

pytestmark = pytest.mark.stack

READINGS = 30_000
TOPIC = "equal.readings.parking"
FOLD = FoldSettings(window_s=(1, 2, 4), delay_ms=200, lateness_ms=1_000, long_s=2)


@pytest.fixture(scope="module")
def log(stack):
    recreate_topic(stack.kafka_bootstrap, TOPIC, 4)
    for _ in range(6):  # over some seconds, whatever the machine's speed: windows must close in between
        fill_topic(stack.kafka_bootstrap, TOPIC, READINGS // 6, lambda _sent: None)
        threading.Event().wait(0.9)
    return stack.kafka_bootstrap


def run(bootstrap, prefix, *, partitions=(None,), batch_records=10_000, stops=0):
    """Fold the whole log with one worker per entry of `partitions`; returns the windows written."""
    for name in ("windows", "late", "quarantine", "checkpoints"):
        recreate_topic(bootstrap, f"{prefix}{name}", 1)
    for owned in partitions:
        for left in range(stops, -1, -1):
            _work(bootstrap, prefix, owned, batch_records, stop_early=left > 0)
    return records(bootstrap, f"{prefix}windows")


def _work(bootstrap, prefix, owned, batch_records, *, stop_early):
    line = LineSettings(
        bootstrap,
        (TOPIC,),
        partitions=owned,
        checkpoint_topic=f"{prefix}checkpoints",
        batch_records=batch_records,
        tick_interval_s=None,
        checkpoint_interval_s=0.001 if stop_early else 10,
    )
    runtime = AggregateFactory(line, FOLD, "370202", prefix)()
    runtime.start()
    ends = {shard: runtime._source.bounds(shard)[1] for shard in runtime.next_offsets()}
    batches = 0
    while dict(runtime.next_offsets()) != ends:
        for batch in runtime.read(0.2):
            outputs = runtime.fold(batch)
            runtime.write(outputs)
            batches += 1
            if stop_early and batches == 3:
                return  # outputs written, no checkpoint, no goodbye: as after a kill
            runtime.checkpoint(batch.shard)
    runtime.close()


@pytest.fixture(scope="module")
def expected(log):
    found = run(log, "equal.one.")
    assert len(found) > 500
    return found


@pytest.mark.parametrize("batch_records", [7, 500])
def test_other_batch_sizes_write_the_same_records_byte_for_byte(log, expected, batch_records):
    assert run(log, "equal.batches.", batch_records=batch_records) == expected


def test_two_workers_write_the_same_records_as_one(log, expected):
    assert run(log, "equal.two.", partitions=((0, 1), (2, 3))) == expected


def test_a_worker_that_died_between_output_and_checkpoint_writes_the_same_again(log, expected):
    assert run(log, "equal.died.", batch_records=2_000, stops=2) == expected
