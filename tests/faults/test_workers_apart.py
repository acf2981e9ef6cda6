"""Workers in network namespaces of their own, one cut off; the district's owner stopped and continued.

The long form only (`make test-faults-long`); the short one is tests/behaviour/test_workers_share.py.
"""

import signal
import time
from contextlib import contextmanager

import pytest

from pipelines.io.checkpoints import load_checkpoints
from pipelines.io.claims import Claims
from pipelines.io.sink import KafkaSink
from tests.behaviour.sharing import (
    SESSION_S,
    SHARDS,
    Load,
    Worker,
    all_alone,
    ends,
    factory,
    folded,
    prepare,
    records,
    said,
)
from tests.behaviour.test_influxdb_upserts import City
from tests.faults.apart import Apart
from tests.waiting import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(600)]
LONG_KILLS = 30


@pytest.fixture(autouse=True)
def only_in_the_long_form(fault_kills):
    if fault_kills < LONG_KILLS:
        pytest.skip("only in the long form: make test-faults-long")


@pytest.fixture
def namespaces(stack):
    with Apart(stack.settings.kafka_port) as first, Apart(stack.settings.kafka_port) as second:
        yield [first, second]


@contextmanager
def ended(load, workers):
    """Whatever happens, nothing of these goes on."""
    try:
        yield
    finally:
        if load is not None:
            load.end()
        for worker in workers:
            worker.process.send_signal(signal.SIGCONT)
            worker.process.kill()
            worker.process.wait()


def test_a_worker_that_is_cut_off_loses_its_shards_and_comes_back_as_a_new_one(stack, namespaces, tmp_path):
    bootstrap, prefix = stack.kafka_bootstrap, "apart."
    prepare(bootstrap, prefix)
    load = Load(bootstrap, f"{prefix}readings.parking")
    words = ["-m", "tests.behaviour.sharing", bootstrap, prefix, "apart"]
    names = ("far", "near")
    workers = [
        Worker(words, tmp_path / f"{name}.log", each.inside)
        for name, each in zip(names, namespaces, strict=True)
    ]
    far, near = workers

    def held(worker):
        taken = [shard for each in worker.events("shards taken") for shard in each["offsets"]]
        given = [shard for each in worker.events("shards given up") for shard in each["shards"]]
        return len(taken) - len(given)

    with ended(load, workers):
        load.start()
        wait_until(lambda: [held(far), held(near)] == [SHARDS // 2, SHARDS // 2])
        namespaces[0].cut()
        wait_until(lambda: held(near) == SHARDS)
        namespaces[0].heal()
        wait_until(lambda: far.events("shards lost"), 90)
        wait_until(lambda: held(near) == SHARDS // 2, 90)  # the other is a member like any other again
        load.end()
        wanted = ends(bootstrap, f"{prefix}readings.parking")
        assert sum(wanted.values()) == load.sent
        wait_until(lambda: {s: at for s, (at, _) in folded(bootstrap, prefix).items()} == wanted, 90)
        assert [far.end(), near.end()] == [0, 0]
    windows, accounts = all_alone(bootstrap, prefix)
    assert records(bootstrap, f"{prefix}windows") == windows
    assert folded(bootstrap, prefix) == accounts


def test_the_district_has_one_owner_and_one_who_stands_by(stack, tmp_path):
    """The owner is stopped while it writes; who stood by takes over; the picture is that of adding up."""
    city = City(stack)
    words = ["-m", "tests.faults.district_worker", stack.kafka_bootstrap, city.influxdb.database, "district"]
    workers = [Worker([*words, stack.influxdb_url], tmp_path / "owner.log")]

    def stands_at():
        found = load_checkpoints(stack.kafka_bootstrap, "situation").get(city.shard)
        return found.next_offset if found else 0

    with ended(None, workers):
        owner = workers[0]
        wait_until(lambda: stands_at() > 0)
        workers.append(Worker([*words, stack.influxdb_url], tmp_path / "heir.log"))
        heir = workers[1]
        for windows in range(21, 30):
            city.say(windows)
        owner.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: heir.events("shards taken"))
        city.say(40)
        wait_until(lambda: stands_at() == len(city.log))
        owner.process.send_signal(signal.SIGCONT)
        wait_until(lambda: owner.events("shards lost"))
        city.say(50)
        # Was it stopped in the middle of a write, who took over finds it, and the store is rebuilt.
        wait_until(lambda: stands_at() == len(city.log), 90)
        assert [owner.end(), heir.end()] == [0, 0]
    city.check()
    city.wipe()


def test_the_commands_share_and_hand_over(stack, tmp_path):
    """`taishi worker aggregate --group NAME` as it is typed: the second takes half, then all."""
    prisms = (stack.settings.prism_aggregate_port, stack.settings.prism_presence_port)
    logs = [tmp_path / "first.log", tmp_path / "second.log"]
    workers = []

    def shards(log, event, of):
        return [shard for each in said(log) if each["event"] == event for shard in each[of]]

    def held(log):
        return len(shards(log, "shards taken", "offsets")) - len(shards(log, "shards given up", "shards"))

    try:
        for port, log in zip(prisms, logs, strict=True):
            words = ("--group", "typed", "--prism", f"127.0.0.1:{port}", "--metrics-port", "0")
            workers.append(stack.start("worker", "aggregate", *words, log=log))
            wait_until(lambda log=log: held(log) > 0, 90)
        wait_until(lambda: [held(log) for log in logs] == [SHARDS * 2, SHARDS * 2])
        workers[0].send_signal(signal.SIGTERM)
        assert workers[0].wait(20) == 0
        wait_until(lambda: held(logs[1]) == SHARDS * 4, 5)  # at once: no session has to run out
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()


def test_a_member_whose_shard_was_claimed_from_outside_takes_it_back_a_session_later(stack):
    """As by a sleeper that wakes before its claim: it has the shard, and the group knows nothing of it."""
    bootstrap, prefix = stack.kafka_bootstrap, "outside."
    prepare(bootstrap, prefix)
    load = Load(bootstrap, f"{prefix}readings.parking")
    runtime = factory(bootstrap, prefix, "inside")()
    shard = f"{prefix}readings.parking/0"

    def works():
        for batch in runtime.read(0.1):
            runtime.write(runtime.fold(batch))
            runtime.checkpoint(batch.shard)
        return runtime.next_offsets()

    with ended(load, []):
        runtime.start()
        load.start()
        wait_until(lambda: len(works()) == SHARDS, pause_s=0)
        outside = Claims(bootstrap, "aggregate", KafkaSink(bootstrap))
        outside.take([shard])
        wait_until(lambda: shard not in works(), pause_s=0)
        fenced_s = time.monotonic()
        wait_until(lambda: shard in works(), pause_s=0)
        assert time.monotonic() - fenced_s >= SESSION_S
        assert list(outside.superseded()) == [shard]
        load.end()
        wanted = ends(bootstrap, f"{prefix}readings.parking")
        wait_until(lambda: dict(works()) == wanted, pause_s=0)
    runtime.close()
    outside.close()
    windows, accounts = all_alone(bootstrap, prefix)
    assert records(bootstrap, f"{prefix}windows") == windows
    assert folded(bootstrap, prefix) == accounts
