"""`Fold`, `Write`, `Checkpoint`: a batch goes through all three within one call of the fused stage.

Each only calls the process's runtime (`pipelines.jobs.line`): the order is the graph's, the rules are the
kernels'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import apache_beam as beam

from pipelines.jobs.line import LineRuntime
from pipelines.kernels.batch import ShardBatch
from pipelines.transforms.runtime import runtime_of

__all__ = ["Checkpoint", "Fold", "Write"]


class Fold(beam.DoFn):  # type: ignore[misc] # Beam publishes no types
    """Batch -> (shard, outputs); the state is the process's."""

    def __init__(self, factory: Callable[[], LineRuntime[Any, Any]]) -> None:
        self._factory = factory

    def process(self, batch: ShardBatch) -> Iterator[tuple[str, Any]]:
        """Fold one batch."""
        yield batch.shard, runtime_of(self._factory).fold(batch)


class Write(beam.DoFn):  # type: ignore[misc] # Beam publishes no types
    """(shard, outputs) -> shard, once every output is confirmed."""

    def __init__(self, factory: Callable[[], LineRuntime[Any, Any]]) -> None:
        self._factory = factory

    def process(self, folded: tuple[str, Any]) -> Iterator[str]:
        """Write one batch's outputs."""
        shard, outputs = folded
        runtime_of(self._factory).write(outputs)
        yield shard


class Checkpoint(beam.DoFn):  # type: ignore[misc] # Beam publishes no types
    """shard -> (shard, 1) for each checkpoint made."""

    def __init__(self, factory: Callable[[], LineRuntime[Any, Any]]) -> None:
        self._factory = factory

    def process(self, shard: str) -> Iterator[tuple[str, int]]:
        """Checkpoint the shard if it is due."""
        if runtime_of(self._factory).checkpoint(shard):
            yield shard, 1
