"""`taishi boards`: the Grafana boards as code: list, render, check, draw them; feed what they need."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path

import click

from dashboards.render import file_name, files
from dashboards.sketch import sketch as drawn
from taishi.boards import RENDERED, boards_of
from taishi.boards_feed import write_feed
from taishi.cli.boards_check import check
from taishi.cli.boards_push import push
from taishi.cli.boards_tokens import tokens
from taishi.places import load_registry
from taishi.settings import load_settings

__all__ = ["boards"]


@click.group()
def boards() -> None:
    """Grafana boards, built from the installation's own places, rules and limits (docs/boards.md)."""


@boards.command("list")
@click.option("--json", "as_json", is_flag=True, help="one JSON document")
def list_(as_json: bool) -> None:
    """Every board: its uid, its title, how many panels and queries it has."""
    rows = [
        {
            "uid": board.uid,
            "title": str(board.title),
            "about": board.about.english,
            "panels": len(board.panels),
            "queries": sum(len(panel.queries) for panel in board.panels),
            "file": file_name(board),
        }
        for board in boards_of(load_settings())
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for row in rows:
        click.echo(f"{row['uid']:<18} {row['panels']:>3} panels {row['queries']:>3} queries  {row['title']}")


@boards.command()
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    default=RENDERED,
    show_default="dashboards/rendered",
    help="folder of the JSON files",
)
@click.option(
    "--check", is_flag=True, help="write nothing; exit code 1 if a file is not what would be written"
)
def render(into: Path, check: bool) -> None:
    """Write each board's JSON, for provisioning or for reading; those that already say the same are left."""
    wanted = files(boards_of(load_settings()))
    stale = [name for name, text in wanted.items() if _text(into / name) != text]
    strays = sorted(path.name for path in into.glob("taishi-*.json") if path.name not in wanted)
    if check:
        for name in stale:
            click.echo(f"{into / name}: is not what the code says", err=True)
        for name in strays:
            click.echo(f"{into / name}: no board has this file", err=True)
        if stale or strays:
            click.echo("run `taishi boards render` and commit what it writes", err=True)
            sys.exit(1)
        click.echo(f"{len(wanted)} boards are fresh")
        return
    into.mkdir(parents=True, exist_ok=True)
    for name in stale:
        (into / name).write_text(wanted[name], "utf-8")
        click.echo(f"wrote {into / name}")
    for name in strays:
        (into / name).unlink()
        click.echo(f"removed {into / name}: no board has this file")
    click.echo(f"{len(wanted)} boards, {len(stale)} written")


@boards.command()
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="folder of the SVG files",
)
def sketch(into: Path) -> None:
    """Draw the layout of every board as SVG, for reviewers: where panels lie, not what Grafana shows."""
    into.mkdir(parents=True, exist_ok=True)
    for board in boards_of(load_settings()):
        path = into / f"{board.uid}.svg"
        path.write_text(drawn(board), "utf-8")
        click.echo(f"wrote {path}")


@boards.command()
def feed() -> None:
    """Write what boards need beside windows into InfluxDB: names of places, policies, holidays.

    `taishi sources --serve`, which `taishi up` runs, does so by itself: at its start, each day, and after
    `taishi places import`.
    """
    settings = load_settings()
    today = date.today()  # noqa: DTZ011 - the district's own calendar day
    for policy, points in write_feed(settings, load_registry(settings), today).items():
        click.echo(f"{policy}: {points} points")


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.is_file() else None


boards.add_command(check)
boards.add_command(push)
boards.add_command(tokens)
