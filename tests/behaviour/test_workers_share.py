"""Workers of a group come, are killed, stopped and continued while readings flow: the same picture."""

import signal
import sys
import threading
import time

import pytest

from benchmarks.aggregate_load import fill_topic
from pipelines.io.checkpoints import Checkpoint, load_checkpoints, save_checkpoint
from pipelines.io.claims import Claims, Fenced
from pipelines.io.sink import KafkaSink
from tests.behaviour.sharing import (
    SHARDS,
    Load,
    Worker,
    all_alone,
    ends,
    factory,
    folded,
    prepare,
    records,
)
from tests.waiting import wait_until

pytestmark = pytest.mark.stack


def test_workers_that_come_die_and_stop_leave_the_picture_of_one(stack, tmp_path):
    bootstrap, prefix = stack.kafka_bootstrap, "share."
    prepare(bootstrap, prefix)
    load = Load(bootstrap, f"{prefix}readings.parking")
    workers = {}

    def start(name):
        words = ["-m", "tests.behaviour.sharing", bootstrap, prefix, "crowd"]
        workers[name] = Worker(words, tmp_path / f"{name}.log")
        wait_until(lambda: workers[name].events("shards taken"))
        return workers[name]

    try:
        load.start()
        dies, sleeps = start("dies"), start("sleeps")
        stays = start("stays")  # all three have some now: each came while readings flowed
        dies.process.kill()
        sleeps.process.send_signal(signal.SIGSTOP)
        began_s = time.monotonic()
        taken = lambda: {s for each in stays.events("shards taken") for s in each["offsets"]}  # noqa: E731
        wait_until(lambda: len(taken()) == SHARDS)
        sys.stderr.write(f"\ntaken over {time.monotonic() - began_s:.1f} s after a kill and a stop\n")
        sleeps.process.send_signal(signal.SIGCONT)
        wait_until(lambda: sleeps.events("shards lost"))
        wait_until(lambda: len(sleeps.events("shards taken")) > 1)  # a member like any other again
        load.end()
        wanted = ends(bootstrap, f"{prefix}readings.parking")
        assert sum(wanted.values()) == load.sent
        wait_until(lambda: {s: at for s, (at, _) in folded(bootstrap, prefix).items()} == wanted)
        assert [sleeps.end(), stays.end()] == [0, 0]
    finally:
        load.end()
        for worker in workers.values():
            worker.process.send_signal(signal.SIGCONT)
            worker.process.kill()
    windows, accounts = all_alone(bootstrap, prefix)
    assert len(windows) > 500
    assert records(bootstrap, f"{prefix}windows") == windows
    assert folded(bootstrap, prefix) == accounts


def test_who_lost_a_shard_between_fold_and_write_writes_nothing_and_its_checkpoint_is_none(stack):
    bootstrap, prefix = stack.kafka_bootstrap, "zombie."
    prepare(bootstrap, prefix)
    topic = f"{prefix}readings.parking"
    for _ in range(3):
        fill_topic(bootstrap, topic, 2_000, lambda _sent: None)
        threading.Event().wait(1.2)  # windows must close in between
    former = factory(bootstrap, prefix, None)()
    former.start()
    outputs = []
    while not outputs:
        for batch in former.read(1.0):
            outputs = former.fold(batch)
            if outputs:
                break  # here it is paused
    heir = factory(bootstrap, prefix, None)()
    heir.start()
    with pytest.raises(Fenced, match=r"allowed: one worker a shard"):
        former.write(outputs)
    with pytest.raises(Fenced):
        former.checkpoint(batch.shard)
    assert records(bootstrap, f"{prefix}windows") == set()
    assert load_checkpoints(bootstrap, "aggregate", topic=f"{prefix}checkpoints") == {}
    # And were one written by a former owner after all, it would not count.
    while dict(heir.next_offsets()) != ends(bootstrap, topic):
        for each in heir.read(0.2):
            heir.write(heir.fold(each))
            heir.checkpoint(each.shard)
    before = load_checkpoints(bootstrap, "aggregate", topic=f"{prefix}checkpoints")
    newest = before[batch.shard]
    stale = Checkpoint(
        job="aggregate", shard=batch.shard, epoch=former._shards[batch.shard].epoch,
        next_offset=newest.next_offset + 1, topic_id=newest.topic_id, partitions=SHARDS, state=b"",
    )  # fmt: skip
    assert stale.epoch < newest.epoch
    save_checkpoint(KafkaSink(bootstrap), stale, topic=f"{prefix}checkpoints")
    assert load_checkpoints(bootstrap, "aggregate", topic=f"{prefix}checkpoints") == before
    heir.close()


def test_who_has_a_shard_is_told_at_once_also_when_nothing_is_new(stack):
    """Behind a fetch of the same connection, which waits for what does not come, it took half a second."""
    bootstrap, prefix = stack.kafka_bootstrap, f"asked-{time.time_ns()}"
    ours = Claims(bootstrap, "aggregate", KafkaSink(bootstrap))
    theirs = Claims(bootstrap, "aggregate", KafkaSink(bootstrap))
    ours.take([f"{prefix}/0", f"{prefix}/1"])
    assert ours.superseded() == {}
    began_s = time.monotonic()
    for _ in range(20):
        assert ours.superseded() == {}
    assert time.monotonic() - began_s < 20 * 0.25
    theirs.take([f"{prefix}/1"])
    assert ours.superseded() == {f"{prefix}/1": theirs.owner}
    ours.close()
    theirs.close()
