"""The client alone: consume, and with the word `decode` decode each into a struct. A record out tells that all came."""

from __future__ import annotations

import os
import signal
import sys

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.peers.engines import given
from pipelines.kernels.decode import HotReading

__all__: list[str] = []

settings = {"bootstrap.servers": given.bootstrap, "group.id": "peer-limit", "enable.auto.commit": False}
consumer = Consumer({**settings, "fetch.queue.backoff.ms": 2})
consumer.assign([TopicPartition(given.topic, number, 0) for number in given.shards()])
producer = Producer({"bootstrap.servers": given.bootstrap, "acks": "all"})
decode = msgspec.json.Decoder(HotReading).decode if "decode" in sys.argv else bool
marks, count = [int(os.environ["WARM_UP"]), int(os.environ["RECORDS"])], 0
while marks:
    messages = consumer.consume(10_000, 0.1)
    count += len([decode(message.value()) for message in messages])
    while marks and count >= marks[0]:
        producer.produce(given.out, f'{{"records":{marks.pop(0)}}}')
        producer.flush()
signal.pause()
