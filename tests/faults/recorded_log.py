"""One recorded log of readings, and the kernels over it, cut, killed and begun anew as told. In memory."""

from __future__ import annotations

import hashlib
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

import msgspec
import numpy as np

from pipelines.jobs.aggregate import windows_of
from pipelines.jobs.backfill import _roll_up
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.points import line
from pipelines.kernels.rollup import PlaceWindow, fold_windows
from pipelines.kernels.rollup_state import RollupSettings, RollupState
from pipelines.kernels.settled import Range, SettledWindow, settled_windows
from pipelines.kernels.state import FoldSettings, ShardState
from pipelines.kernels.state_codec import state_from_bytes, state_to_bytes
from schemas.windows import Progress

T0 = 1_795_392_000_000
SHARDS, PER_S, GRIDS, DEVICES = 4, 50, 120, 2_000
FOLD = FoldSettings(window_s=(10, 60, 600), lateness_ms=60_000, long_s=60)
ROLLUP = RollupSettings(kept_ms=FOLD.final_after_ms, patience_ms=86_400_000)

_REVISION = re.compile(r",revision=\d+i")

Record = tuple[int, bytes | None]
Cut = Callable[[Sequence[Record]], Iterator[int]]
"""Where the batches of a shard end, one after the other."""


@dataclass(frozen=True)
class Log:
    """Each shard's records: append time, and a reading or a tick."""

    shards: tuple[tuple[Record, ...], ...]

    def repeated(self, dice: random.Random) -> Log:
        """Every reading once to three times, in a row."""
        return Log(
            tuple(
                tuple(each for each in shard for _ in range(dice.randint(1, 3) if each[1] else 1))
                for shard in self.shards
            )
        )


def recorded(readings: int, seed: int) -> Log:
    """Parking spaces of some grids: most in time, a tenth out of order, one in a hundred too late."""
    dice, shards = random.Random(seed), [list[Record]() for _ in range(SHARDS)]
    for number in range(readings):
        at_ms = T0 + number * 1000 // PER_S
        if number % PER_S == 0:
            for shard in shards:
                shard.append((at_ms, None))
        grid, late = dice.randrange(GRIDS), dice.random()
        ago_ms = dice.randrange(2_000 if late < 0.89 else 55_000 if late < 0.99 else 200_000)
        shards[grid % SHARDS].append((at_ms, _reading(number, grid, at_ms, ago_ms, dice)))
    over_ms = T0 + readings * 1000 // PER_S + 2 * FOLD.final_after_ms + 1_200_000
    return Log(tuple((*shard, (over_ms, None)) for shard in shards))


def _reading(number: int, grid: int, at_ms: int, ago_ms: int, dice: random.Random) -> bytes:
    device = grid + GRIDS * dice.randrange(DEVICES // GRIDS)
    return msgspec.json.encode(
        {
            "id": f"{number:x}", "kind": "parking.space", "metric": "occupied", "value": dice.randrange(2),
            "device": f"d{device}", "grid": f"370202{grid % 3 + 1:03d}{grid % 5 + 1:03d}{grid:03d}",
            "source": "mqtt.x", "observed_at_ms": at_ms - ago_ms, "received_at_ms": at_ms,
            "seq": number & 0xFFFF,
        }
    )  # fmt: skip


def by(records: int) -> Cut:
    """Batches of so many records."""
    return lambda shard: iter(range(records, len(shard) + records, records))


def polled(every_ms: int) -> Cut:
    """Batches of what came within so long: a log read as fast as it came, or a hundred times as fast."""

    def cut(shard: Sequence[Record]) -> Iterator[int]:
        for at in range(1, len(shard)):
            if shard[at][0] // every_ms != shard[at - 1][0] // every_ms:
                yield at
        yield len(shard)

    return cut


def batches(number: int, shard: Sequence[Record], cut: Cut, start: int = 0) -> Iterator[ShardBatch]:
    """The rest of a shard from `start` on."""
    first = start
    for end in cut(shard[start:]):
        stop = min(start + end, len(shard))
        part = shard[first:stop]
        yield ShardBatch(
            f"readings.parking/{number}", first, stop, np.arange(first, stop),
            np.array([at_ms for at_ms, _ in part], np.int64), [body for _, body in part],
        )  # fmt: skip
        first = stop


def said(
    log: Log, cut: Cut, workers: Sequence[Sequence[int]] = (range(SHARDS),), deaths: int = 0
) -> list[bytes]:
    """The topic `windows` as workers leave it, each with its shards, each shard's worker killed so often.

    Of one worker the shards write in turn; of several one is done before another begins.
    """
    written = list[bytes]()
    for own in workers:
        lives = [_life(number, log.shards[number], cut, deaths) for number in own]
        for turn in zip_longest(*lives, fillvalue=()):
            written += [record for records in turn for record in records]
    return written


def _life(number: int, shard: Sequence[Record], cut: Cut, deaths: int) -> Iterator[list[bytes]]:
    """What each batch writes. A death comes after it is written and before its checkpoint."""
    left = [len(shard) * each // (deaths + 1) for each in range(1, deaths + 1)]
    state = ShardState("parking")
    next_offset, saved = 0, (0, state_to_bytes(FOLD, state))
    while next_offset < len(shard):
        for done, batch in enumerate(batches(number, shard, cut, next_offset)):
            yield _written(number, state, batch)
            next_offset = batch.next_offset
            if left and next_offset > left[0]:
                left.pop(0)
                next_offset, state = saved[0], state_from_bytes(FOLD, saved[1])
                break
            if deaths and done % 3 == 2:
                saved = (next_offset, state_to_bytes(FOLD, state))


def _written(number: int, state: ShardState, batch: ShardBatch) -> list[bytes]:
    records = list[bytes]()
    for flush in fold(FOLD, state, batch).flushes:
        mark = Progress(
            domain="parking", shard=batch.shard, shards=SHARDS,
            closed_through_ms=flush.closed_through_ms, revision=flush.revision,
        )  # fmt: skip
        records += [msgspec.json.encode(each) for each in (*windows_of("parking", batch.shard, flush), mark)]
    return records


def stored(windows: Sequence[bytes], size: int = 1_000) -> list[str]:
    """The points of an InfluxDB that was empty, after the roll-up of the topic by batches of that size."""
    state, points = RollupState(), dict[tuple[object, ...], PlaceWindow]()
    for first in range(0, len(windows), size):
        part = list(windows[first : first + size])
        stop = first + len(part)
        times = np.full(len(part), T0, np.int64)
        batch = ShardBatch("windows/0", first, stop, np.arange(first, stop), times, part)
        points |= {_key(each): each for each in fold_windows(ROLLUP, state, batch).windows}
    return sorted(map(line, points.values()))


def backfilled(log: Log, cut: Cut) -> list[str]:
    """The points that a backfill of the whole range writes."""
    windows = defaultdict[tuple[int, int], list[SettledWindow]](list)
    everything = Range(0, 2 * T0)
    for number, shard in enumerate(log.shards):
        cuts = batches(number, shard, cut)
        for each in settled_windows(FOLD, ShardState("parking"), cuts, everything):
            windows[each.window_s, each.start_ms].append(each)
    return sorted(
        line(place)
        for (window_s, start_ms), shards in windows.items()
        for places in _roll_up(("parking", window_s, start_ms), shards)
        for place in places
    )


def digest(points: Iterable[str]) -> str:
    """The SHA-256 of points in their order."""
    return hashlib.sha256("\n".join(points).encode()).hexdigest()


def figures(points: Iterable[str]) -> list[str]:
    """Without what tells of the log and not of the district: which record a window was last said at."""
    return sorted(_REVISION.sub("", each) for each in points)


def _key(each: PlaceWindow) -> tuple[object, ...]:
    return each.level, each.place, each.window_s, each.start_ms
