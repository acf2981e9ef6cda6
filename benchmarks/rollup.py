"""How fast one worker rolls windows up: records of `windows` folded, and encoded as points, a second.

`python -m benchmarks.rollup [--json]`: 573 grids, the three domains, 10 s and 1 min windows, 4 shards
a domain, ten minutes of log; no Kafka and no InfluxDB in it. Also prints how large the checkpoint is.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import click
import msgspec
import numpy as np

from pipelines.kernels.batch import ShardBatch
from pipelines.kernels.plan import plan_for
from pipelines.kernels.points import line, newest
from pipelines.kernels.rollup import fold_windows
from pipelines.kernels.rollup_codec import rollup_to_bytes
from pipelines.kernels.rollup_state import RollupSettings, RollupState
from schemas.kinds import DOMAINS, Domain
from schemas.windows import Progress, Window

__all__ = ["main", "windows_log"]

GRIDS, SHARDS, WINDOWS_S = 573, 4, (10, 60)


def windows_log(minutes: int, seed: int = 370202) -> Iterator[tuple[int, bytes]]:
    """(append time, record) of a log as `aggregate` writes it: every grid of every shard, then its mark."""
    rng = random.Random(seed)
    grids = [f"3702020{n % 50 % 11:02d}{n % 50:03d}{n:03d}" for n in range(GRIDS)]
    encode = msgspec.json.Encoder().encode
    revision = 0
    for end_s in range(10, minutes * 60 + 1, 10):
        for domain in DOMAINS:
            for shard in range(SHARDS):
                revision += 1
                name = f"readings.{domain}/{shard}"
                for window_s in (size for size in WINDOWS_S if end_s % size == 0):
                    for grid in grids[shard::SHARDS]:
                        yield (
                            end_s * 1000,
                            encode(_window(domain, grid, (window_s, end_s), revision, name, rng)),
                        )
                mark = Progress(
                    domain=domain,
                    shard=name,
                    shards=SHARDS,
                    closed_through_ms=end_s * 1000,
                    revision=revision,
                )
                yield end_s * 1000, encode(mark)


def _window(
    domain: Domain, grid: str, span: tuple[int, int], revision: int, shard: str, rng: random.Random
) -> Window:
    window_s, end_s = span
    return Window(
        domain=domain,
        grid=grid,
        window_s=window_s,
        start_ms=(end_s - window_s) * 1000,
        revision=revision,
        shard=shard,
        metrics={name: float(rng.randrange(60)) for name in plan_for(domain).measures},
    )


def _batches(log: list[tuple[int, bytes]], size: int = 10_000) -> Iterator[ShardBatch]:
    for at in range(0, len(log), size):
        rows = log[at : at + size]
        yield ShardBatch(
            "windows/0",
            at,
            at + len(rows),
            np.arange(at, at + len(rows)),
            np.array([append_ms for append_ms, _ in rows], np.int64),
            [value for _, value in rows],
        )


@click.command()
@click.option("--minutes", default=10, help="Length of the log.")
@click.option("--json", "as_json", is_flag=True)
def main(minutes: int, *, as_json: bool) -> None:
    """Print records a second of the fold alone and with the points encoded."""
    log = list(windows_log(minutes))
    state, settings = RollupState(), RollupSettings()
    fold_s = encode_s = 0.0
    points = 0
    for batch in _batches(log):
        begun = time.perf_counter()
        output = fold_windows(settings, state, batch)
        folded = time.perf_counter()
        points += len([line(window) for window in newest(output.windows)])
        fold_s, encode_s = fold_s + folded - begun, encode_s + time.perf_counter() - folded
    figures = {
        "records": len(log),
        "points": points,
        "fold_records_per_s": round(len(log) / fold_s),
        "fold_and_encode_records_per_s": round(len(log) / (fold_s + encode_s)),
        "encode_us_per_point": round(encode_s / points * 1e6, 1),
        "checkpoint_bytes": len(rollup_to_bytes(state)),
    }
    if as_json:
        click.echo(msgspec.json.encode(figures).decode())
    else:
        for name, value in figures.items():
            click.echo(f"{name:32} {value:>12,}")


if __name__ == "__main__":
    main()
