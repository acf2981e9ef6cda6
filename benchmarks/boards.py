"""How fast are the boards on a month, on a year? `python -m benchmarks.boards [--days 365 --minute-days 2]`.

An InfluxDB of its own is filled with the simulated city's past: windows of 1 minute of all 573 grids and the
places above them, hours, alerts, the scorecard. Then every query of every board is asked over 1 h to a year
with every combination of variables that matters. Prints points a second of the filling, p50 and p95 a board;
ends with 1 when p95 of a board is above a second, or a query that must give rows gives none.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final, get_args

import click

from dashboards.trial import SPANS_S, fault_of, paces
from deploy.embedded import stack as embedded
from deploy.embedded.ports import free_ports
from schemas.calendar import local
from schemas.kinds import DOMAINS, Domain
from simulation.history.windows import Past
from taishi.boards import boards_of
from taishi.boards_feed import write_feed
from taishi.boards_trial import place_of_each_level, try_boards
from taishi.cli.boards_check import pace_lines
from taishi.history import Load, Span, load_past
from taishi.places import load_registry
from taishi.settings import Settings, load_settings
from taishi.stack_settings import stack_settings

__all__ = ["main"]

_DAY_MS: Final = 86_400_000
_TELL_S: Final = 20.0
_LIMIT_S: Final = 1.0
_PARTS: Final = ("influxdb", "influxdb-database")


@contextmanager
def _influxdb() -> Iterator[Settings]:
    """An InfluxDB that is nobody else's, and is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="taishi-boards-") as home:
        port = free_ports(21, consecutive=True)[0]
        settings = load_settings(home=Path(home), influxdb_port=port, metrics_port=port + 1)
        wanted = stack_settings(settings)
        try:
            embedded.up(wanted, only=_PARTS, report=lambda _what, _now: None, outlive=False)
            embedded.wait_well(wanted, 120)
            yield settings
        finally:
            embedded.down(wanted)


@click.command()
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="Days of hours.")
@click.option("--minute-days", type=float, default=None, help="Of them with minutes. Default: all.")
@click.option("--grid-days", type=float, default=None, help="Of those with single grids. Default: all.")
@click.option("--domain", "domains", type=click.Choice(get_args(Domain)), multiple=True, default=DOMAINS)
@click.option("--here", is_flag=True, help="In the installation's InfluxDB, and leave the past there.")
@click.option("--loaded", is_flag=True, help="With --here: it is filled already, only ask.")
@click.option(
    "--until", "until_ms", type=int, default=None, metavar="MS", help="Where it ends. Default: now."
)
def main(  # noqa: PLR0913 - an option each
    *,
    days: int,
    minute_days: float | None,
    grid_days: float | None,
    domains: tuple[Domain, ...],
    here: bool,
    loaded: bool,
    until_ms: int | None,
) -> None:
    """Fill, feed, ask, and say how long it took."""
    now_ms = int(time.time() * 1000)
    end_ms = until_ms or now_ms
    minutes = days if minute_days is None else minute_days
    grid_minutes = minutes if grid_days is None else grid_days
    span = Span(
        end_ms - days * _DAY_MS,
        end_ms,
        end_ms - 3_600_000,
        now_ms,
        end_ms - int(grid_minutes * _DAY_MS),
        domains=domains,
        minutes_from_ms=end_ms - int(minutes * _DAY_MS),
    )
    if here:
        _bench(load_settings(), span, fill=not loaded)
    else:
        with _influxdb() as settings:
            _bench(settings, span, fill=True)


def _bench(settings: Settings, span: Span, *, fill: bool) -> None:
    registry = load_registry(settings)
    if fill:
        _fill(settings, Past(registry.grid_codes, settings.simulated_devices, settings.simulated_seed), span)
    write_feed(settings, registry, local(span.until_ms).date())
    spans = [name for name, length_s in SPANS_S.items() if length_s * 1000 <= span.until_ms - span.from_ms]
    began_s = time.monotonic()
    tried = try_boards(settings, boards_of(settings), place_of_each_level(registry), (spans, span.until_ms))
    found, faults = paces(tried.outcomes), [f for outcome in tried.outcomes if (f := fault_of(outcome))]
    click.echo("\n".join([*pace_lines(found), *faults]), err=True)
    told = {
        "spans": spans,
        "asked": len(tried.outcomes),
        "not_asked": len(tried.not_asked),
        "seconds": round(time.monotonic() - began_s, 1),
        "faults": len(faults),
        "paces": [asdict(pace) for pace in found],
    }
    click.echo(json.dumps(told, ensure_ascii=False))
    sys.exit(bool(faults) or any(pace.p95_s > _LIMIT_S for pace in found))


def _fill(settings: Settings, past: Past, span: Span) -> None:
    began_s = told_s = time.monotonic()

    def report(load: Load) -> None:
        nonlocal told_s
        now_s = time.monotonic()
        if now_s - told_s > _TELL_S:
            told_s = now_s
            rate = load.total / (now_s - began_s)
            click.echo(f"{load.jobs_done} of {load.jobs}: {load.total:,} points, {rate:,.0f}/s", err=True)

    done = load_past(settings, past, span, report)
    taken_s = time.monotonic() - began_s
    by = ", ".join(f"{what} {count:,}" for what, count in done.points.items())
    click.echo(f"{done.total:,} points in {taken_s:.0f} s ({done.total / taken_s:,.0f}/s): {by}", err=True)


if __name__ == "__main__":
    main()
