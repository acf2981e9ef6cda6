"""The source reads the log as a plain client sees it: codecs, headers, ticks, transactions, starts."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator

import numpy as np
import pytest
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from kafka.errors import OffsetOutOfRangeError

from pipelines.io.source import ShardSource
from pipelines.kernels.batch import ShardBatch

pytestmark = pytest.mark.stack

Row = tuple[int, int, bytes | None]
PARTITIONS = 2


@pytest.fixture
def topic(stack) -> str:
    name = f"source-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap})
    admin.create_topics([NewTopic(name, PARTITIONS, 1)])[name].result()
    return name


def write(bootstrap: str, topic: str, codec: str, values: list[bytes | None], **settings: object) -> None:
    producer = Producer(
        {"bootstrap.servers": bootstrap, "compression.type": codec, "linger.ms": 50, **settings}
    )
    for number, value in enumerate(values):
        headers = [("traceparent", b"00-%d" % number)] if number % 3 == 0 else None
        producer.produce(topic, value, key=f"k{number}" if number % 2 else None, headers=headers, partition=0)
    producer.flush(20)


def rows(batches: list[ShardBatch]) -> list[Row]:
    return [
        row
        for batch in batches
        for row in zip(batch.offsets.tolist(), batch.append_times_ms.tolist(), batch.values, strict=True)
    ]


def read(source: ShardSource, until: int) -> list[ShardBatch]:
    """Batches until the offset before `until` has come."""
    found: list[ShardBatch] = []
    deadline_s = time.monotonic() + 20
    while (not found or found[-1].offsets[-1] < until - 1) and time.monotonic() < deadline_s:
        found += source.read(0.2)
    return found


def plain(bootstrap: str, topic: str) -> list[Row]:
    """Partition 0 as a client reads it that makes an object of each record."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "plain", "enable.partition.eof": True})
    consumer.assign([TopicPartition(topic, 0, 0)])
    found = []
    while (message := consumer.poll(20)) is not None and message.error() is None:
        found.append((message.offset(), message.timestamp()[1], message.value()))
    consumer.close()
    return found


@pytest.fixture
def source(stack) -> Iterator[ShardSource]:
    made = ShardSource(stack.kafka_bootstrap, "source", batch_records=700)
    yield made
    made.close()


def test_every_codec_header_key_and_tick_comes_as_a_plain_client_sees_it(stack, topic, source) -> None:
    values: list[bytes | None] = [b'{"n":%d}' % number * (1 + number % 40) for number in range(900)]
    values[5:8] = [None, b"", b"}\0\0{"]
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        write(stack.kafka_bootstrap, topic, codec, values)
    source.add({f"{topic}/0": None})
    batches = read(source, 4_500)
    assert rows(batches) == plain(stack.kafka_bootstrap, topic)
    assert all(len(batch) < 2 * 700 for batch in batches)
    assert [batch.first_offset for batch in batches[1:]] == [batch.next_offset for batch in batches[:-1]]


@pytest.mark.parametrize("start", [0, 1, 450, 899])
def test_it_begins_in_the_middle_of_a_record_batch(stack, topic, source, start) -> None:
    write(stack.kafka_bootstrap, topic, "lz4", [b"%d" % number for number in range(900)])
    assert source.add({f"{topic}/0": start}) == {f"{topic}/0": start}
    batches = read(source, 900)
    assert batches[0].first_offset == start
    assert [offset for offset, _, _ in rows(batches)] == list(range(start, 900))


def test_of_transactions_only_what_was_committed_is_read(stack, topic, source) -> None:
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap, "transactional.id": topic})
    producer.init_transactions(20)
    for end in ("commit", "abort", "commit"):
        producer.begin_transaction()
        for number in range(10):
            producer.produce(topic, f"{end} {number}", partition=0)
        producer.flush(20)
        getattr(producer, f"{end}_transaction")(20)
    source.add({f"{topic}/0": None})
    found = rows(read(source, 32))
    assert found == plain(stack.kafka_bootstrap, topic)
    assert [offset for offset, _, _ in found] == [*range(10), *range(22, 32)]  # a marker ends each


def test_shards_come_and_go_while_it_reads(stack, topic, source) -> None:
    producer = Producer({"bootstrap.servers": stack.kafka_bootstrap})
    for number in range(3_000):
        producer.produce(topic, b"%d" % number, partition=number % 2)
    producer.flush(20)
    one, other = f"{topic}/0", f"{topic}/1"
    source.add({one: None})
    found = {one: read(source, 1), other: list[ShardBatch]()}
    source.add({other: 100})
    while found[one][-1].next_offset < 1_500 or not found[other] or found[other][-1].next_offset < 1_500:
        for batch in source.read(5):
            found[batch.shard].append(batch)
    assert np.concatenate([batch.offsets for batch in found[one]]).tolist() == list(range(1_500))
    assert np.concatenate([batch.offsets for batch in found[other]]).tolist() == list(range(100, 1_500))
    assert source.cached_ends() == {one: 1_500, other: 1_500}
    source.drop([one])
    write(stack.kafka_bootstrap, topic, "lz4", [b"later"])
    assert list(source.read(0.3)) == []


def test_an_offset_that_the_log_lost_meanwhile_is_an_error_and_no_leap(stack, topic, source) -> None:
    write(stack.kafka_bootstrap, topic, "lz4", [b"%d" % number for number in range(100)])
    source.add({f"{topic}/0": 10})
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap})
    (cut,) = admin.delete_records([TopicPartition(topic, 0, 50)]).values()
    cut.result()
    with pytest.raises((OffsetOutOfRangeError, KafkaException)):
        read(source, 100)
