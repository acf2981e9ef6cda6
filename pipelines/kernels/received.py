"""A log as if what was kept back had been taken at once: readings at the moment a connector received them.

A message that was refused and sent again when its codec was right stands in the log when it was sent again,
hours after it was received; live it is late. For a backfill it can be put where it would have stood. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec
import numpy as np

from pipelines.kernels.batch import ShardBatch

__all__ = ["KEPT_BACK_MS", "kept_back", "put_back"]

KEPT_BACK_MS: Final = 60_000
"""Between a connector's receipt and the log lie milliseconds; more than this is something kept back."""


class _Received(msgspec.Struct, gc=False):
    received_at_ms: int = 0


_DECODE: Final = msgspec.json.Decoder(_Received).decode
Kept = list[tuple[int, bytes]]


def kept_back(batch: ShardBatch) -> Kept:
    """(received at, record) of the batch's records that came to the log long after they were received."""
    return [
        (received_ms, value)
        for value, append_ms in zip(batch.values, batch.append_times_ms.tolist(), strict=True)
        if value is not None and (received_ms := _received_ms(value)) and _is_kept(received_ms, append_ms)
    ]


def put_back(batches: Iterable[ShardBatch], kept: Kept) -> Iterator[ShardBatch]:
    """The batches with each kept record where it would have stood, and none where it came in the end.

    What was received before the log's oldest record stands at its beginning.
    """
    waiting, at = sorted(kept), 0
    clock_ms = 0
    for batch in batches:
        times = np.maximum(np.maximum.accumulate(batch.append_times_ms), clock_ms)
        end_ms = int(times[-1]) if times.size else clock_ms
        until = at
        while until < len(waiting) and waiting[until][0] <= end_ms:
            until += 1
        yield _with(batch, times, waiting[at:until])
        clock_ms, at = end_ms, until


def _with(batch: ShardBatch, times: np.ndarray, kept: Kept) -> ShardBatch:
    values = [
        None if value is not None and _is_kept(_received_ms(value), append_ms) else value
        for value, append_ms in zip(batch.values, batch.append_times_ms.tolist(), strict=True)
    ]
    received = np.array([at_ms for at_ms, _ in kept], np.int64)
    places = np.searchsorted(times, received)
    offsets = np.append(batch.offsets, batch.next_offset - 1)[places] if kept else received
    merged = np.insert(np.array([*values, None], object)[:-1], places, [value for _, value in kept])
    return ShardBatch(
        batch.shard,
        batch.first_offset,
        batch.next_offset,
        np.insert(batch.offsets, places, offsets),
        np.insert(batch.append_times_ms, places, received),
        merged.tolist(),
    )


def _is_kept(received_ms: int, append_ms: int) -> bool:
    return 0 < received_ms < append_ms - KEPT_BACK_MS


def _received_ms(value: bytes) -> int:
    """0 of what is no reading: the fold says why."""
    try:
        return _DECODE(value).received_at_ms
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return 0
