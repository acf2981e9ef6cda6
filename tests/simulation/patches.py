"""The product on the simulation's clients and clocks: what is put in place of what, and nothing else."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from tests.simulation import desk
from tests.simulation.log import BatchReader, LogConsumer, LogProducer
from tests.simulation.points import MemoryStore

if TYPE_CHECKING:
    from operations.oncall.deliver import Delivery
    from pipelines.io.influxdb import InfluxSettings
    from pipelines.io.shards import TopicIdentity
    from tests.simulation.world import World

_CONSUMERS = (
    *("pipelines.io.source", "pipelines.io.checkpoints", "pipelines.io.claims"),
    "operations.oncall.reader",
)
_TIMED = ("line", "aggregate", "signals", "situation")


class Running:
    """The world that is running, as the product's modules reach it."""

    world: World

    def consumer(self, _settings: object) -> LogConsumer:
        return LogConsumer(self.world.log)

    def reader(self, _bootstrap: str) -> BatchReader:
        return BatchReader(self.world.log)

    def producer(self, _settings: object) -> LogProducer:
        return LogProducer(self.world.log)

    def identities(self, _bootstrap: str, topics: tuple[str, ...]) -> dict[str, TopicIdentity]:
        return self.world.log.identities(topics)

    def store(self, settings: InfluxSettings) -> MemoryStore:
        return MemoryStore(settings, self.world.points, self.world.wait)

    def time(self) -> float:
        return self.world.now_ms / 1000

    def monotonic(self) -> float:
        return self.world.monotonic_s()

    def getpid(self) -> int:
        return next(self.world.pids)

    def gethostname(self) -> str:
        return "simulated"

    def desk_ms(self) -> int:
        return self.world.desk_ms()

    def random(self) -> float:
        return self.world.order.random()

    def deliver(self, *said: Any) -> Delivery:
        person, head, text, key, _refused = said
        return desk.deliver(self.world, person, head, text, key)


def install(patch: pytest.MonkeyPatch) -> Running:
    """Put the simulation beneath the product until the patch is undone; no logs are written meanwhile."""
    now = Running()
    for module in _CONSUMERS:
        patch.setattr(f"{module}.Consumer", now.consumer)
    patch.setattr("pipelines.io.source.LogReader", now.reader)
    patch.setattr("pipelines.io.sink.Producer", now.producer)
    for module in ("line", "aggregate"):
        patch.setattr(f"pipelines.jobs.{module}.topic_identities", now.identities)
    patch.setattr("pipelines.jobs.situation.InfluxDb", now.store)
    for module in _TIMED:
        patch.setattr(f"pipelines.jobs.{module}.time", now)
    patch.setattr("pipelines.jobs.line.give_back", SimpleNamespace)  # some ms of the real machine's
    patch.setattr("pipelines.io.influxdb.random", now)
    patch.setattr("pipelines.io.claims.os", now)
    patch.setattr("pipelines.io.claims.socket", now)
    for module in ("service", "reader"):
        patch.setattr(f"operations.oncall.{module}.now_ms", now.desk_ms)
    patch.setattr("operations.oncall.service.deliver", now.deliver)
    silent = structlog.make_filtering_bound_logger(logging.CRITICAL)
    patch.setattr(structlog._config._CONFIG, "default_wrapper_class", silent)
    return now
