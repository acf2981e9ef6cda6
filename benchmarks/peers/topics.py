"""The log of one run: what is read stands there but cannot be seen until everybody is ready."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Final

from confluent_kafka import Producer

from benchmarks.aggregate_load import recreate_topic
from benchmarks.peers.load import Load, records

__all__ = ["OUT", "TOPIC", "Hidden", "new_topics"]

TOPIC: Final = "peers.readings.parking"
OUT: Final = "peers.windows"
_OTHERS: Final = ("peers.late", "peers.quarantine", "peers.checkpoints", "peers.claims")
_PRODUCER: Final = {"linger.ms": 20, "acks": "all", "compression.type": "lz4"}


def new_topics(bootstrap: str, partitions: int) -> None:
    """Everything empty. Readings bring their append times, so that time is the same in each run."""
    recreate_topic(
        bootstrap, TOPIC, partitions, {"message.timestamp.type": "CreateTime", "retention.ms": "-1"}
    )
    for topic in (OUT, *_OTHERS):
        recreate_topic(bootstrap, topic, 1)


class Hidden:
    """Readings in an open transaction: readers see none of them, then, at `show`, all at once.

    So an engine can start and warm up beforehand, and what is measured begins at a moment that the runner
    chooses, with no producer beside it.
    """

    def __init__(self, bootstrap: str, load: Load) -> None:
        first = Producer({"bootstrap.servers": bootstrap, **_PRODUCER})
        _send(first, records(load.shape, load.warm_up))
        self._producer = Producer({
            "bootstrap.servers": bootstrap,
            "transactional.id": f"peers-{time.time_ns()}",
            "transaction.timeout.ms": 900_000,
            **_PRODUCER,
        })  # fmt: skip
        self._producer.init_transactions()
        self._producer.begin_transaction()
        _send(self._producer, records(load.shape, load.readings))
        _send(self._producer, records(load.shape, load.closers))

    def show(self) -> float:
        """Let all be read; the time of it, s since 1970."""
        self._producer.commit_transaction()
        return time.time()


def _send(producer: Producer, rows: Iterable[tuple[int, bytes, bytes, int]]) -> None:
    for number, (partition, key, value, append_ms) in enumerate(rows):
        try:
            producer.produce(TOPIC, value, key, partition, timestamp=append_ms)
        except BufferError:
            producer.flush()
            producer.produce(TOPIC, value, key, partition, timestamp=append_ms)
        if number % 50_000 == 0:
            producer.poll(0)
    if producer.flush(120):
        raise TimeoutError("the broker did not confirm all readings within 120 s")
