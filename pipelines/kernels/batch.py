"""A micro-batch: consecutive records of one shard, as columns. What flows through Beam."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Int64s", "ShardBatch"]

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ShardBatch:
    """Records `[first_offset, next_offset)` of shard `<topic>/<partition>`, in offset order.

    `offsets` and `append_times_ms` have one element a record (shape `(n,)`); so has
    `values`. Offsets may have holes (Kafka's own control records), never repeat or go back.
    """

    shard: str
    first_offset: int
    next_offset: int
    offsets: Int64s
    append_times_ms: Int64s
    values: list[bytes | None]

    def __len__(self) -> int:
        return len(self.values)
