"""Job `backfill`: a past range, recomputed by a bounded Beam pipeline with the kernels of the live jobs.

    shards -> fold each (settled windows) -> by window -> roll up -> InfluxDB

From the log it begins at the oldest record held, because gauges carry forward from before the
range; a window's values and revision are those the live job gave it. From files (`SpooledStretch`)
each reading arrives at its own time. Only InfluxDB is written: nobody is notified. Every point is
an upsert, so a backfill that died is simply run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import apache_beam as beam
from apache_beam.metrics import Metrics
from apache_beam.metrics.metric import MetricsFilter
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from pipelines.io.bounded import LogStretch, ReceivedStretch, SpooledStretch
from pipelines.io.influxdb import InfluxDb, InfluxSettings
from pipelines.io.shards import shard_name, topic_identities
from pipelines.io.source import ShardSource
from pipelines.jobs.aggregate import domain_of
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.points import by_bucket
from pipelines.kernels.rollup import PlaceWindow
from pipelines.kernels.settled import Range, SettledWindow, parents_of, settled_windows
from pipelines.kernels.state import ACCOUNTS, FoldSettings, ShardState
from schemas.kinds import Domain

__all__ = ["BackfillSettings", "backfill", "log_stretches"]

Stretch = LogStretch | ReceivedStretch | SpooledStretch
WindowKey = tuple[Domain, int, int]
_NAMESPACE = "backfill"


@dataclass(frozen=True, slots=True)
class BackfillSettings:
    """How to fold, what to keep, where to write."""

    fold: FoldSettings
    wanted: Range
    influxdb: InfluxSettings


def log_stretches(bootstrap: str, topics: Sequence[str]) -> list[LogStretch]:
    """Every shard of the topics up to where its log ends now."""
    source = ShardSource(bootstrap, "taishi-backfill-bounds")
    try:
        return [
            LogStretch(bootstrap, shard, source.bounds(shard)[1])
            for topic, identity in topic_identities(bootstrap, tuple(topics)).items()
            for shard in (shard_name(topic, partition) for partition in range(identity.partitions))
        ]
    finally:
        source.close()


def backfill(settings: BackfillSettings, stretches: Sequence[Stretch]) -> dict[str, int]:
    """Run to the end; returns counts: readings by what became of them, windows and points written."""
    pipeline = beam.Pipeline(runner=FnApiRunner())
    (
        pipeline
        | "Shards" >> beam.Create(list(stretches))
        | "Spread" >> beam.Reshuffle()
        | "Fold" >> beam.ParDo(_Fold(settings))
        | "ByWindow" >> beam.GroupByKey()
        | "RollUp" >> beam.FlatMapTuple(_roll_up)
        | "Write" >> beam.ParDo(_Write(settings.influxdb))
    )
    result = pipeline.run()
    result.wait_until_finish()
    counters = result.metrics().query(MetricsFilter().with_namespace(_NAMESPACE))["counters"]
    return {counter.key.metric.name: int(counter.committed or 0) for counter in counters}


class _Fold(beam.DoFn):  # type: ignore[misc] # Beam publishes no types
    """Stretch -> (window, its grids' values in this shard)."""

    def __init__(self, settings: BackfillSettings) -> None:
        self._settings = settings

    def process(self, stretch: Stretch) -> Iterator[tuple[WindowKey, SettledWindow]]:
        state = ShardState(domain_of(stretch.shard))
        batches = self._from_first(state, stretch)
        for window in settled_windows(self._settings.fold, state, batches, self._settings.wanted):
            yield (window.domain, window.window_s, window.start_ms), window
        for what, count in zip(ACCOUNTS, state.accounts.sum(axis=1).tolist(), strict=True):
            Metrics.counter(_NAMESPACE, what).inc(count)

    def _from_first(self, state: ShardState, stretch: Stretch) -> Iterator[ShardBatch]:
        for number, batch in enumerate(stretch.batches()):
            if number == 0:
                state.next_offset = batch.first_offset
            yield batch


def _roll_up(key: WindowKey, shards: Iterable[SettledWindow]) -> Iterator[list[PlaceWindow]]:
    """All places of one window, as one element."""
    domain, window_s, start_ms = key
    grids = {grid: held for shard in shards for grid, held in shard.grids.items()}
    places = [
        PlaceWindow(domain, "grid", grid, window_s, start_ms, revision, 1, True, values)
        for grid, (revision, values) in sorted(grids.items())
    ]
    places += [
        PlaceWindow(domain, level, place, window_s, start_ms, revision, count, True, values)
        for level, place, revision, count, values in parents_of(grids)
    ]
    yield places


class _Write(beam.DoFn):  # type: ignore[misc] # Beam publishes no types
    """Places of windows -> InfluxDB, many windows a request, all confirmed when the bundle ends."""

    def __init__(self, settings: InfluxSettings) -> None:
        self._settings = settings
        self._store: InfluxDb | None = None
        self._windows: list[PlaceWindow] = []

    def setup(self) -> None:
        self._store = InfluxDb(self._settings)

    def process(self, places: list[PlaceWindow]) -> None:
        self._windows += places
        Metrics.counter(_NAMESPACE, "windows").inc()
        if len(self._windows) >= self._settings.batch_points:
            self._flush()

    def finish_bundle(self) -> None:
        self._flush()

    def teardown(self) -> None:
        if self._store is not None:
            self._store.close()

    def _flush(self) -> None:
        """A bundle that fails is run again whole, and writes the same points."""
        assert self._store is not None  # noqa: S101 - Beam calls setup first
        windows, self._windows = self._windows, []
        refused, expired = 0, self._store.expired
        for bucket, lines in by_bucket(windows, self._settings.bucket_of).items():
            refused += len(self._store.write(lines, bucket))
        expired = self._store.expired - expired
        Metrics.counter(_NAMESPACE, "points").inc(len(windows) - refused - expired)
        Metrics.counter(_NAMESPACE, "points_expired").inc(expired)
        Metrics.counter(_NAMESPACE, "points_refused").inc(refused)
