"""How the cost of a reading grows with the district: `python -m benchmarks.growth [--only grids,devices]`.

One dimension at a time, the others as in the peers' table; the loop by hand beside it in the same round,
so that what the machine does to both can be told from what growth does to one. Every run's windows are judged
row by row. Printed: a table a dimension. Cost may grow as the work does: `rows a reading` is the part of the
work that grows with the grids.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Final

import click

from benchmarks.peers.catalogue import named
from benchmarks.peers.load import Shape, load_of
from benchmarks.peers.reference import expected_of
from benchmarks.peers.run import Run, Site, run_engine
from benchmarks.private_stack import part_pid, private_stack

__all__ = ["DIMENSIONS", "main"]

_BASE: Final = Shape(readings=1_000_000)
DIMENSIONS: Final[Mapping[str, tuple[int, ...]]] = {
    "grids": (573, 5_730, 57_300),
    "devices": (20_000, 200_000, 2_000_000),
    "partitions": (4, 16, 64),
    "padding": (0, 256, 1_024),
}
"""Fields of `Shape` and the values each takes; padding is bytes added to a reading of 241."""
_HEAD: Final = (
    "| {0} | Taishi /s | µs CPU | MiB | rows a reading | loop by hand /s | µs CPU | MiB | ratio |\n"
    "|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
)


@click.command()
@click.option("--only", default=",".join(DIMENSIONS), show_default=True, metavar="NAMES")
@click.option("--readings", default=_BASE.readings, show_default=True)
def main(only: str, readings: int) -> None:
    """Measure each dimension and print its table."""
    wanted = [name.strip() for name in only.split(",")]
    if unknown := [name for name in wanted if name not in DIMENSIONS]:
        raise click.BadParameter(
            f"received {', '.join(unknown)}, allowed: {', '.join(DIMENSIONS)}", param_hint="--only"
        )
    with private_stack(("kafka",)) as settings:
        site = Site(settings.kafka_bootstrap, part_pid(settings, "kafka"), settings.cache)
        for name in wanted:
            click.echo(_HEAD.format(name))
            for value in DIMENSIONS[name]:
                given: dict[str, Any] = {name: value, "readings": readings}
                click.echo(_line(value, *_measured(dataclasses.replace(_BASE, **given), site)))
            click.echo()


def _measured(shape: Shape, site: Site) -> tuple[Run, Run, float]:
    """Ours, the loop by hand, and windows a reading."""
    load = load_of(shape)
    expected = expected_of(load)
    ours, hand = (run_engine(engine, load, expected, site) for engine in named("ours,hand"))
    for run in (ours, hand):
        if str(run.verdict) != "right":
            raise RuntimeError(f"{shape}: {run.verdict}")
    return ours, hand, len(expected.engine) / shape.readings


def _line(value: int, ours: Run, hand: Run, rows: float) -> str:
    figures = " | ".join(
        f"{run.per_s:,.0f} | {run.cpu_us:.2f} | {run.peak_mib:,.0f}{f' | {rows:.3f}' if run is ours else ''}"
        for run in (ours, hand)
    )
    return f"| {value:,} | {figures} | {ours.per_s / hand.per_s:.2f} |"


if __name__ == "__main__":
    main()
