"""`taishi status`: what is running and what flows."""

from __future__ import annotations

import contextlib
import json
import sys

import click
from rich.console import Console

from taishi.settings import load_settings
from taishi.status import show_live, take
from taishi.status.render import render, to_json

__all__ = ["show_live", "status"]


@click.command()
@click.option("--once", is_flag=True, help="one table, then exit: 0 = all well, 1 = something is wrong")
@click.option("--json", "as_json", is_flag=True, help="one JSON object instead of the table; same exit codes")
def status(once: bool, as_json: bool) -> None:
    """Show parts, sources, shards and the district's key figures: live on a terminal, once elsewhere.

    Shown once, the exit code says whether all is well, and the reasons stand on stderr.
    """
    settings = load_settings()
    if not (once or as_json) and Console().is_terminal:
        with contextlib.suppress(KeyboardInterrupt):
            show_live(settings)
        return
    snapshot = take(settings)
    if as_json:
        click.echo(json.dumps(to_json(snapshot), ensure_ascii=False, indent=2))
    else:
        Console().print(render(snapshot))
    if not snapshot.well:
        for problem in snapshot.problems:
            click.echo(f"taishi: {problem}", err=True)
        sys.exit(1)
