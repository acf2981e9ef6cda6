"""The loop written by hand (`benchmarks/hand_loop.py`), without an end."""

from __future__ import annotations

import msgspec
from confluent_kafka import Consumer, Producer, TopicPartition

from benchmarks.hand_loop import BATCH, Reading, Windows
from benchmarks.peers.engines import given

__all__: list[str] = []

settings = {"bootstrap.servers": given.bootstrap, "group.id": "peer-hand", "enable.auto.commit": False}
consumer = Consumer({**settings, "fetch.queue.backoff.ms": 2})
consumer.assign([TopicPartition(given.topic, number, 0) for number in given.shards()])
producer = Producer({"bootstrap.servers": given.bootstrap, "linger.ms": 20, "acks": "all"})
decode, windows = msgspec.json.Decoder(Reading).decode, Windows(given.shards())
while True:
    messages = consumer.consume(BATCH, 0.1)
    windows.fold([(message.partition(), decode(message.value())) for message in messages])
    for key, value in windows.closed():
        producer.produce(given.out, value, key)
    producer.poll(0)
