"""`taishi boards check`: the boards without a Grafana; with --store every query of theirs on InfluxDB."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click
import httpx
from rich.console import Console
from rich.progress import Progress

from dashboards.check import check as check_documents
from dashboards.render import files
from dashboards.trial import SPANS_S, Pace, fault_of, paces
from schemas.errors import SettingsError
from taishi.boards import boards_of
from taishi.boards_trial import Tried, place_of_each_level, try_boards
from taishi.cli.simulate_history import moment_ms
from taishi.places import load_registry
from taishi.settings import Settings, load_settings

__all__ = ["check", "pace_lines"]

_USUAL_SPANS: Final = ("1h", "6h", "24h", "7d")
_SLOW_S: Final = 1.0


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, exists=True, path_type=Path), nargs=-1)
@click.option("--store", is_flag=True, help="Also ask InfluxDB every query of every panel.")
@click.option(
    "--span",
    "spans",
    type=click.Choice(list(SPANS_S)),
    multiple=True,
    default=_USUAL_SPANS,
    show_default=True,
    help="How far to look back; may be given several times.",
)
@click.option("--grid", default="", metavar="CODE", help="The grid to look at, and the places it is in.")
@click.option("--until", default=None, metavar="TIME", help="Where they end. Default: now.")
@click.option("--slow", "slow_s", type=float, default=_SLOW_S, show_default=True, help="Most s at p95.")
@click.option("--json", "as_json", is_flag=True, help="one JSON document")
def check(  # noqa: PLR0913 - one parameter an option
    *,
    file: tuple[Path, ...],
    store: bool,
    spans: tuple[str, ...],
    grid: str,
    until: str | None,
    slow_s: float,
    as_json: bool,
) -> None:
    """Check boards without a Grafana: types, layout, words, units, references, links, colours.

    FILES are JSON of boards; without any, the boards of this installation are checked. With --store every
    query is asked of the installation's InfluxDB, with every combination of variables that matters: it must
    give rows, or its panel says why it may give none; and 95 of 100 must be answered within --slow seconds.

    \b
    taishi boards check
    taishi simulate --history 7d && taishi boards feed && taishi boards check --store
    """  # noqa: D301 - \b is click's mark for lines that stay lines  # fmt: skip
    if store and file:
        raise click.UsageError("--store asks the queries of the installation's boards: give no FILES with it")
    found = check_documents({name: json.loads(text) for name, text in _texts(file).items()})
    tried = (
        _ask(load_settings(), (spans, moment_ms(until, "--until")), grid, quiet=as_json) if store else Tried()
    )
    faults = [fault for outcome in tried.outcomes if (fault := fault_of(outcome))]
    slow = [pace for pace in paces(tried.outcomes) if pace.p95_s > slow_s]
    if as_json:
        rows = [{"board": each.board, "panel": each.panel, "what": each.what} for each in found]
        click.echo(_json(rows, faults, tried) if store else json.dumps(rows, ensure_ascii=False, indent=2))
    else:
        _tell([*map(str, found), *faults], slow, tried)
    if found or faults or slow:
        sys.exit(1)


def _texts(given: tuple[Path, ...]) -> dict[str, str]:
    """The boards to check: the given files', else the installation's."""
    if not given:
        return files(boards_of(load_settings()))
    texts = {path.name: path.read_text("utf-8") for path in given}
    for name, text in texts.items():
        try:
            json.loads(text)
        except ValueError as error:
            raise SettingsError(f"{name}: received no JSON: {error}") from error
    return texts


def _ask(settings: Settings, when: tuple[tuple[str, ...], int], grid: str, *, quiet: bool) -> Tried:
    places = place_of_each_level(load_registry(settings), grid)
    with Progress(console=Console(stderr=True), transient=True, disable=quiet) as progress:
        task = progress.add_task("asking InfluxDB", total=None)
        try:
            return try_boards(
                settings,
                boards_of(settings),
                places,
                when,
                lambda _outcome: progress.advance(task),
            )
        except httpx.HTTPError as error:
            raise SettingsError(f"InfluxDB at {settings.influxdb_url} does not answer: {error}") from error


def _json(rows: list[dict[str, str]], faults: list[str], tried: Tried) -> str:
    told: dict[str, Any] = {
        "findings": rows,
        "faults": faults,
        "asked": len(tried.outcomes),
        "not_asked": len(tried.not_asked),
        "paces": [asdict(pace) for pace in paces(tried.outcomes)],
    }
    return json.dumps(told, ensure_ascii=False, indent=2)


def _tell(problems: list[str], slow: list[Pace], tried: Tried) -> None:
    for problem in problems:
        click.echo(problem, err=True)
    for pace in slow:
        click.echo(f"{pace.board}: p95 {pace.p95_s:.3f} s is too slow; slowest {pace.slowest}", err=True)
    if tried.outcomes:
        for line in pace_lines(paces(tried.outcomes)):
            click.echo(line)
        click.echo(f"{len(tried.not_asked)} queries of metrics were not asked: that needs a Prometheus")
    if not problems and not slow:
        click.echo("nothing is wrong with the boards")


def pace_lines(found: list[Pace]) -> list[str]:
    """A line a board: how many queries, and how long they took."""
    head = f"{'board':<20}{'queries':>8}{'p50 ms':>9}{'p95 ms':>9}{'slowest ms':>12}"
    rows = [
        f"{pace.board:<20}{pace.queries:>8}{pace.p50_s * 1000:>9.1f}{pace.p95_s * 1000:>9.1f}"
        f"{pace.slowest_s * 1000:>12.1f}"
        for pace in found
    ]
    return [head, *rows]
