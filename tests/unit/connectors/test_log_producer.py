"""The producer without a Kafka: what it does with refusals, fatal errors and faults of our own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError

from connectors.producer import LogProducer, Record, _Group
from tests.waiting import wait_until

RECORD = Record("readings.parking", "370202001001001", b"{}")
REFUSED = KafkaError(KafkaError.TOPIC_AUTHORIZATION_FAILED)


@pytest.fixture
def fatal() -> list[str]:
    return []


@pytest.fixture
def producer(fatal: list[str]) -> Iterator[LogProducer]:
    made = LogProducer("127.0.0.1:1", fatal.append)  # nobody is there
    yield made
    made.close(0)


def test_nothing_to_append_is_delivered_at_once(producer: LogProducer) -> None:
    done: list[bool] = []
    producer.deliver([], lambda: done.append(True))
    assert done == [True]


def test_while_kafka_is_away_records_wait_and_close_counts_them(fatal: list[str]) -> None:
    producer, done = LogProducer("127.0.0.1:1", fatal.append), list[bool]()
    producer.deliver([RECORD, RECORD], lambda: done.append(True))
    assert producer.close(0.1) == 2
    assert (done, fatal) == ([], [])


def test_a_refused_record_is_offered_again_until_it_is_taken(producer: LogProducer) -> None:
    done: list[bool] = []
    group = _Group(1, lambda: done.append(True))
    producer._delivered(REFUSED, RECORD, group)
    assert (done, len(producer._again)) == ([], 1)
    wait_until(lambda: not producer._again)
    producer._delivered(None, RECORD, group)
    assert done == [True]


def test_a_group_is_delivered_with_its_last_record(producer: LogProducer) -> None:
    done: list[bool] = []
    group = _Group(2, lambda: done.append(True))
    producer._delivered(None, RECORD, group)
    assert not done
    producer._delivered(None, RECORD, group)
    assert done == [True]


def test_only_a_fatal_error_ends_the_process(producer: LogProducer, fatal: list[str]) -> None:
    producer._on_error(KafkaError(KafkaError._ALL_BROKERS_DOWN))
    assert fatal == []
    producer._on_error(KafkaError(KafkaError._FATAL, "out of sequence", fatal=True))
    assert fatal == ["kafka producer: out of sequence"]


def test_a_fault_in_a_callback_is_told_instead_of_falling_silent(fatal: list[str]) -> None:
    producer = LogProducer("127.0.0.1:1", fatal.append)

    class Broken:
        def poll(self, *_seconds: float) -> int:
            raise ZeroDivisionError("ours")

        def flush(self, *_seconds: float) -> int:
            return 0

    producer._producer = Broken()
    wait_until(lambda: fatal)
    assert fatal == ["delivery thread: ours"]
    producer.close(0)
