"""Job `situation`: windows of grids into the situation of every level, in InfluxDB.

One shard (the topic `windows` has one partition a district): roll-up, upsert, checkpoint.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx
import msgspec
import structlog

from pipelines.io.canary import Canary
from pipelines.io.checkpoints import load_checkpoints
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from pipelines.io.sink import KafkaSink
from pipelines.jobs.line import LineRuntime, LineSettings
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.points import line
from pipelines.kernels.rollup import PlaceWindow, RollupSettings, RollupState, roll_up
from pipelines.kernels.rollup_codec import rollup_from_bytes, rollup_to_bytes
from pipelines.telemetry import RECORDS_SKIPPED, WINDOW_TO_QUERYABLE_SECONDS, LineTelemetry
from schemas.windows import WindowRecord

__all__ = ["SituationFactory", "SituationJob"]

_LOG = structlog.get_logger(__name__)
_DECODE = msgspec.json.Decoder(WindowRecord).decode
_RECENT_S = 120.0
"""Older windows are revisions or a rebuild: they say nothing about latency."""


class SituationJob:
    """The roll-up and its points, as a `ShardJob`."""

    name = "situation"

    def __init__(self, settings: RollupSettings, store: InfluxDb, canary: Canary) -> None:
        self._settings, self._store, self._canary = settings, store, canary

    def initial(self, shard: str) -> RollupState:  # noqa: ARG002 - every shard begins alike
        """An empty state."""
        return RollupState()

    def next_offset(self, state: RollupState) -> int:
        """Where the state goes on."""
        return state.next_offset

    def start_at(self, state: RollupState, offset: int) -> None:
        """Begin at the log's oldest offset."""
        state.next_offset = offset

    def fold(self, state: RollupState, batch: ShardBatch) -> list[PlaceWindow]:
        """What is to be upserted for a batch."""
        if batch.first_offset != state.next_offset:
            raise ValueError(
                f"{batch.shard}: received offset {batch.first_offset}, expected {state.next_offset}"
            )
        upserts: list[PlaceWindow] = []
        places = zip(batch.offsets.tolist(), batch.append_times_ms.tolist(), batch.values, strict=True)
        for offset, append_ms, value in places:
            if value is None:
                continue
            try:
                record = _DECODE(value)
            except msgspec.MsgspecError as error:
                # Written by nobody of ours: say so and go on; the original stays in the topic.
                RECORDS_SKIPPED.labels("undecodable").inc()
                _LOG.error("record skipped", shard=batch.shard, offset=offset, why=str(error)[:200])
                continue
            upserts.extend(roll_up(self._settings, state, offset, append_ms, record))
        state.next_offset = batch.next_offset
        return upserts

    def write(self, outputs: list[PlaceWindow]) -> None:
        """Upsert; returns when InfluxDB has taken them."""
        if not outputs:
            return
        self._store.write([line(window) for window in outputs])
        _observe(outputs, time.time())
        self._canary.check_if_due(max(window.revision for window in outputs), int(time.time() * 1000))

    def to_bytes(self, state: RollupState) -> bytes:
        """The state, zstd-compressed."""
        return rollup_to_bytes(state)

    def from_bytes(self, data: bytes) -> RollupState:
        """The state of a checkpoint."""
        return rollup_from_bytes(data)

    def report(self, shard: str, state: RollupState, telemetry: LineTelemetry) -> None:
        """How far behind now the least advanced shard of the readings has closed."""
        marks = [mark for shards in state.progress.values() for mark in shards.values()]
        if marks:
            telemetry.watermark_age_seconds.labels(shard).set(time.time() - min(marks) / 1000)


def _observe(outputs: Sequence[PlaceWindow], now_s: float) -> None:
    """One observation a window, level and domain, of windows that have just ended."""
    ends = {(w.level, w.domain, w.window_s, w.start_ms / 1000 + w.window_s) for w in outputs}
    for level, _, _, end_s in ends:
        if now_s - end_s < _RECENT_S:
            WINDOW_TO_QUERYABLE_SECONDS.labels(level).observe(now_s - end_s)


@dataclass(frozen=True, slots=True)
class SituationFactory:
    """Makes the runtime of `situation`; equal ones are one, so a process has one runtime."""

    line: LineSettings
    influxdb: InfluxSettings
    rollup: RollupSettings

    def __call__(self) -> LineRuntime[RollupState, list[PlaceWindow]]:
        """Connect; if the store was emptied behind the checkpoint, begin at the log's oldest record."""
        store = InfluxDb(self.influxdb)
        canary = Canary(store, SituationJob.name)
        settings = self.line
        if not settings.from_oldest and self._was_emptied(canary):
            _LOG.warning("InfluxDB holds nothing of what the checkpoint says; rebuilding from the log")
            settings = dataclasses.replace(settings, from_oldest=True)
        job = SituationJob(self.rollup, store, canary)
        return LineRuntime(settings, job, KafkaSink(settings.bootstrap))

    def _was_emptied(self, canary: Canary) -> bool:
        found = load_checkpoints(self.line.bootstrap, SituationJob.name, topic=self.line.checkpoint_topic)
        if not any(checkpoint.next_offset for checkpoint in found.values()):
            return False
        try:
            return canary.newest_mark() is None
        except httpx.HTTPError as error:
            _LOG.warning("InfluxDB not reachable at start; its writes will wait for it", why=str(error))
            return False
