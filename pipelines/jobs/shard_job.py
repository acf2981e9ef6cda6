"""What a job is to the line, and what the line is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, TypeVar

from pipelines.kernels.batch import ShardBatch
from pipelines.telemetry import LineTelemetry
from schemas.topics import CHECKPOINTS, CLAIMS

__all__ = ["LineSettings", "ShardJob"]

State = TypeVar("State")
Outputs = TypeVar("Outputs")


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
        """Write the outputs, in order; raises if they cannot be.

        What goes through the line's own sink may be confirmed later: the line asks before a checkpoint.
        """

    def to_bytes(self, state: State) -> bytes:
        """The state for a checkpoint."""

    def from_bytes(self, data: bytes) -> State:
        """The state of a checkpoint; OutdatedState if another release wrote it in another form."""

    def report(self, shard: str, state: State, telemetry: LineTelemetry) -> None:
        """Put what the state knows of itself into the metrics."""


@dataclass(frozen=True, slots=True)
class LineSettings:
    """Where a line reads and how often it checkpoints. `partitions` None: all of each topic.

    `group`: the shards are those that the group of this name gives; a member not heard of for `session_s`, or
    busy with one batch for `stall_s`, loses them to the others.
    """

    bootstrap: str
    topics: tuple[str, ...]
    partitions: tuple[int, ...] | None = None
    checkpoint_interval_s: float = 10.0
    checkpoint_topic: str = CHECKPOINTS
    claim_topic: str = CLAIMS
    batch_records: int = 10_000
    tick_interval_s: float | None = 1.0
    from_oldest: bool = False
    group: str | None = None
    session_s: float = 10.0
    stall_s: float = 300.0
