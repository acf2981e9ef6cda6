"""Kafka dropped the beginning of a log: what `taishi backfill` may still write is told by the logs."""

import uuid

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from pipelines.io.bounded import LogStretch
from taishi.cli.backfill import _whole_from_ms

pytestmark = pytest.mark.stack
HOUR_MS = 3_600_000


@pytest.fixture
def log(stack):
    """A shard that was cut at offset 5, one that was not, one of which nothing is left; ten records each."""
    name = f"readings_{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap})
    config = {"message.timestamp.type": "LogAppendTime"}
    admin.create_topics([NewTopic(name, 3, 1, config=config)])[name].result()
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap})
    for number in range(10):
        for partition in range(3):
            producer.produce(name, b"tick", partition=partition)
        assert producer.flush(30) == 0, number
    cuts = [TopicPartition(name, 0, 5), TopicPartition(name, 2, 10)]
    for cut in admin.delete_records(cuts).values():
        cut.result()
    return [LogStretch(stack.kafka_bootstrap, f"{name}/{partition}", 10) for partition in range(3)]


def appended_ms(stretch, offset):
    consumer = Consumer({"bootstrap.servers": stretch.bootstrap, "group.id": "cut"})
    topic, _, partition = stretch.shard.partition("/")
    consumer.assign([TopicPartition(topic, int(partition), offset)])
    (message,) = consumer.consume(1, 30)
    consumer.close()
    return message.timestamp()[1]


def test_when_a_log_begins_is_known_of_one_that_was_cut(log):
    cut, whole, empty = log
    assert cut.cut_at_ms() == appended_ms(cut, 5)
    assert whole.cut_at_ms() == 0
    assert empty.cut_at_ms() == 0


def test_windows_before_the_youngest_beginning_are_left_alone_and_that_is_told(stack, log, capsys):
    begins_ms = appended_ms(log[0], 5) + stack.settings.skew_max_s * 1000
    assert _whole_from_ms(stack.settings, log, begins_ms - 2 * HOUR_MS) == begins_ms
    assert "windows before are left alone" in capsys.readouterr().err
    assert _whole_from_ms(stack.settings, log, begins_ms + 2 * HOUR_MS) == begins_ms
    assert _whole_from_ms(stack.settings, log[1:], begins_ms - 2 * HOUR_MS) == 0
    assert capsys.readouterr().err == ""
