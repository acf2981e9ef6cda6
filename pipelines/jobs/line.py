"""A job as a line: read, fold, write, checkpoint, in that order, one batch at a time.

Every job is this line with its own fold and its own write (`ShardJob`). The order is the promise:

    outputs written and confirmed -> checkpoint written and confirmed -> group offset committed

Killed between any two of them, the shard starts again from its last checkpoint and writes the same
upserts again under the same keys. A rewind is always safe; a skip cannot happen, because a batch
that does not begin at the state's next offset is never folded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeVar

import structlog

from pipelines.io.checkpoints import Checkpoint, load_checkpoints, save_checkpoint
from pipelines.io.memory import give_back
from pipelines.io.shards import TopicIdentity, shard_name, shard_parts, topic_identities
from pipelines.io.sink import KafkaSink, Record
from pipelines.io.source import ShardSource
from pipelines.kernels.batch import ShardBatch
from pipelines.telemetry import LineTelemetry
from schemas.errors import OutdatedState
from schemas.topics import TICK_KEY

__all__ = ["LineRuntime", "LineSettings", "ShardJob"]

State = TypeVar("State")
Outputs = TypeVar("Outputs")

_LOG = structlog.get_logger(__name__)
_GIVE_BACK_S: Final = 10.0


class ShardJob(Protocol[State, Outputs]):
    """What a job is, apart from its transport. All but `write` is pure."""

    name: str

    def initial(self, shard: str) -> State:
        """The state before the first record of a shard."""

    def next_offset(self, state: State) -> int:
        """Where the state goes on."""

    def start_at(self, state: State, offset: int) -> None:
        """Let an initial state begin at the log's oldest offset."""

    def fold(self, state: State, batch: ShardBatch) -> Outputs:
        """Take a batch into the state (in place) and say what is to be written."""

    def write(self, outputs: Outputs) -> None:
        """Write the outputs; returns only when all are confirmed, raises if they cannot be."""

    def to_bytes(self, state: State) -> bytes:
        """The state for a checkpoint."""

    def from_bytes(self, data: bytes) -> State:
        """The state of a checkpoint; OutdatedState if another release wrote it in another form."""

    def report(self, shard: str, state: State, telemetry: LineTelemetry) -> None:
        """Put what the state knows of itself into the metrics."""


@dataclass(frozen=True, slots=True)
class LineSettings:
    """Where a line reads and how often it checkpoints. `partitions` None: all of each topic."""

    bootstrap: str
    topics: tuple[str, ...]
    partitions: tuple[int, ...] | None = None
    checkpoint_interval_s: float = 10.0
    checkpoint_topic: str = "checkpoints"
    batch_records: int = 10_000
    tick_interval_s: float | None = 1.0
    from_oldest: bool = False


@dataclass(slots=True)
class _Shard(Generic[State]):
    state: State
    epoch: int
    checkpointed_offset: int
    checkpointed_at_s: float = field(default_factory=time.monotonic)


class LineRuntime(Generic[State, Outputs]):
    """One process's share of a job: its shards' states, its consumer, its producer.

    Not thread-safe: the one restriction that reads is also the one that folds and writes.
    """

    def __init__(self, settings: LineSettings, job: ShardJob[State, Outputs], sink: KafkaSink) -> None:
        self.settings, self.job, self.sink = settings, job, sink
        self.telemetry = LineTelemetry(job.name)
        self._source = ShardSource(
            settings.bootstrap, f"taishi-{job.name}", batch_records=settings.batch_records
        )
        self._shards: dict[str, _Shard[State]] = {}
        self._identities: dict[str, TopicIdentity] = {}
        self._ticked_at_s = self._gave_back_at_s = 0.0

    def start(self) -> None:
        """Load the checkpoints, check that the topics are the same ones, and seek."""
        settings = self.settings
        self._identities = topic_identities(settings.bootstrap, settings.topics)
        found = load_checkpoints(settings.bootstrap, self.job.name, topic=settings.checkpoint_topic)
        wanted: dict[str, int | None] = {}
        for shard in self._owned():
            checkpoint = None if settings.from_oldest else found.get(shard)
            epoch = found[shard].epoch + 1 if shard in found else 1
            state = self._restored(shard, checkpoint) if checkpoint else None
            goes_on = checkpoint.next_offset if checkpoint and state is not None else None
            self._shards[shard] = _Shard(
                self.job.initial(shard) if state is None else state, epoch, goes_on or 0
            )
            wanted[shard] = goes_on
        starts = self._source.assign(wanted)
        for shard, offset in starts.items():
            if wanted[shard] is None:
                self.job.start_at(self._shards[shard].state, offset)
                self._shards[shard].checkpointed_offset = offset
        if settings.from_oldest:
            # The decision to rebuild must outlive this process: an older checkpoint no longer counts.
            for shard, held in self._shards.items():
                self._save(shard, held)
        _LOG.info("line started", job=self.job.name, offsets=starts)

    def _owned(self) -> Iterator[str]:
        for topic, identity in self._identities.items():
            for partition in range(identity.partitions):
                if self.settings.partitions is None or partition in self.settings.partitions:
                    yield shard_name(topic, partition)

    def _restored(self, shard: str, checkpoint: Checkpoint) -> State | None:
        """The state of a checkpoint; None if another release wrote it: the log makes it anew."""
        checkpoint.check(self._identities[shard_parts(shard)[0]])
        try:
            return self.job.from_bytes(checkpoint.state)
        except OutdatedState as outdated:
            _LOG.warning("folding a shard anew from its log", shard=shard, why=str(outdated))
            return None

    def read(self, timeout_s: float) -> Iterator[ShardBatch]:
        """Batches that came within `timeout_s`; also ticks the shards when a tick is due."""
        self._tick()
        yield from self._source.read(timeout_s)

    def fold(self, batch: ShardBatch) -> Outputs:
        """Fold a batch into its shard's state."""
        with self.telemetry.fold_seconds.time():
            return self.job.fold(self._shards[batch.shard].state, batch)

    def write(self, outputs: Outputs) -> None:
        """Write outputs, confirmed."""
        with self.telemetry.write_seconds.time():
            self.job.write(outputs)

    def checkpoint(self, shard: str) -> bool:
        """Checkpoint the shard if it is due; whether it was."""
        held = self._shards[shard]
        now_s = time.monotonic()
        if now_s - held.checkpointed_at_s < self.settings.checkpoint_interval_s:
            return False
        self._save(shard, held)
        held.checkpointed_at_s = now_s
        if now_s - self._gave_back_at_s >= _GIVE_BACK_S:
            self._gave_back_at_s = now_s
            give_back()
        return True

    def _save(self, shard: str, held: _Shard[State]) -> None:
        offset = self.job.next_offset(held.state)
        identity = self._identities[shard_parts(shard)[0]]
        size = save_checkpoint(
            self.sink,
            Checkpoint(
                job=self.job.name,
                shard=shard,
                epoch=held.epoch,
                next_offset=offset,
                topic_id=identity.topic_id,
                partitions=identity.partitions,
                state=self.job.to_bytes(held.state),
            ),
            topic=self.settings.checkpoint_topic,
        )
        held.checkpointed_offset = offset
        self._source.commit({shard: offset})
        self.telemetry.checkpoint_bytes.labels(shard).set(size)
        self._report(shard, held)

    def _report(self, shard: str, held: _Shard[State]) -> None:
        self.job.report(shard, held.state, self.telemetry)

    def report(self) -> None:
        """Refresh the metrics of every shard: lag, watermark age, what became of the readings."""
        ends = self._source.cached_ends()
        for shard, held in self._shards.items():
            lag = ends[shard] - self.job.next_offset(held.state)
            self.telemetry.lag_records.labels(shard).set(max(0, lag))
            self._report(shard, held)

    def _tick(self) -> None:
        """Append a tick to every shard when due, so that a silent one's clock goes on by its own log."""
        every_s = self.settings.tick_interval_s
        now_s = time.monotonic()
        if every_s is None or now_s - self._ticked_at_s < every_s:
            return
        self._ticked_at_s = now_s
        for shard in self._shards:
            topic, partition = shard_parts(shard)
            self.sink.append(Record(topic, TICK_KEY, None, partition=partition))
        self.report()

    def next_offsets(self) -> Mapping[str, int]:
        """Where each shard's state stands."""
        return {shard: self.job.next_offset(held.state) for shard, held in self._shards.items()}

    def states(self) -> Mapping[str, State]:
        """The state of each shard; to look at, not to change."""
        return {shard: held.state for shard, held in self._shards.items()}

    def close(self) -> None:
        """Checkpoint every shard and leave."""
        for shard, held in self._shards.items():
            if self.job.next_offset(held.state) != held.checkpointed_offset:
                self._save(shard, held)
        self._source.close()


RuntimeFactory = Callable[[], LineRuntime[Any, Any]]
"""Makes a process's runtime; must be picklable for runners that ship it."""
