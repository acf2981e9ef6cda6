"""`taishi bench`: what this installation can do, beside its own limits in the same run."""

from __future__ import annotations

import dataclasses
import json
import statistics

import click
from rich.console import Console
from rich.table import Table

from benchmarks.private_stack import part_pid, private_stack
from taishi.kafka import kafka_of

__all__ = ["bench"]


@click.group(invoke_without_command=True)
@click.pass_context
def bench(context: click.Context) -> None:
    """Measure this installation beside its own limits. Without a command: aggregate."""
    if context.invoked_subcommand is None:
        context.invoke(aggregate)


@bench.command()
@click.option("--readings", type=click.IntRange(min=10_000), default=2_000_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def aggregate(readings: int, rounds: int, *, as_json: bool) -> None:
    """Readings per second of one aggregate worker, beside consume + decode and a loop written by hand.

    Starts a Kafka and a Prism of its own on free ports, and leaves nothing behind.
    """
    from benchmarks.aggregate import Prism, bench_aggregate  # noqa: PLC0415 - Beam takes seconds to import

    console = Console(stderr=True)
    with private_stack(("kafka", "prism-aggregate")) as settings:
        figures = bench_aggregate(
            kafka_of(settings),
            Prism(f"127.0.0.1:{settings.prism_aggregate_port}", part_pid(settings, "prism-aggregate")),
            readings=readings,
            rounds=rounds,
            say=lambda text: console.print(text, highlight=False),
        )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures)))
        return
    table = Table("figure", "value")
    table.add_row("aggregate, one worker", f"{figures.readings_per_s:,.0f} readings/s")
    table.add_row("limit: consume + decode", f"{figures.limit_per_s:,.0f} readings/s")
    table.add_row("ratio (median of rounds)", f"{figures.ratio:.2f}")
    table.add_row("CPU of the worker", f"{figures.worker_cpu_us_per_reading:.2f} µs a reading")
    table.add_row("CPU of worker and Prism", f"{figures.cpu_us_per_reading:.2f} µs a reading")
    hand = f"{figures.hand_loop_per_s:,.0f} readings/s, {figures.hand_loop_cpu_us:.2f} µs CPU a reading"
    table.add_row("loop written by hand, nothing survives its death", hand)
    table.add_row("ratio to that (median of rounds)", f"{figures.hand_loop_ratio:.2f}")
    table.add_row("lost", str(figures.lost))
    Console().print(table)


@bench.command()
@click.option("--count", type=click.IntRange(min=1), default=100_000, show_default=True)
@click.option("--seed", default=370202, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def fuzz(count: int, seed: int, *, as_json: bool) -> None:
    """Spoiled payloads of every codec through the door: none may crash, vanish or go without a reason."""
    from benchmarks.fuzz import bench_fuzz  # noqa: PLC0415 - the command line stays quick

    console = Console(stderr=True)
    figures = bench_fuzz(count, seed, lambda text: console.print(text, highlight=False))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures)))
    else:
        table = Table("figure", "value")
        table.add_row(
            "sent = taken + quarantined", f"{figures.sent:,} = {figures.taken:,} + {figures.quarantined:,}"
        )
        table.add_row("crashes", str(figures.crashes))
        for reason, number in figures.reasons.items():
            table.add_row(f"  {reason}", f"{number:,}")
        table.add_row("good messages alone", f"{figures.clean_per_s:,.0f}/s")
        table.add_row("the same among 10 % garbage", f"{figures.throughput_ratio:.2f} of that")
        Console().print(table)
    if figures.crashes or figures.taken + figures.quarantined != figures.sent:
        raise click.exceptions.Exit(1)


@bench.command()
@click.option("--messages", type=click.IntRange(min=1_000), default=60_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def mqtt(messages: int, rounds: int, *, as_json: bool) -> None:
    """Messages per second from Mosquitto to Kafka on one core, beside a bare client that only acknowledges.

    Needs Mosquitto on the PATH and two cores. Starts a Kafka of its own.
    """
    from benchmarks.mqtt import bench_mqtt  # noqa: PLC0415 - the command line stays quick

    console = Console(stderr=True)
    with private_stack(("kafka", "topics")) as settings:
        figures = bench_mqtt(
            kafka_of(settings),
            messages=messages,
            rounds=rounds,
            say=lambda text: console.print(text, highlight=False),
        )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures)))
        return
    table = Table("figure", "value")
    table.add_row(
        "bare client (acknowledges only)",
        f"{figures.bare_per_s:,.0f} messages/s, {figures.bare_cpu_us:.1f} µs CPU each",
    )
    table.add_row(
        "connector (acknowledges what Kafka has)",
        f"{figures.connector_per_s:,.0f} messages/s, {figures.connector_cpu_us:.1f} µs CPU each",
    )
    span = f"{min(figures.ratios):.2f} to {max(figures.ratios):.2f}"
    table.add_row("ratio (median of rounds)", f"{figures.ratio:.2f} ({span})")
    for count, rate in figures.shared_per_s.items():
        shared = f"{rate:,.0f} messages/s, {figures.shared_cpu_us[count]:.1f} µs CPU each"
        table.add_row(f"connectors that share, a tenth of a core each: {count}", shared)
    table.add_row("part of the least busy one", f"{figures.shared_least:.0%}")
    Console().print(table)


@bench.command()
@click.option("--readings", type=click.IntRange(min=10_000), default=300_000, show_default=True)
@click.option("--batch", type=click.IntRange(2, 10_000), default=500, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def http(readings: int, batch: int, rounds: int, *, as_json: bool) -> None:
    """Readings per second pushed over HTTP on one core, answered 202 when Kafka has them, beside a bare door.

    The bare door is written by hand: it appends whatever comes, and checks nothing.

    Needs two cores. Starts a Kafka of its own.
    """
    from benchmarks.http_push import bench_http  # noqa: PLC0415 - the command line stays quick

    console = Console(stderr=True)
    with private_stack(("kafka", "topics")) as settings:
        figures = bench_http(
            kafka_of(settings),
            readings=readings,
            batch=batch,
            rounds=rounds,
            say=lambda text: console.print(text, highlight=False),
        )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures)))
        return
    table = Table("figure", "value")
    batched = f"{figures.batched_per_s:,.0f} readings/s, {figures.batched_cpu_us:.1f} µs CPU each"
    table.add_row(f"batches of {figures.batch}", batched)
    single = f"{figures.single_per_s:,.0f} readings/s, {figures.single_cpu_us:.0f} µs CPU each"
    table.add_row("one reading a request", single)
    bare = f"{figures.bare_batched_per_s:,.0f} readings/s, {figures.bare_batched_cpu_us:.1f} µs CPU each"
    table.add_row("the same batches, bare door", bare)
    bare = f"{figures.bare_single_per_s:,.0f} readings/s, {figures.bare_single_cpu_us:.0f} µs CPU each"
    table.add_row("one reading a request, bare door", bare)
    span = f"{min(figures.ratios):.2f} to {max(figures.ratios):.2f}"
    table.add_row("ratio of the batches", f"{statistics.median(figures.ratios):.2f} ({span})")
    Console().print(table)


@bench.command()
@click.option("--grids", type=click.IntRange(min=12), default=40, show_default=True, help="three series each")
@click.option("--weeks", type=click.IntRange(min=1), default=4, show_default=True, help="to learn from")
@click.option("--seed", default=370202, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def detect(grids: int, weeks: int, seed: int, *, as_json: bool) -> None:
    """The detectors beside what users have today, at one false alarm a grid and week: faults found, how soon.

    A simulated district; needs nothing that runs. The delay is the median, a fault missed counting whole.
    """
    from benchmarks.detect import bench_detect, us_a_point  # noqa: PLC0415 - the command line stays quick
    from pipelines.kernels.detect.bank import Bank  # noqa: PLC0415 - the command line stays quick

    console = Console(stderr=True)
    figures = bench_detect(grids, weeks, seed, lambda text: console.print(text, highlight=False))
    state_bytes, each_us = Bank.bytes_per_series(), us_a_point(10_000)
    if as_json:
        methods = [dataclasses.asdict(each) for each in figures]
        facts = {"bytes_a_series": state_bytes, "us_a_point_of_10000": each_us, "methods": methods}
        click.echo(json.dumps(facts))
        return
    table = Table("method", *(f"{name}\nfound, min" for name in figures[0].faults), "precision", "µs a point")
    for each in figures:
        cells = (
            f"{fault.recall:.0%}, {fault.delay_min:.0f}" if fault.recall else "0%"
            for fault in each.faults.values()
        )
        table.add_row(each.method, *cells, f"{each.precision:.2f}", f"{each.us_a_point:.2f}")
    Console().print(table)
    click.echo(
        f"10,000 series in one process: {each_us:.2f} µs a point, {state_bytes} bytes of state a series"
    )


@bench.command()
@click.option("--count", type=click.IntRange(min=100), default=10_000, show_default=True)
@click.option("--rounds", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def cases(count: int, rounds: int, *, as_json: bool) -> None:
    """Lists and the evaluation of many open cases (SQLite): a page under 300 ms, else exit code 1."""
    from benchmarks.cases import bench_cases  # noqa: PLC0415 - the command line stays quick

    console = Console(stderr=True)
    figures = bench_cases(count, rounds, lambda text: console.print(text, highlight=False))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(figures), ensure_ascii=False))
    else:
        table = Table("what", "median", "95th percentile")
        for name, (median, p95) in figures.ms.items():
            table.add_row(name, f"{median:.1f} ms", f"{p95:.1f} ms")
        Console().print(table)
    if not figures.good:
        raise click.exceptions.Exit(1)
