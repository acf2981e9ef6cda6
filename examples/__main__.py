"""`python -m examples`: the example analyses, on a simulated week made for them or on your own district."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from examples.city import Week, district
from schemas.errors import TaishiError
from taishi.analysis import connect
from taishi.settings import Settings, load_settings

__all__ = ["NAMES", "main"]

NAMES: Final = ("parking_pressure", "incident_response", "sensor_health")
"""Modules here with a function `draw(district, folder)`."""


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar="[NAME]...")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("examples-out"),
    show_default=True,
    metavar="FOLDER",
    help="where the pictures go",
)
@click.option(
    "--live",
    is_flag=True,
    help="your own district, as the settings name it; else a simulated week, started for it and stopped",
)
@click.option(
    "--days", type=click.IntRange(2, 90), default=7, show_default=True, help="how long a past to simulate"
)
def main(names: tuple[str, ...], out: Path, *, live: bool, days: int) -> None:
    """Draw NAMEs, or all of them: parking_pressure, incident_response, sensor_health."""
    out.mkdir(parents=True, exist_ok=True)
    with _settings(live=live, days=days) as settings, connect(settings) as asked:
        for name in names or NAMES:
            path = importlib.import_module(f"examples.{name}").draw(asked, out)
            click.echo(f"{name}: {path}")


@contextmanager
def _settings(*, live: bool, days: int) -> Iterator[Settings]:
    if live:
        yield load_settings()
        return
    with (
        tempfile.TemporaryDirectory(prefix="taishi-examples-") as home,
        district(Path(home), Week(days=days), lambda text: click.echo(text, err=True)) as settings,
    ):
        yield settings


if __name__ == "__main__":
    try:
        main()
    except TaishiError as error:
        raise click.ClickException(str(error)) from error
