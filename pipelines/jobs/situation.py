"""Job `situation`: windows of grids into the situation of every level, in InfluxDB.

Two shards of one partition each: `windows` (roll-up, upsert, checkpoint) and `alerts`, whose alerts are
annotations beside the series.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from pipelines.io.canary import Canary
from pipelines.io.checkpoints import load_checkpoints
from pipelines.io.influxdb import InfluxDb, InfluxSettings, RefusedPoint
from pipelines.io.shards import shard_parts
from pipelines.io.sink import KafkaSink, Record
from pipelines.jobs.line import LineRuntime, LineSettings
from pipelines.kernels.annotations import AnnotationsOutput, AnnotationsState, fold_alerts
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.points import by_bucket, newest
from pipelines.kernels.rollup import PlaceWindow, RollupOutput, fold_windows
from pipelines.kernels.rollup_codec import rollup_from_bytes, rollup_to_bytes
from pipelines.kernels.rollup_state import RollupSettings, RollupState
from pipelines.telemetry import RECORDS_SKIPPED, WINDOW_RECORDS, WINDOW_TO_QUERYABLE_SECONDS, LineTelemetry
from schemas.quarantine import Quarantined, Reason
from schemas.store import EVENTS, bucket
from schemas.topics import ALERTS, QUARANTINE

__all__ = ["SituationFactory", "SituationJob"]

_LOG = structlog.get_logger(__name__)
_ANNOTATIONS: Final = b"annotations:"
_RECENT_S = 120.0
"""Older windows are a rebuild or an outage caught up: they say nothing about latency."""


SituationState = RollupState | AnnotationsState
SituationOutput = RollupOutput | AnnotationsOutput


class SituationJob:
    """The roll-up and its points, and the alerts', as a `ShardJob`.

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

    def initial(self, shard: str) -> SituationState:
        """An empty state of the shard's topic."""
        return AnnotationsState() if shard_parts(shard)[0] == ALERTS else RollupState()

    def next_offset(self, state: SituationState) -> int:
        """Where the state goes on."""
        return state.next_offset

    def start_at(self, state: SituationState, offset: int) -> None:
        """Begin at the log's oldest offset; of what is before it nothing is asked of the store."""
        state.next_offset = offset
        if isinstance(state, RollupState):
            self._begins_at = offset

    def fold(self, state: SituationState, batch: ShardBatch) -> SituationOutput:
        """What is to be upserted for a batch."""
        if isinstance(state, AnnotationsState):
            return fold_alerts(state, batch)
        return fold_windows(self._settings, state, batch)

    def write(self, outputs: SituationOutput) -> None:
        """Upsert; returns when InfluxDB has taken them and Kafka what it refused."""
        if isinstance(outputs, RollupOutput):
            self._write_windows(outputs)
        elif outputs.lines:
            events = bucket(self._store.settings.database, EVENTS)
            self._refuse(self._store.write(outputs.lines, events))

    def _refuse(self, points: list[RefusedPoint]) -> None:
        if points:
            self._quarantine([_refused_point(point, int(time.time() * 1000)) for point in points])

    def _write_windows(self, outputs: RollupOutput) -> None:
        """Of windows that changed more than once in a batch only the last is written."""
        refused = [_refused_record(record) for record in outputs.quarantined]
        windows = newest(outputs.windows)
        if outputs.first_offset != self._begins_at:
            self._canary.check(outputs.first_offset)
        lines, now_ms = by_bucket(windows, self._store.settings.bucket_of), int(time.time() * 1000)
        points = self._canary.write(outputs.next_offset, now_ms, lines)
        refused += [_refused_point(point, int(time.time() * 1000)) for point in points]
        _observe(windows, time.time())
        if refused:
            self._quarantine(refused)

    def to_bytes(self, state: SituationState) -> bytes:
        """The state, zstd-compressed; of annotations only where they stand."""
        if isinstance(state, AnnotationsState):
            return _ANNOTATIONS + str(state.next_offset).encode()
        return rollup_to_bytes(state)

    def from_bytes(self, data: bytes) -> SituationState:
        """The state of a checkpoint."""
        if data.startswith(_ANNOTATIONS):
            return AnnotationsState(int(data[len(_ANNOTATIONS) :]))
        return rollup_from_bytes(data)

    def report(self, shard: str, state: SituationState, telemetry: LineTelemetry) -> None:
        """How far behind now the least advanced shard has closed; what became of the window records."""
        if isinstance(state, AnnotationsState):
            return
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

    def __call__(self) -> LineRuntime[SituationState, SituationOutput]:
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
            if shard_parts(shard)[0] == self.line.topics[0]
        )
