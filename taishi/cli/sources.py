"""`taishi sources`: how good what each source sends is."""

from __future__ import annotations

import dataclasses
import json

import click
from rich.console import Console
from rich.table import Table

from taishi.settings import load_settings
from taishi.status import take
from taishi.status.scores import scores

__all__ = ["sources"]

_COLUMNS = (
    ("来源\nsource", "left"),
    ("消息\nmessages", "right"),
    ("坏\nbad", "right"),
    ("读数\nreadings", "right"),
    ("迟到\nlate", "right"),
    ("重复\ndouble", "right"),
    ("不可信\nimplausible", "right"),
)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def sources(*, as_json: bool) -> None:
    """Score the sources: shares of what is bad, late, double and implausible; the worst first."""
    found = scores(take(load_settings()).sources)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(score) for score in found], ensure_ascii=False, indent=2))
        return
    table = Table(box=None, pad_edge=False)
    for title, side in _COLUMNS:
        table.add_column(title, justify="right" if side == "right" else "left", no_wrap=True)
    for score in found:
        shares = (score.bad, score.late, score.duplicate, score.implausible)
        bad, late, duplicate, implausible = ("–" if s is None else f"{s:.2%}" for s in shares)
        table.add_row(
            score.source, f"{score.messages:,}", bad, f"{score.readings:,}", late, duplicate, implausible
        )
    Console().print(table)
    for score in found:
        if score.reasons:
            click.echo(
                f"{score.source}: " + ", ".join(f"{reason} {count}" for reason, count in score.reasons)
            )
