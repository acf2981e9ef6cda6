"""T2: 100,000 known events are copied to log and store while three targets are killed thrice each.

A target's kills come after another fifth of the events each. A reader that watches the log meanwhile must
have seen what is there in the end. `TAISHI_FAULT_EVENTS=n` for fewer.
Alone: `make test-faults-long ARGS=tests/faults/test_copy.py`.
"""

import os
import sys
import threading

import pytest
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, TopicPartition

from schemas.topics import TOPICS, readings_topic
from tests.faults.ends import records
from tests.faults.load import KINDS, load_of
from tests.faults.nemesis import LONG_ONLY, Act
from tests.faults.run import go_through
from tests.waiting import wait_until

EVENTS = int(os.environ.get("TAISHI_FAULT_EVENTS", "100000"))
SEED = int(os.environ.get("TAISHI_FAULT_SEED", "2"))
TARGETS = ("kafka", "worker-aggregate", "influxdb")
LOGS = [readings_topic(domain) for domain in KINDS]

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(14_400), LONG_ONLY]


class Watcher(threading.Thread):
    """Reads the logs as they grow, until told to stop: (topic, partition, offset) -> value."""

    def __init__(self, bootstrap):
        super().__init__(daemon=True)
        self.consumer = Consumer({
            "bootstrap.servers": bootstrap, "group.id": "watcher", "enable.auto.commit": False,
            "auto.offset.reset": "error", "log_level": 0,
        })  # fmt: skip
        self.seen, self.wrong, self.enough = {}, [], threading.Event()

    def run(self):
        shards = [(topic, number) for topic in LOGS for number in range(TOPICS[topic].partitions)]
        self.consumer.assign([TopicPartition(*shard, OFFSET_BEGINNING) for shard in shards])
        while not self.enough.is_set():
            for message in self.consumer.consume(1000, 0.5):
                self.see(message)
        self.consumer.close()

    def see(self, message):
        place, error = place_of(message), message.error()
        if error is not None:  # what passes, librdkafka asks again
            if error.code() == KafkaError._AUTO_OFFSET_RESET:
                self.wrong.append(error.str())
        elif place in self.seen:
            self.wrong.append(f"seen twice: {place}")
        else:
            self.seen[place] = message.value()

    def stop(self):
        self.enough.set()
        self.join()


def place_of(message):
    return message.topic(), message.partition(), message.offset()


def test_a_copy_is_whole_in_order_and_seen_alike_by_who_watches(city, oracle):
    watcher = Watcher(city.kafka_bootstrap)
    watcher.start()
    acts = [Act("kill", target, 0, after_checkpoint=target.startswith("worker")) for target in TARGETS * 3]
    at = [EVENTS * (turn + 3) // 15 for turn in range(len(acts))]
    run = go_through(city, oracle, load_of(SEED, long=True, late=False), acts, EVENTS, at)
    run.report(
        f"TAISHI_FAULT_SEED={SEED} TAISHI_FAULT_KILLS=30 TAISHI_FAULT_EVENTS={EVENTS} pytest {__file__}"
    )
    run.check()
    bootstrap = city.kafka_bootstrap
    there = {place_of(each): each.value() for topic in LOGS for each in records(bootstrap, topic)}
    wait_until(lambda: there.keys() <= watcher.seen.keys(), 60)
    watcher.stop()
    sys.stderr.write(f"watched: {len(there):,} records, ticks among them\n")
    assert watcher.wrong == []
    assert {place: watcher.seen[place] for place in there} == there
    last = {place[:2]: place[2] for place in sorted(there)}
    gone = [place for place in watcher.seen.keys() - there.keys() if place[2] <= last[place[:2]]]
    assert gone == [], "seen, and no longer there"
