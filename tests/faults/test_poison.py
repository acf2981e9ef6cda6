"""T10: poison in every partition of the running worker, past every door: quarantined, and the job goes on.

What no connector would let in is appended to the readings' topics by hand, among readings of every device.
Alone: `make test-faults-long ARGS=tests/faults/test_poison.py`.
"""

import sys

import pytest
from confluent_kafka import Producer

from schemas.quarantine import Reason
from schemas.topics import QUARANTINE, TOPICS, readings_topic
from tests.faults import ends
from tests.faults.judge import Ends, judge
from tests.faults.load import KINDS, Sender, load_of, obligations
from tests.faults.nemesis import LONG_ONLY
from tests.waiting import wait_until

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(3600), LONG_ONLY]

BYTES = 900_000
"""Kafka takes no reading of more than a MiB."""
LIMIT_MS = 10_000


def filled(piece, before=b"", after=b""):
    return before + piece * (BYTES // len(piece)) + after


SHAPES = {
    "brackets": filled(b"["),
    "nested and whole": b"[" * (BYTES // 2) + b"]" * (BYTES // 2),
    "nested in a field nobody reads": b'{"x":' + b"[" * (BYTES // 2) + b"]" * (BYTES // 2) + b"}",
    "digits": filled(b"9", b'{"value":', b"}"),
    "exponent": filled(b"9", b'{"value":1e', b"}"),
    "escapes": filled(b'\\"', b'{"device":"', b'"}'),
    "surrogates": filled(b"\\ud800", b'{"device":"', b'"}'),
    "blanks": filled(b" ", b'{"device":', b'"d"}'),
    "same key": filled(b'"device":"d",', b"{", b'"value":1}'),
    "no text": filled(b"\xff\xfe\x00"),
    "nothing": b"",
    "null": b"null",
    "not a number": b'{"value":NaN}',
}


def place(message):
    return f"{message.topic()}/{message.partition()}@{message.offset()}"


def poison(bootstrap):
    """Every shape into every partition of every domain; returns where each stands -> (shape, append time)."""
    put, failed = {}, []
    producer = Producer({"bootstrap.servers": bootstrap, "message.max.bytes": 2 * BYTES})
    for shape, payload in SHAPES.items():

        def noted(error, message, shape=shape):
            failed.append(error) if error else put.update({place(message): (shape, message.timestamp()[1])})

        for topic in map(readings_topic, KINDS):
            for partition in range(TOPICS[topic].partitions):
                producer.produce(topic, payload, ends.POISON, partition, on_delivery=noted)
            assert producer.flush(30) == 0
    assert failed == []
    return put


def test_poison_in_every_partition_is_quarantined_and_the_readings_beside_it_count(city, oracle):
    settings, worker = city.settings, city.part("worker-aggregate")
    sender = Sender(settings, load_of(10, long=True, late=False), oracle)
    sender.start()
    with sender.changed:
        assert sender.changed.wait_for(lambda: sender.sent - sender.open > 1_000, 60)
    put = poison(city.kafka_bootstrap)

    def refused():
        held = ends.records(city.kafka_bootstrap, QUARANTINE)
        return {each.key().decode(): each for each in held if each.key().decode() in put}

    wait_until(lambda: refused().keys() == put.keys(), 120)
    waits_ms = {at: each.timestamp()[1] - put[at][1] for at, each in refused().items()}
    reasons = {put[at][0]: dict(each.headers())["reason"].decode() for at, each in refused().items()}
    sys.stderr.write(
        f"\n{len(put)} records, {reasons}; longest from log to quarantine {max(waits_ms.values())} ms\n"
    )
    assert set(reasons.values()) <= set(Reason)
    assert max(waits_ms.values()) <= LIMIT_MS, waits_ms
    left, issued = sender.stop(120), obligations(oracle)
    ends.drain(settings, issued, 120)
    found = Ends(
        readings=ends.readings(city.kafka_bootstrap, map(readings_topic, KINDS)),
        windows=ends.windows(settings, settings.influxdb_database),
    )
    verdict = judge(issued, found, settings.lateness_s * 1000)
    assert left == 0
    assert verdict.broken == {}, verdict.table()
    now = city.part("worker-aggregate")
    assert (now.pid, now.restarts) == (worker.pid, worker.restarts)
