"""A city's standards on the command line: imported from its own workbook, and listed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import msgspec

from operations.cases.limits import UNITS, parse_words
from operations.cases.standards import Imported, read_standards
from operations.cases.workbook import read_workbook
from operations.oncall.clock import now_ms
from schemas.errors import SettingsError
from taishi.cases.desk import config, opened

__all__ = ["import_standards", "standards"]


@click.command("import-standards")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--unit",
    "units",
    multiple=True,
    metavar="WORD=UNIT",
    help=f"what a word of the city means: {', '.join(UNITS)}",
)
@click.option("--replace", is_flag=True, help="forget the standards that are not in the file")
@click.option("--dry-run", is_flag=True, help="read and tell, take nothing over")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def import_standards(
    file: Path, *, units: tuple[str, ...], replace: bool, dry_run: bool, as_json: bool
) -> None:
    """Take a city's 立案、处置和结案 standards over from its workbook (.xlsx).

    Rows that cannot be read are refused with the reason, never guessed; the good ones are taken, and the exit
    code is 1 if any was refused.

    \b
    taishi cases import-standards standards.xlsx --unit 天=natural_day --unit 紧急工作日=natural_day
    """  # noqa: D301 - \b is click's mark for lines that stay lines
    found = read_standards(read_workbook(file), config().units | parse_words(_pairs(units)))
    known = 0
    with opened() as book:
        if dry_run:
            known = len(book.standards())
        else:
            known = book.take_standards(found.standards, file.name, now_ms(), replace=replace)
    if as_json:
        facts = msgspec.to_builtins(found) | {"taken": not dry_run, "known": known}
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
    else:
        _tell(found, known, dry_run=dry_run)
    if found.refused:
        sys.exit(1)


@click.command()
@click.option("--category", default="", help="of this class (小类)")
@click.option("--text", default="", help="whose name or filing condition holds this")
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def standards(*, category: str, text: str, as_json: bool) -> None:
    """List the city's standards: when to file, within what time to handle, when to close."""
    with opened() as book:
        found = [s for s in book.standards(category) if text in s.name or text in s.filing]
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(found), ensure_ascii=False, indent=2))
        return
    for each in found:
        click.echo(f"{each.code}  {each.limit}  {each.name}: {each.filing} → {'; '.join(each.closing)}")
    click.echo(f"{len(found)} 条标准 standards")


def _pairs(units: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in units:
        word, equals, unit = text.partition("=")
        if not equals:
            raise SettingsError(f"--unit: received {text!r}, allowed: WORD=UNIT, such as 天=natural_day")
        pairs[word] = unit
    return pairs


def _tell(found: Imported, known: int, *, dry_run: bool) -> None:
    for row in found.refused:
        click.echo(str(row), err=True)
    verb = "可读 readable" if dry_run else "已导入 taken"
    refused = f"{len(found.refused)} 行被拒 rows refused"
    click.echo(f"{len(found.standards)} 条标准{verb}，{refused}，共 {known} 条 standards known")
