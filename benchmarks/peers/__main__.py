"""`python -m benchmarks.peers`: every engine on the same topic in the same run, and one table.

    python -m benchmarks.peers                      three rounds of all (an hour on two cores)
    python -m benchmarks.peers --only ours,hand     some of them
    python -m benchmarks.peers --write              and keep the table in benchmarks/RESULTS.md

A private Kafka is started. One run warms it up: the first after its start is slower, whosever it is. In each
round every engine runs once, in an order that turns from round to round; medians are told, with the least and
the most.
"""

from __future__ import annotations

import dataclasses
import json
from functools import cache
from pathlib import Path
from typing import Final

import click

from benchmarks.peers.catalogue import Engine, named
from benchmarks.peers.environments import provide
from benchmarks.peers.load import Load, Shape, load_of
from benchmarks.peers.reference import Expected, expected_of
from benchmarks.peers.run import Run, Site, run_engine
from benchmarks.peers.table import page, row_of, table
from benchmarks.private_stack import part_pid, private_stack
from deploy.embedded.building import BuildError

RESULTS: Final = Path(__file__).parents[1] / "RESULTS.md"


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--only", default="", metavar="NAMES", help="Engines by name, such as ours,hand,flink-sql.")
@click.option(
    "--scale",
    type=click.FloatRange(min=0.01),
    default=1.0,
    show_default=True,
    help="Of the readings given to each.",
)
@click.option("--write", is_flag=True, help="Keep the table in benchmarks/RESULTS.md.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(rounds: int, only: str, scale: float, *, write: bool, as_json: bool) -> None:
    """Run ours beside the engines a user would pick, and print one table."""
    try:
        engines = named(only)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--only") from error
    with private_stack(("kafka",)) as settings:
        site = Site(settings.kafka_bootstrap, part_pid(settings, "kafka"), settings.cache)
        ready = [engine for engine in engines if _provided(engine, settings.cache)]
        runs = _rounds(ready, rounds, scale, site)
    rows = [row_of(engine, runs[engine.name]) for engine in ready if runs[engine.name]]
    click.echo(json.dumps([dataclasses.asdict(row) for row in rows]) if as_json else table(rows))
    if write:
        RESULTS.write_text(page(rows, rounds), "utf-8")


def _rounds(engines: list[Engine], rounds: int, scale: float, site: Site) -> dict[str, list[Run]]:
    runs: dict[str, list[Run]] = {engine.name: [] for engine in engines}
    _say("the broker warms up; this run does not count")
    _run(engines[0], scale, site)
    for number in range(rounds):
        turn = number % len(engines)
        for engine in [*engines[turn:], *engines[:turn]]:
            _say(f"round {number + 1} of {rounds}")
            runs[engine.name] += _run(engine, scale, site)
    return runs


def _run(engine: Engine, scale: float, site: Site) -> list[Run]:
    """One run; none if it failed, and then it is told why."""
    load, expected = _load(int(engine.readings * scale))
    _say(f"  {engine.label}, {load.shape.readings:,} readings")
    try:
        run = run_engine(engine, load, expected, site)
    except RuntimeError as error:
        _say(f"  failed: {error}")
        return []
    _say(f"  {run.per_s:,.0f}/s, {run.cpu_us:.1f} µs CPU a reading, {run.verdict}")
    return [run]


def _provided(engine: Engine, cache_folder: Path) -> bool:
    """Whether its environment is there; an engine that cannot be had here is told and left out."""
    if engine.environment is None:
        return True
    try:
        provide(engine.environment, cache_folder, _say)
    except BuildError as error:
        _say(f"{engine.label}: not run: {error}")
        return False
    return True


def _say(text: str) -> None:
    click.echo(text, err=True)


@cache
def _load(readings: int) -> tuple[Load, Expected]:
    load = load_of(Shape(readings=readings))
    return load, expected_of(load)


if __name__ == "__main__":
    main()
