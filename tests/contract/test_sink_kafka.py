"""What was posted is confirmed before a checkpoint, or there is none."""

import random
import uuid

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from pipelines.io.checkpoints import load_checkpoints
from pipelines.io.sink import KafkaSink, Record, RenewedSink
from pipelines.jobs.aggregate import AggregateFactory
from pipelines.jobs.line import LineSettings
from pipelines.kernels.state import FoldSettings
from schemas.topics import CHECKPOINTS, CLAIMS, LATE, QUARANTINE, WINDOWS

pytestmark = pytest.mark.stack


@pytest.fixture
def topics(stack):
    """A prefix of topics of one's own; none of them takes a record of more than a kilobyte."""
    prefix = f"sink-{uuid.uuid4().hex[:8]}."
    names = [prefix + name for name in (WINDOWS, LATE, QUARANTINE, "readings.parking")]
    wanted = [NewTopic(name, 1, 1, config={"max.message.bytes": "1024"}) for name in names]
    wanted += [
        NewTopic(prefix + name, 1, 1, config={"cleanup.policy": "compact"}) for name in (CHECKPOINTS, CLAIMS)
    ]
    admin = AdminClient({"bootstrap.servers": stack.kafka_bootstrap})
    for made in admin.create_topics(wanted).values():
        made.result()
    return prefix


TOO_LARGE = random.Random(370202).randbytes(25_600)  # not to be compressed


def test_a_record_that_the_broker_refuses_is_told_by_confirm_and_by_every_later_post(stack, topics):
    sink = KafkaSink(stack.kafka_bootstrap)
    sink.post([Record(topics + WINDOWS, b"k", b"good"), Record(topics + WINDOWS, b"k", TOO_LARGE)])
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        sink.confirm()
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        sink.post([Record(topics + WINDOWS, b"k", b"good")])


def test_who_tries_again_is_not_refused_for_what_was_refused_before(stack, topics):
    """As the desk's acts were, after a Kafka that had been away for half a minute, until it was restarted."""
    sink = RenewedSink(lambda: KafkaSink(stack.kafka_bootstrap))
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        sink.send([Record(topics + WINDOWS, b"k", TOO_LARGE)])
    sink.send([Record(topics + WINDOWS, b"k", b"good")])


def test_no_checkpoint_covers_an_output_that_was_refused(stack, topics):
    settings = LineSettings(
        stack.kafka_bootstrap,
        (f"{topics}readings.parking",),
        checkpoint_topic=topics + CHECKPOINTS,
        claim_topic=topics + CLAIMS,
    )
    line = AggregateFactory(settings, FoldSettings(), "370202", topics)()
    line.start()
    line.sink.send([Record(f"{topics}readings.parking", None, None, partition=0)])
    while not (batches := list(line.read(0.1))):
        pass
    line.fold(batches[0])
    line.write([Record(topics + WINDOWS, b"k", TOO_LARGE)])
    with pytest.raises(KafkaException, match="MSG_SIZE_TOO_LARGE"):
        line.close()
    assert not load_checkpoints(stack.kafka_bootstrap, "aggregate", topic=topics + CHECKPOINTS)
