"""Job `aggregate`: readings of a domain's shards into windows per grid.

Outputs, all to Kafka and all confirmed before the checkpoint: windows and progress marks to
`windows`, readings beyond lateness to `late`, refused ones to `quarantine` with their bytes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args

import msgspec

from pipelines.io.shards import shard_parts, topic_identities
from pipelines.io.sink import KafkaSink, Record
from pipelines.jobs.line import LineRuntime, LineSettings
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.decode import HotReading
from pipelines.kernels.fold import fold
from pipelines.kernels.plan import SCALE, plan_for
from pipelines.kernels.state import ACCOUNTS, Flush, FoldOutput, FoldSettings, ShardState
from pipelines.kernels.state_codec import state_from_bytes, state_to_bytes
from pipelines.telemetry import LineTelemetry
from schemas.kinds import DOMAINS, Domain
from schemas.quarantine import Quarantined
from schemas.readings import reading_id
from schemas.topics import LATE, QUARANTINE, WINDOWS, readings_topic
from schemas.windows import Progress, Window

__all__ = ["AggregateFactory", "AggregateJob", "domain_of", "windows_of"]

_ENCODE = msgspec.json.Encoder().encode


def domain_of(shard: str) -> Domain:
    """`readings.parking/0` -> `parking`."""
    topic, _ = shard_parts(shard)
    domain = topic.rpartition(".")[2]
    for allowed in get_args(Domain):
        if domain == allowed:
            return allowed  # type: ignore[no-any-return] # one of Domain's own values
    raise ValueError(f"shard: received {shard!r}, allowed: {', '.join(map(readings_topic, DOMAINS))}")


def windows_of(domain: Domain, shard: str, flush: Flush) -> Iterator[Window]:
    """The windows of a flush in the order they are sent."""
    names = plan_for(domain).measures
    for block in flush.blocks:
        for grid, values in zip(block.grids, (block.values / SCALE).tolist(), strict=True):
            yield Window(
                domain=domain,
                grid=grid,
                window_s=block.window_s,
                start_ms=block.start_ms,
                revision=flush.revision,
                shard=shard,
                metrics=dict(zip(names, values, strict=True)),
            )


class AggregateJob:
    """The fold of readings, as a `ShardJob`."""

    name = "aggregate"

    def __init__(self, factory: AggregateFactory, partitions: Mapping[str, int], sink: KafkaSink) -> None:
        self._settings, self._district, self._prefix = factory.fold, factory.district, factory.topic_prefix
        self._partitions, self._sink = partitions, sink

    def initial(self, shard: str) -> ShardState:
        """An empty state of the shard's domain."""
        return ShardState(domain_of(shard))

    def next_offset(self, state: ShardState) -> int:
        """Where the state goes on."""
        return state.next_offset

    def start_at(self, state: ShardState, offset: int) -> None:
        """Begin at the log's oldest offset."""
        state.next_offset = offset

    def fold(self, state: ShardState, batch: ShardBatch) -> list[Record]:
        """The records to write for a batch, in the order they must stand."""
        output = fold(self._settings, state, batch)
        records = [record for flush in output.flushes for record in self._window_records(state, batch, flush)]
        records.extend(self._late_record(batch, index) for index in output.late)
        records.extend(self._quarantine_records(batch, output))
        return records

    def _window_records(self, state: ShardState, batch: ShardBatch, flush: Flush) -> Iterator[Record]:
        key = self._district.encode()
        for window in windows_of(state.domain, batch.shard, flush):
            yield Record(self._prefix + WINDOWS, key, _ENCODE(window))
        yield Record(self._prefix + WINDOWS, key, _ENCODE(Progress(
            domain=state.domain,
            shard=batch.shard,
            shards=self._partitions[shard_parts(batch.shard)[0]],
            closed_through_ms=flush.closed_through_ms,
            revision=flush.revision,
        )))  # fmt: skip

    def _late_record(self, batch: ShardBatch, index: int) -> Record:
        value = batch.values[index] or b""
        late = msgspec.json.decode(value, type=HotReading)
        identity = reading_id(late.device, late.kind, late.metric, late.observed_at_ms, late.seq)
        lag_ms = int(batch.append_times_ms[index]) - late.observed_at_ms
        return Record(self._prefix + LATE, identity.encode(), value, (("lag_ms", str(lag_ms).encode()),))

    def _quarantine_records(self, batch: ShardBatch, output: FoldOutput) -> Iterator[Record]:
        for rejection in output.rejections:
            refused = Quarantined(
                reason=rejection.reason,
                detail=rejection.detail,
                source=rejection.source,
                address=f"{batch.shard}@{batch.offsets[rejection.index]}",
                received_at_ms=int(batch.append_times_ms[rejection.index]),
                payload=batch.values[rejection.index] or b"",
            )
            yield Record(
                self._prefix + QUARANTINE, refused.address.encode(), refused.payload, tuple(refused.headers())
            )

    def write(self, outputs: list[Record]) -> None:
        """Post the records: waiting for each batch's confirmation took a fifth of the time of a backlog."""
        if outputs:
            self._sink.post(outputs)

    def to_bytes(self, state: ShardState) -> bytes:
        """The state, zstd-compressed."""
        return state_to_bytes(self._settings, state)

    def from_bytes(self, data: bytes) -> ShardState:
        """The state of a checkpoint."""
        return state_from_bytes(self._settings, data)

    def report(self, shard: str, state: ShardState, telemetry: LineTelemetry) -> None:
        """Watermark age, and what became of the readings of each source."""
        if state.watermark_ms is not None:
            telemetry.watermark_age_seconds.labels(shard).set(time.time() - state.watermark_ms / 1000)
        counts: dict[tuple[str, ...], int] = {
            (what, source): int(state.accounts[row, column])
            for row, what in enumerate(ACCOUNTS)
            for column, source in enumerate(state.sources.texts)
            if what != "quarantined"
        }
        refused = {("quarantined", *key): count for key, count in state.refused.items()}
        telemetry.account(shard, counts | refused)


@dataclass(frozen=True, slots=True)
class AggregateFactory:
    """Makes the runtime of `aggregate`; equal ones are one, so a process has one runtime.

    `topic_prefix` goes before the output topics' names: a benchmark beside a running system.
    """

    line: LineSettings
    fold: FoldSettings
    district: str
    topic_prefix: str = ""

    def __call__(self) -> LineRuntime[ShardState, list[Record]]:
        """Connect; nothing is read before `start`."""
        sink = KafkaSink(self.line.bootstrap)
        identities = topic_identities(self.line.bootstrap, self.line.topics)
        partitions = {name: identity.partitions for name, identity in identities.items()}
        return LineRuntime(self.line, AggregateJob(self, partitions, sink), sink)
