"""A job as a line: read, fold, write, checkpoint, in that order, one batch at a time.

Every job is this line with its own fold and its own write (`ShardJob`). The order is the promise:

    outputs written and confirmed -> checkpoint written and confirmed -> group offset committed

Killed between any two of them, the shard starts again from its last checkpoint and writes the same
upserts again under the same keys. A rewind is always safe; a skip cannot happen, because a batch
that does not begin at the state's next offset is never folded.

Which shards are a worker's, its settings say, or a group of workers (`pipelines.io.group`); either way it
claims each before it loads its checkpoint, and writes only while no claim is newer than its own. What a
death, a pause or a partition does between any two lines: docs/decisions/0020-shards-between-workers.md.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

import structlog

from pipelines.io.checkpoints import Checkpoint, load_checkpoints, save_checkpoint
from pipelines.io.claims import Claims, Fenced
from pipelines.io.group import Group
from pipelines.io.memory import give_back
from pipelines.io.shards import TopicIdentity, shard_name, shard_parts, topic_identities
from pipelines.io.sink import KafkaSink, Record
from pipelines.io.source import ShardSource
from pipelines.jobs.shard_job import LineSettings, ShardJob
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.ownership import epoch_after
from pipelines.telemetry import LineTelemetry
from schemas.errors import OutdatedState
from schemas.topics import TICK_KEY

__all__ = ["LineRuntime", "LineSettings", "ShardJob"]

State = TypeVar("State")
Outputs = TypeVar("Outputs")

_LOG = structlog.get_logger(__name__)
_GIVE_BACK_S: Final = 10.0
_FENCE_S: Final = 1.0
"""How old what we know of others' claims may be when we write."""


@dataclass(slots=True)
class _Shard(Generic[State]):
    state: State
    epoch: int
    checkpointed_offset: int
    checkpointed_at_s: float = field(default_factory=time.monotonic)


class LineRuntime(Generic[State, Outputs]):
    """One process's share of a job: its shards' states, its consumer, its producer.

    Not thread-safe, but for `leave`: the one restriction that reads is also the one that folds and writes,
    and a batch goes through all four before the next is read.
    """

    def __init__(self, settings: LineSettings, job: ShardJob[State, Outputs], sink: KafkaSink) -> None:
        self.settings, self.job, self.sink = settings, job, sink
        self.telemetry = LineTelemetry(job.name)
        self._source = ShardSource(
            settings.bootstrap, f"taishi-{job.name}", batch_records=settings.batch_records
        )
        self._claims = Claims(settings.bootstrap, job.name, sink, topic=settings.claim_topic)
        self._group: Group | None = None
        self._shards: dict[str, _Shard[State]] = {}
        self._identities: dict[str, TopicIdentity] = {}
        self._begun: set[str] = set()
        self._unread: set[str] = set()
        self._fenced_at_s: dict[str, float] = {}
        self._folding = ""
        self._ticked_at_s = self._gave_back_at_s = self._verified_at_s = 0.0
        self._leaving, self._left = threading.Event(), threading.Event()

    def start(self) -> None:
        """Take the shards that the settings name, or ask the group for some: `read` takes what it gives."""
        settings = self.settings
        self._identities = topic_identities(settings.bootstrap, settings.topics)
        if settings.group is None:
            self._take(list(self._owned()))
            return
        name = f"taishi-{self.job.name}-{settings.group}"
        member = Group.configuration(settings.bootstrap, name, settings.session_s, settings.stall_s)
        self._group = Group(member, settings.topics, self._give_up, self._lose)

    def _take(self, shards: list[str]) -> None:
        """Claim the shards, load their checkpoints, check that the topics are the same ones, and seek."""
        settings = self.settings
        claimed = self._claims.take(shards)
        found = load_checkpoints(settings.bootstrap, self.job.name, topic=settings.checkpoint_topic)
        wanted = {shard: self._restore(shard, found.get(shard), claimed[shard]) for shard in shards}
        starts = self._source.add(wanted)
        for shard, offset in starts.items():
            if wanted[shard] is None:
                self.job.start_at(self._shards[shard].state, offset)
                self._shards[shard].checkpointed_offset = offset
        for shard in shards:
            # The decision to rebuild must outlive this process: an older checkpoint no longer counts.
            if self._is_anew(shard):
                self._save(shard, self._shards[shard])
        self._begun.update(shards)
        self.telemetry.shards_owned.set(len(self._shards))
        _LOG.info("shards taken", job=self.job.name, owner=self._claims.owner, offsets=starts)

    def _is_anew(self, shard: str) -> bool:
        """Once a process: what comes back to it from another worker has been rebuilt."""
        return self.settings.from_oldest and shard not in self._begun

    def _restore(self, shard: str, found: Checkpoint | None, claimed_at: int) -> int | None:
        """Hold the shard as its checkpoint has it; returns where it goes on, None for the oldest record."""
        checkpoint = None if self._is_anew(shard) else found
        state = self._restored(shard, checkpoint) if checkpoint else None
        goes_on = checkpoint.next_offset if checkpoint and state is not None else None
        self._shards[shard] = _Shard(
            self.job.initial(shard) if state is None else state,
            epoch_after(claimed_at, found.epoch if found else None),
            goes_on or 0,
        )
        self._fenced_at_s.pop(shard, None)
        return goes_on

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
        """Batches that came within `timeout_s`; first the group's changes, and the shards' ticks when due."""
        if self._leaving.is_set():
            self._hand_over(timeout_s)
            return
        if self._group is not None:
            self._share(self._group)
        self._tick()
        for batch in self._source.read(timeout_s):
            if batch.shard in self._shards:  # else it was fenced a batch ago
                yield batch

    def _hand_over(self, timeout_s: float) -> None:
        if not self._left.is_set():
            self.close()
            self._left.set()
        threading.Event().wait(timeout_s)  # the process ends meanwhile

    def _share(self, group: Group) -> None:
        given = group.poll()
        if self._unread:
            self._source.drop(self._unread)
            self._unread.clear()
        if given:
            self._take(given)
        self._take_back(time.monotonic())

    def _take_back(self, now_s: float) -> None:
        """Claim again what somebody claimed and the group, a session later, still gives to us.

        A member that was put out and woke before its claim lets go by then. Another group, or a worker with
        --shards, does not: the two fence each other, loudly, until one is stopped.
        """
        session_s = self.settings.session_s
        again = [shard for shard, at_s in self._fenced_at_s.items() if now_s - at_s > session_s]
        if again:
            _LOG.warning("claiming again: the group still gives them to us", shards=again)
            self._take(again)

    def _give_up(self, shards: list[str]) -> None:
        """Another worker gets these once we return: it goes on where we are."""
        for shard in shards:
            held = self._shards.get(shard)
            if held and self.job.next_offset(held.state) != held.checkpointed_offset and self._owns(shard):
                self._save(shard, held)
        self._release(shards)
        _LOG.info("shards given up", job=self.job.name, shards=shards)

    def _lose(self, shards: list[str]) -> None:
        """Others may have had these for long: nothing is written for them any more."""
        self._release(shards)
        _LOG.warning("shards lost: the group had not heard of us", job=self.job.name, shards=shards)

    def _release(self, shards: Iterable[str]) -> None:
        for shard in shards:
            self._fenced_at_s.pop(shard, None)
            if self._shards.pop(shard, None) is not None:
                self._claims.release(shard)
                self._unread.add(shard)
                self.telemetry.forget(shard)
        self.telemetry.shards_owned.set(len(self._shards))

    def _owns(self, shard: str) -> bool:
        """Whether the shard is ours, by claims as the log had them at most `_FENCE_S` ago."""
        now_s = time.monotonic()
        if now_s - self._verified_at_s >= _FENCE_S:
            for fenced, owner in self._claims.superseded().items():
                self._fence(fenced, owner, now_s)
            self._verified_at_s = now_s  # from before the question: a pause within it counts
        return shard in self._shards

    def _fence(self, shard: str, owner: str, now_s: float) -> None:
        self.telemetry.shards_fenced.inc()
        if self._group is None:
            raise Fenced(
                f"{self.job.name}/{shard}: received a claim of {owner}, allowed: one worker a shard; share "
                "them with --group, or give each worker its own --shards"
            )
        _LOG.warning(
            "fenced: another worker has claimed the shard", job=self.job.name, shard=shard, owner=owner
        )
        self._release([shard])
        self._fenced_at_s[shard] = now_s

    def fold(self, batch: ShardBatch) -> Outputs:
        """Fold a batch into its shard's state."""
        self._folding = batch.shard
        with self.telemetry.fold_seconds.time():
            return self.job.fold(self._shards[batch.shard].state, batch)

    def write(self, outputs: Outputs) -> None:
        """Write the outputs of the batch folded last; nothing if its shard is no longer ours."""
        if not self._owns(self._folding):
            return
        with self.telemetry.write_seconds.time():
            self.job.write(outputs)

    def checkpoint(self, shard: str) -> bool:
        """Checkpoint the shard if it is due and ours; whether it was."""
        held = self._shards.get(shard)
        now_s = time.monotonic()
        if held is None or now_s - held.checkpointed_at_s < self.settings.checkpoint_interval_s:
            return False
        if not self._owns(shard):
            return False
        self._save(shard, held)
        held.checkpointed_at_s = now_s
        if now_s - self._gave_back_at_s >= _GIVE_BACK_S:
            self._gave_back_at_s = now_s
            give_back()
        return True

    def _save(self, shard: str, held: _Shard[State]) -> None:
        self.sink.confirm()  # what was written before
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

    def leave(self, limit_s: float) -> bool:
        """Hand over to the group, from another thread: checkpoint, give up, leave. Whether it came to that.

        A line that no group has waits for nobody: its next start goes on from the last checkpoint.
        """
        if self._group is None:
            return True
        self._leaving.set()
        return self._left.wait(limit_s)

    def close(self) -> None:
        """Checkpoint every shard and leave."""
        if self._group is not None:
            self._group.close()  # gives up what it has
        for shard, held in list(self._shards.items()):
            if self.job.next_offset(held.state) != held.checkpointed_offset and self._owns(shard):
                self._save(shard, held)
        self._source.close()
        self._claims.close()


RuntimeFactory = Callable[[], LineRuntime[Any, Any]]
"""Makes a process's runtime; must be picklable for runners that ship it."""
