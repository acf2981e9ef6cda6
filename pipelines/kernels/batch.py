"""A micro-batch: consecutive records of one shard, as columns. What flows through Beam."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

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
    values: Sequence[bytes | None]

    def __len__(self) -> int:
        return len(self.values)

    def since(self, offset: int) -> ShardBatch:
        """The records from this offset on; where the batch begins stays."""
        start = int(np.searchsorted(self.offsets, offset))
        return self.part(start, len(self), self.first_offset, self.next_offset)

    def part(self, start: int, stop: int, first_offset: int, next_offset: int) -> ShardBatch:
        """Records `start` to `stop` of it, as a batch from and to these offsets."""
        return ShardBatch(
            self.shard,
            first_offset,
            next_offset,
            self.offsets[start:stop],
            self.append_times_ms[start:stop],
            self.values[start:stop],
        )

    def parts(self, records: int) -> Iterator[ShardBatch]:
        """The batch in equal parts of at least so many records, and less than twice as many."""
        count = max(1, len(self) // records)
        cuts = [len(self) * number // count for number in range(count + 1)]
        first = self.first_offset
        for start, stop in pairwise(cuts):
            after = self.next_offset if stop == len(self) else int(self.offsets[stop])
            yield self.part(start, stop, first, after)
            first = after
