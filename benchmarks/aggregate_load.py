"""The load of the aggregate benchmark: seeded JSON readings over the grids of a district."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from schemas.readings import reading_id
from schemas.topics import LARGE_BYTES

__all__ = ["PREFIX", "fill_topic", "readings", "recreate_topic"]

PREFIX = "bench."
"""Of the benchmark's topics."""
GRIDS = 573
DEVICES = 20_000


def readings(count: int, seed: int = 370202) -> Iterator[tuple[bytes, bytes]]:
    """(grid, reading) of parking spaces: every device in one grid, times as they are sent, no duplicates."""
    rng = random.Random(seed)
    grids = [f"370202001001{number:03d}" for number in range(GRIDS)]
    devices = [f"70b3d57ed0{number:06x}" for number in range(DEVICES)]
    sent_of = [0] * DEVICES
    for _ in range(count):
        device = rng.randrange(DEVICES)
        sent_of[device] += 1
        now_ms = time.time_ns() // 1_000_000
        grid, name = grids[device % GRIDS], devices[device]
        identity = reading_id(name, "parking.space", "occupied", now_ms, sent_of[device])
        yield (
            grid.encode(),
            (
                f'{{"id":"{identity}","kind":"parking.space","metric":"occupied",'
                f'"value":{rng.randrange(2)},"device":"{name}","grid":"{grid}","source":"bench.native",'
                f'"observed_at_ms":{now_ms},"received_at_ms":{now_ms},"seq":{sent_of[device] & 0xFFFF}}}'
            ).encode(),
        )


def recreate_topic(
    bootstrap: str, topic: str, partitions: int, settings: Mapping[str, str] | None = None
) -> None:
    """An empty topic with the settings of the readings topics, or with others in their place."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    if _exists(admin, topic):
        admin.delete_topics([topic])[topic].result()
        _wait_until(lambda: not _exists(admin, topic), f"topic {topic} gone")
    usual = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(LARGE_BYTES)}
    wanted = NewTopic(topic, partitions, 1, config=usual | dict(settings or {}))
    admin.create_topics([wanted])[topic].result()
    _wait_until(lambda: _exists(admin, topic), f"topic {topic} there")


def _exists(admin: AdminClient, topic: str) -> bool:
    return topic in admin.list_topics(timeout=30).topics


def _wait_until(true: Callable[[], bool], what: str, limit_s: float = 60.0) -> None:
    deadline_s = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{what}: not so after {limit_s:g} s")
        time.sleep(0.05)


def fill_topic(bootstrap: str, topic: str, count: int, progress: Callable[[int], None]) -> None:
    """Send `count` readings; returns when the broker has them all."""
    producer = Producer(
        {"bootstrap.servers": bootstrap, "linger.ms": 20, "acks": "all", "compression.type": "lz4"}
    )
    for sent, (grid, value) in enumerate(readings(count), 1):
        while True:
            try:
                producer.produce(topic, value=value, key=grid)
            except BufferError:
                producer.poll(0.5)
            else:
                break
        if sent % 20_000 == 0:
            producer.poll(0)
            progress(sent)
    if producer.flush(120):
        raise TimeoutError("the broker did not confirm all readings within 120 s")
    progress(count)
