"""What checkpoints cost a worker, and how large they are: `python -m benchmarks.checkpoints`.

The peers' load is folded in memory, shard after shard; then the state of every shard is made bytes, as a
checkpoint does each `checkpoint_interval_s`. Printed are the milliseconds of one checkpoint of all shards,
and their share of the interval on one core. What Kafka's client does with the bytes is not in it.
"""

from __future__ import annotations

import statistics
import time
from typing import Final

import click
import numpy as np

from benchmarks.peers.load import Load, Shape, load_of, records
from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.state import FoldSettings, ShardState
from pipelines.kernels.state_codec import state_to_bytes
from taishi.settings import load_settings

__all__ = ["main"]

_BATCH: Final = 4_096


@click.command()
@click.option("--devices", default="20000,200000,2000000", show_default=True, metavar="NUMBERS")
@click.option("--readings", default=1_000_000, show_default=True)
@click.option("--rounds", default=5, show_default=True, help="Checkpoints of each; the median counts.")
def main(devices: str, readings: int, rounds: int) -> None:
    """Print a line a number of devices."""
    interval_s, settings = load_settings().checkpoint_interval_s, FoldSettings()
    click.echo("| devices | heard of | ms a checkpoint | of a core | KiB |")
    click.echo("|---:|---:|---:|---:|---:|")
    for number in map(int, devices.split(",")):
        load = load_of(Shape(readings=readings, devices=number))
        states = _folded(settings, load)
        taken_s = statistics.median(_checkpoint_s(settings, states) for _ in range(rounds))
        size = sum(len(state_to_bytes(settings, state)) for state in states)
        heard = np.unique(load.readings.device).size
        click.echo(
            f"| {number:,} | {heard:,} | {taken_s * 1000:.1f} | {taken_s / interval_s:.1%} "
            f"| {size / 1024:,.0f} |"
        )


def _folded(settings: FoldSettings, load: Load) -> list[ShardState]:
    shards: dict[int, list[tuple[bytes, int]]] = {}
    for partition, _, value, append_ms in records(load.shape, load.readings):
        shards.setdefault(partition, []).append((value, append_ms))
    return [_shard(settings, held) for held in shards.values()]


def _shard(settings: FoldSettings, held: list[tuple[bytes, int]]) -> ShardState:
    state = ShardState("parking")
    for first in range(0, len(held), _BATCH):
        part = held[first : first + _BATCH]
        offsets = np.arange(first, first + len(part), dtype=np.int64)
        times_ms = np.array([append_ms for _, append_ms in part], np.int64)
        values = [value for value, _ in part]
        fold(settings, state, ShardBatch("bench/0", first, first + len(part), offsets, times_ms, values))
    return state


def _checkpoint_s(settings: FoldSettings, states: list[ShardState]) -> float:
    began_s = time.process_time()
    for state in states:
        state_to_bytes(settings, state)
    return time.process_time() - began_s


if __name__ == "__main__":
    main()
