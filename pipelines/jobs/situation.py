"""Job `situation`: windows of grids into the situation of every level, in InfluxDB.

One shard (the topic `windows` has one partition a district): roll-up, upsert, checkpoint.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from pipelines.io.canary import Canary
from pipelines.io.checkpoints import load_checkpoints
from pipelines.io.influxdb import InfluxDb, InfluxSettings, RefusedPoint
from pipelines.io.shards import shard_parts
from pipelines.io.sink import KafkaSink, Record
from pipelines.jobs.line import LineRuntime, LineSettings
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.points import line, newest
from pipelines.kernels.rollup import PlaceWindow, RollupOutput, fold_windows
from pipelines.kernels.rollup_codec import rollup_from_bytes, rollup_to_bytes
from pipelines.kernels.rollup_state import RollupSettings, RollupState
from pipelines.telemetry import RECORDS_SKIPPED, WINDOW_RECORDS, WINDOW_TO_QUERYABLE_SECONDS, LineTelemetry
from schemas.quarantine import Quarantined, Reason
from schemas.topics import QUARANTINE

__all__ = ["SituationFactory", "SituationJob"]

_LOG = structlog.get_logger(__name__)
_RECENT_S = 120.0
"""Older windows are a rebuild or an outage caught up: they say nothing about latency."""


class SituationJob:
    """The roll-up and its points, as a `ShardJob`.

    `quarantine` sends records to Kafka and returns when they are confirmed.
    """

    name = "situation"

    def __init__(
        self,
        settings: RollupSettings,
        store: InfluxDb,
        canary: Canary,
        quarantine: Callable[[list[Record]], None],
    ) -> None:
        self._settings, self._store, self._canary, self._quarantine = settings, store, canary, quarantine
        self._begins_at: int | None = None

    def initial(self, shard: str) -> RollupState:  # noqa: ARG002 - every shard begins alike
        """An empty state."""
        return RollupState()

    def next_offset(self, state: RollupState) -> int:
        """Where the state goes on."""
        return state.next_offset

    def start_at(self, state: RollupState, offset: int) -> None:
        """Begin at the log's oldest offset; of what is before it nothing is asked of the store."""
        state.next_offset = self._begins_at = offset

    def fold(self, state: RollupState, batch: ShardBatch) -> RollupOutput:
        """What is to be upserted for a batch."""
        return fold_windows(self._settings, state, batch)

    def write(self, outputs: RollupOutput) -> None:
        """Upsert; returns when InfluxDB has taken them and Kafka what it refused.

        Of windows that changed more than once in a batch only the last is written.
        """
        refused = [_refused_record(record) for record in outputs.quarantined]
        windows = newest(outputs.windows)
        if outputs.first_offset != self._begins_at:
            self._canary.check(outputs.first_offset)
        if windows:
            points = self._store.write([line(window) for window in windows])
            refused += [_refused_point(point, int(time.time() * 1000)) for point in points]
            _observe(windows, time.time())
        if refused:
            self._quarantine(refused)
        self._canary.write(outputs.next_offset, int(time.time() * 1000))

    def to_bytes(self, state: RollupState) -> bytes:
        """The state, zstd-compressed."""
        return rollup_to_bytes(state)

    def from_bytes(self, data: bytes) -> RollupState:
        """The state of a checkpoint."""
        return rollup_from_bytes(data)

    def report(self, shard: str, state: RollupState, telemetry: LineTelemetry) -> None:
        """How far behind now the least advanced shard has closed; what became of the window records."""
        for what, count in state.accounts.items():
            WINDOW_RECORDS.labels(shard, what).set(count)
        marks = [mark for held in state.domains.values() for mark in held.closed_ms.values()]
        if marks:
            telemetry.watermark_age_seconds.labels(shard).set(time.time() - min(marks) / 1000)


def _refused_record(refused: Quarantined) -> Record:
    RECORDS_SKIPPED.labels(refused.reason.value).inc()
    return Record(QUARANTINE, refused.address.encode(), refused.payload, tuple(refused.headers()))


def _refused_point(point: RefusedPoint, now_ms: int) -> Record:
    refused = Quarantined(
        reason=Reason.UNSUPPORTED,
        detail=point.why,
        source="situation",
        address="influxdb",
        received_at_ms=now_ms,
        payload=point.line.encode(),
    )
    return Record(QUARANTINE, refused.address.encode(), refused.payload, tuple(refused.headers()))


def _observe(windows: Sequence[PlaceWindow], now_s: float) -> None:
    """One observation a window, level and domain, when it is first there."""
    ends = {(w.level, w.domain, w.window_s, w.start_ms / 1000 + w.window_s) for w in windows if w.first}
    for level, _, _, end_s in ends:
        if now_s - end_s < _RECENT_S:
            WINDOW_TO_QUERYABLE_SECONDS.labels(level).observe(now_s - end_s)


@dataclass(frozen=True, slots=True)
class SituationFactory:
    """Makes the runtime of `situation`; equal ones are one, so a process has one runtime."""

    line: LineSettings
    influxdb: InfluxSettings
    rollup: RollupSettings

    def __call__(self) -> LineRuntime[RollupState, RollupOutput]:
        """Connect; if the store was emptied behind the checkpoint, begin at the log's oldest record."""
        store = InfluxDb(self.influxdb)
        canary = Canary(store, SituationJob.name, self.line.topics[0])
        settings = self.line
        if not settings.from_oldest and self._store_is_behind(canary):
            _LOG.error("influxdb lacks points the checkpoint says it has; rebuilding it from the log")
            settings = dataclasses.replace(settings, from_oldest=True)
        sink = KafkaSink(settings.bootstrap)
        return LineRuntime(settings, SituationJob(self.rollup, store, canary, sink.send), sink)

    def _store_is_behind(self, canary: Canary) -> bool:
        found = load_checkpoints(self.line.bootstrap, SituationJob.name, topic=self.line.checkpoint_topic)
        return any(
            canary.lost_before(checkpoint.next_offset)
            for shard, checkpoint in found.items()
            if shard_parts(shard)[0] in self.line.topics
        )
