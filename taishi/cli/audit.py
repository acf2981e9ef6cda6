"""`taishi audit`: the record of who did what at the desk."""

from __future__ import annotations

import json
import re

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from operations.people.audit import Anchor, first_broken
from operations.people.spool import Spool
from schemas.calendar import local
from schemas.errors import SettingsError, TaishiError
from taishi.people import opened
from taishi.settings import load_settings

__all__ = ["audit"]


@click.group()
def audit() -> None:
    """审计。Who did what at the desk: a chain in which each entry holds the hash of the one before."""


@audit.command(name="list")
@click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="newest entries"
)
@click.option("--who", default="", help="of one person")
@click.option("--what", default="", help="of a verb or its beginning: session., alerts.shelve")
@click.option("--of", "of_", default="", help="of one thing: an alert's or a case's id")
@click.option("--json", "as_json", is_flag=True, help="one JSON array")
def list_(*, limit: int, who: str, what: str, of_: str, as_json: bool) -> None:
    """The newest entries, the latest first."""
    with opened() as store:
        found = store.newest(limit, who, what, of_)
    if as_json:
        rows = [msgspec.to_builtins(each.said) | {"number": each.number, "hash": each.hash} for each in found]
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    table = Table(
        "号 number", "时间 when", "谁 who", "终端 terminal", "做了什么 what", "对象 of", "", box=None
    )
    for each in found:
        said = each.said
        cells = (said.who, said.terminal, said.what, said.of, said.detail)
        table.add_row(str(each.number), f"{local(said.at_ms):%m-%d %H:%M:%S}", *map(escape, cells))
    Console().print(table)


@audit.command()
@click.option("--anchor", metavar="NUMBER:HASH", default="", help="what `taishi audit head` printed some day")
def verify(*, anchor: str) -> None:
    """Check the whole chain; exit code 1 and the first entry that does not fit, if it does not hold.

    What was cut off at the end is found only with an anchor: keep what `taishi audit head` prints elsewhere.
    """
    kept = _anchor(anchor) if anchor else None
    with opened() as store:
        if words := first_broken(store.entries(), kept):
            raise TaishiError(f"审计链不完整 the record does not hold: {words}")
        head = store.head()
        waiting = Spool(load_settings().audit_spool).waiting()
    how = f", and entry {kept.number} is the anchored one" if kept else ""
    click.echo(f"审计链完整 the record holds: {head.number} entries{how}")
    if waiting:
        click.echo(f"暂存 the spool holds {waiting} more, which the desk adds when the record takes them")


@audit.command()
def head() -> None:
    """The last entry's number and hash, to keep where the database's owner cannot change it."""
    with opened() as store:
        now = store.head()
    click.echo(f"{now.number}:{now.hash}")


def _anchor(text: str) -> Anchor:
    if not re.fullmatch(r"\d+:[0-9a-f]{64}", text):
        raise SettingsError(
            f"--anchor: received {text!r}, allowed: NUMBER:HASH as `taishi audit head` prints it"
        )
    number, _, digest = text.partition(":")
    return Anchor(int(number), digest)
