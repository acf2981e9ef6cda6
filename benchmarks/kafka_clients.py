"""confluent-kafka beside kafka-python: produce (acks=all, idempotent) and consume, the same topic and bytes.

    python -m benchmarks.kafka_clients --bootstrap 127.0.0.1:19092

Rounds alternate between the two clients, so that both meet the same machine; the median of the rounds
counts. No compression: kafka-python needs another package for lz4. Decision 0003 rests on the ratios.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import click
import kafka
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from benchmarks.aggregate_load import readings

__all__ = ["main"]

_TOPIC: Final = "bench.kafka-clients"
_LINGER_MS: Final = 5
_Records = list[tuple[bytes, bytes]]


@click.command()
@click.option("--bootstrap", default="127.0.0.1:19092", help="host:port of a Kafka.")
@click.option("--count", default=100_000, help="Records a round.")
@click.option("--rounds", default=3, help="Rounds of each client.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(bootstrap: str, count: int, rounds: int, as_json: bool) -> None:
    """Records per second of both clients, and the ratio."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    _create(admin)
    try:
        said = _measure(bootstrap, list(readings(count)), rounds)
    finally:
        admin.delete_topics([_TOPIC])[_TOPIC].result()
    if as_json:
        print(json.dumps(said))
        return
    for what, figures in said.items():
        print(
            f"{what:8} confluent-kafka {figures['confluent_per_s']:>9,.0f}/s   "
            f"kafka-python {figures['python_per_s']:>9,.0f}/s   ratio {figures['ratio']:.1f}"
        )


def _measure(bootstrap: str, records: _Records, rounds: int) -> dict[str, dict[str, float]]:
    steps: dict[str, tuple[Callable[[str, _Records], None], Callable[[str, _Records], None]]] = {
        "produce": (_produce_confluent, _produce_python),
        "consume": (_consume_confluent, _consume_python),
    }
    said = {}
    for what, (confluent, python) in steps.items():
        rates = [
            (_rate(confluent, bootstrap, records), _rate(python, bootstrap, records)) for _ in range(rounds)
        ]
        medians = [statistics.median(each) for each in zip(*rates, strict=True)]
        said[what] = {
            "confluent_per_s": medians[0],
            "python_per_s": medians[1],
            "ratio": medians[0] / medians[1],
        }
    return said


def _rate(run: Callable[[str, _Records], None], bootstrap: str, records: _Records) -> float:
    start = time.perf_counter()
    run(bootstrap, records)
    return len(records) / (time.perf_counter() - start)


def _create(admin: AdminClient) -> None:
    for name, future in admin.delete_topics([_TOPIC]).items():
        if future.exception() is None:
            _until(lambda name=name: name not in admin.list_topics(timeout=10).topics)  # type: ignore[misc]
    admin.create_topics([NewTopic(_TOPIC, 1, 1)])[_TOPIC].result()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the topic is still there after 30 s")


def _produce_confluent(bootstrap: str, records: _Records) -> None:
    delivered = 0

    def count(error: Any, _message: Any) -> None:
        nonlocal delivered
        delivered += error is None

    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "acks": "all",
            "linger.ms": _LINGER_MS,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    for key, value in records:
        producer.produce(_TOPIC, value, key, on_delivery=count)
        producer.poll(0)
    producer.flush()
    _all(delivered, records)


def _produce_python(bootstrap: str, records: _Records) -> None:
    delivered = 0

    def count(_metadata: Any) -> None:
        nonlocal delivered
        delivered += 1

    producer = kafka.KafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=_LINGER_MS
    )
    for key, value in records:
        producer.send(_TOPIC, value, key).add_callback(count)
    producer.flush()
    producer.close()
    _all(delivered, records)


def _consume_confluent(bootstrap: str, records: _Records) -> None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "fetch.queue.backoff.ms": 5})
    consumer.assign([TopicPartition(_TOPIC, 0, 0)])
    size = seen = 0
    while seen < len(records):
        for message in consumer.consume(10_000, timeout=0.1):
            if message.error() is None:
                seen += 1
                size += len(message.value())
    consumer.close()


def _consume_python(bootstrap: str, records: _Records) -> None:
    shard = kafka.TopicPartition(_TOPIC, 0)
    consumer = kafka.KafkaConsumer(bootstrap_servers=bootstrap, max_poll_records=10_000)
    consumer.assign([shard])
    consumer.seek(shard, 0)
    size = seen = 0
    while seen < len(records):
        for message in consumer.poll(100, max_records=10_000).get(shard, []):
            seen += 1
            size += len(message.value)
    consumer.close()


def _all(delivered: int, records: _Records) -> None:
    if delivered != len(records):
        raise RuntimeError(f"confirmed: received {delivered}, allowed: {len(records)}")


if __name__ == "__main__":
    main()
