"""The streaming jobs as the product makes them, each a process that is taken one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from pipelines.io.influxdb import InfluxSettings
from pipelines.io.sink import KafkaSink
from pipelines.jobs.aggregate import AggregateFactory
from pipelines.jobs.line import LineRuntime, LineSettings
from pipelines.jobs.signals import SignalsFactory
from pipelines.jobs.situation import SituationFactory
from pipelines.jobs.watch import WatchJob
from pipelines.kernels.rollup_state import RollupSettings
from pipelines.kernels.rules.load import load_rules
from pipelines.kernels.state import FoldSettings
from pipelines.kernels.watch.situations import SituationsSettings
from schemas.store import policies
from schemas.topics import ALERTS, SIGNALS, WINDOWS, readings_topic

if TYPE_CHECKING:
    from tests.simulation.world import World

BATCH_MAX: Final = 500
FOLD: Final = FoldSettings(window_s=(30, 60, 240), delay_ms=5_000, lateness_ms=300_000, long_s=60)
ROLLUP: Final = RollupSettings(kept_ms=FOLD.final_after_ms)
WATCH: Final = SituationsSettings(RollupSettings(kept_ms=FOLD.final_after_ms, sizes_s=(60,)))
INFLUXDB: Final = InfluxSettings("http://simulated", "taishi", policies=policies((30, 60, 240)))
DISTRICT: Final = "370202"
RULES: Final = load_rules(
    "".join(
        f"""
[[rules]]
name = "busy-{domain}"
title = "读数多"
title_en = "many readings"
severity = "high"
domain = "{domain}"
figure = "readings"
level = ["grid", "street"]
above = 3
deadband = 1
"""
        for domain in ("parking", "security", "care")
    )
)


def line_settings(*topics: str) -> LineSettings:
    return LineSettings("simulated", topics, batch_records=BATCH_MAX, tick_interval_s=5.0)


def factories(world: World) -> dict[str, Callable[[], LineRuntime[Any, Any]]]:
    """The jobs that this seed's scenario needs."""
    scenario = world.scenario
    readings, watch = readings_topic(scenario.domain), line_settings(WINDOWS, ALERTS)

    def watching() -> LineRuntime[Any, Any]:
        sink = KafkaSink("simulated")
        return LineRuntime(watch, WatchJob(WATCH, DISTRICT, lambda: RULES, sink), sink)

    figures = {
        "aggregate": AggregateFactory(line_settings(readings), FOLD, DISTRICT),
        "situation": SituationFactory(line_settings(WINDOWS, ALERTS), INFLUXDB, ROLLUP),
    }
    made: dict[str, Callable[[], LineRuntime[Any, Any]]] = figures if scenario.figures else {}
    if scenario.watched:
        made["watch"] = watching
    if scenario.alarms:
        made["signals"] = SignalsFactory(line_settings(SIGNALS))
    return made


def line(world: World, name: str, factory: Callable[[], LineRuntime[Any, Any]]) -> Iterator[str]:
    """A job's process: to read, to fold, to write and to checkpoint is a step each, as in its Beam stage."""
    runtime = factory()
    yield "made"
    runtime.start()
    world.watcher.started(name, runtime)
    yield "started"
    while True:
        for batch in runtime.read(0.0):
            yield "read"
            outputs = runtime.fold(batch)
            world.watcher.folded(name, runtime, batch)
            yield "folded"
            runtime.write(outputs)
            world.watcher.written(name, batch)
            yield "written"
            runtime.checkpoint(batch.shard)
            yield "checkpointed"
        yield "idle"
