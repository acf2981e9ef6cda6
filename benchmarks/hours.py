"""What hours cost the fold: one shard's state, checkpoint and CPU without them, summed up, and held whole.

    python -m benchmarks.hours --devices 5000 --per-s 100

Three fold the same readings in one process: windows of 10 s and 1 min; with an hour summed up as its panes
leave (what `aggregate` does); with one whose readings are all held, as a minute's are. No Kafka in it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import click
import msgspec
import numpy as np

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.state import FoldSettings, ShardState
from pipelines.kernels.state_codec import state_to_bytes
from schemas.store import HOUR_S

__all__ = ["main"]

GRIDS, START_MS = 143, 1_795_395_600_000
WAYS = {
    "without hours": FoldSettings((10, 60)),
    "summed up as panes leave": FoldSettings((10, 60, HOUR_S)),
    "all readings held": FoldSettings((10, 60, HOUR_S), long_s=HOUR_S),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one way: CPU of all folds and of the longest, largest checkpoint, CPU to make it."""

    cpu_us_a_reading: float
    longest_fold_ms: float
    checkpoint_kib: float
    checkpoint_ms: float


def batches(devices: int, per_s: int, seconds: int, late: float) -> Iterator[ShardBatch]:
    """A batch a second: each device says in turn that its space is free or taken; a share `late` is late."""
    rng, number = np.random.default_rng(7), 0
    encode = msgspec.json.Encoder().encode
    for second in range(seconds):
        at_ms = START_MS + second * 1000 + np.arange(per_s) * 1000 // per_s
        late_ms = np.where(rng.random(per_s) < late, rng.integers(0, 500_000, per_s), 0)
        values: list[bytes | None] = [
            encode(_reading(number + i, devices, int(at_ms[i] - late_ms[i]), int(rng.integers(2))))
            for i in range(per_s)
        ]
        offsets = np.arange(number, number + per_s)
        yield ShardBatch("readings.parking/0", number, number + per_s, offsets, at_ms, values)
        number += per_s


def _reading(number: int, devices: int, observed_at_ms: int, value: int) -> dict[str, object]:
    device = number % devices
    return {
        "device": f"bay-{device}", "kind": "parking.space", "metric": "occupied", "value": value,
        "grid": f"3702020010010{device % GRIDS:02d}", "source": "mqtt.chirpstack", "subject": "", "seq": 0,
        "observed_at_ms": observed_at_ms, "received_at_ms": observed_at_ms, "simulated": True,
    }  # fmt: skip


def cost(settings: FoldSettings, log: list[ShardBatch], checkpoint_every: int = 60) -> Cost:
    """Fold all; every minute of the log a checkpoint."""
    state, spent_s, longest_s, largest, packing_s = ShardState("parking"), 0.0, 0.0, 0, 0.0
    for turn, batch in enumerate(log):
        begun_s = time.process_time()
        fold(settings, state, batch)
        took_s = time.process_time() - begun_s
        spent_s, longest_s = spent_s + took_s, max(longest_s, took_s)
        if turn % checkpoint_every == 0:
            begun_s = time.process_time()
            largest = max(largest, len(state_to_bytes(settings, state)))
            packing_s = max(packing_s, time.process_time() - begun_s)
    readings = sum(map(len, log))
    return Cost(spent_s / readings * 1e6, longest_s * 1000, largest / 1024, packing_s * 1000)


@click.command()
@click.option("--devices", default=5_000, show_default=True, type=click.IntRange(1), help="Of the shard.")
@click.option("--per-s", default=100, show_default=True, type=click.IntRange(1), help="Readings a second.")
@click.option("--seconds", default=2 * HOUR_S, show_default=True, type=click.IntRange(60), help="Of the log.")
@click.option("--late", default=0.02, show_default=True, type=click.FloatRange(0, 1), help="Share that is.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def main(devices: int, per_s: int, seconds: int, late: float, *, as_json: bool) -> None:
    """Print the cost of each way."""
    log = list(batches(devices, per_s, seconds, late))
    costs = {name: cost(settings, log) for name, settings in WAYS.items()}
    if as_json:
        click.echo(msgspec.json.encode(costs).decode())
        return
    for name, of in costs.items():
        click.echo(
            f"{name:<26} {of.cpu_us_a_reading:6.2f} µs a reading, longest s {of.longest_fold_ms:5.1f} ms "
            f"checkpoint {of.checkpoint_kib:8.0f} KiB {of.checkpoint_ms:6.1f} ms"
        )


if __name__ == "__main__":
    main()
