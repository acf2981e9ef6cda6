"""`taishi sql`: questions in SQL to exported Parquet files."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click
import duckdb
import pyarrow as pa
import pyarrow.csv as pacsv
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.errors import SettingsError, TaishiError
from taishi.export.sql import ExportedFile, SqlDoor, exported_files, overlaps

__all__ = ["sql"]

_SHOWN: Final = 100
"""Rows of a table on the screen."""
_EXAMPLES = """
\b
taishi export occupancy turnover --level street --from 7d --out parking.parquet
taishi sql "SELECT name, avg(occupancy) FROM parking WHERE NOT missing GROUP BY name ORDER BY 2 DESC"
"""


@click.command(epilog=_EXAMPLES)
@click.argument("query", required=False)
@click.option(
    "--from",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="FOLDER",
    help="where the exported Parquet files lie; default: here",
)
@click.option(
    "--table", "form", flag_value="table", default=True, help=f"at most {_SHOWN} rows, to look at (default)"
)
@click.option("--csv", "form", flag_value="csv", help="all rows as CSV")
@click.option("--json", "form", flag_value="json", help="all rows as a JSON array of objects")
def sql(query: str | None, folder: Path, form: str) -> None:
    """Ask exported Parquet files in SQL (DuckDB); without QUERY, show tables and columns.

    A table a domain (parking, security, care, governance) over all files of FOLDER that `taishi export`
    wrote; the column `file` says which. Times are Asia/Shanghai. Nothing can be written, nothing
    else be read.
    """
    files, others = exported_files(folder)
    for path in others:
        click.echo(f"{path}: 不是导出文件 not an export, left out", err=True)
    if not files:
        raise SettingsError(
            f"from: no exported Parquet in {str(folder)!r}; "
            "make one: taishi export occupancy --out parking.parquet"
        )
    if query is None:
        _show(files, as_json=form == "json")
        return
    for one, other in overlaps(files):
        click.echo(
            f"{one.path.name}, {other.path.name}: 有相同的行 rows of both are there twice (column file)",
            err=True,
        )
    with SqlDoor(files) as door:
        _print(door.ask(query), form)


def _print(rows: pa.RecordBatchReader, form: str) -> None:
    try:
        if form == "csv":
            _print_csv(rows)
        elif form == "json":
            _print_json(_dicts(rows))
        else:
            _print_table(rows.schema.names, _dicts(rows))
    except (duckdb.Error, pa.ArrowException) as error:  # rows are made as they are read
        raise TaishiError(f"sql: {error}") from error


def _dicts(rows: pa.RecordBatchReader) -> Iterator[dict[str, Any]]:
    for batch in rows:
        yield from batch.to_pylist()


def _print_csv(rows: pa.RecordBatchReader) -> None:
    with pacsv.CSVWriter(sys.stdout.buffer, rows.schema) as writer:
        for batch in rows:
            writer.write_batch(batch)


def _print_json(rows: Iterator[dict[str, Any]]) -> None:
    before = "["
    for row in rows:
        click.echo(before + json.dumps(row, ensure_ascii=False, default=_text), nl=False)
        before = ",\n "
    click.echo("[]" if before == "[" else "]")


def _print_table(names: Sequence[str], rows: Iterator[dict[str, Any]]) -> None:
    shown = Table(*names)
    for row in islice(rows, _SHOWN):
        shown.add_row(*(_cell(value) for value in row.values()))
    Console().print(shown)
    if rest := sum(1 for _ in rows):
        click.echo(f"另有 {rest} 行 more rows (--csv, --json)")


def _show(files: Sequence[ExportedFile], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([_facts(file) for file in files], ensure_ascii=False))
        return
    for domain in dict.fromkeys(file.domain for file in files):
        own = [file for file in files if file.domain == domain]
        table = Table(
            "列 column",
            "类型 type",
            "单位 unit",
            "what it is",
            title=f"表 table {domain}",
            title_justify="left",
        )
        for field in pa.unify_schemas([file.schema for file in own]):
            said = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
            table.add_row(field.name, str(field.type), said.get("unit", ""), said.get("description", ""))
        table.add_row("file", "string", "", "the exported file a row is of")
        Console().print(table)
        for file in own:
            said = file.described
            click.echo(
                f"  {file.path.name}: {said['rows']:,} 行 rows by {said['level']}, {said['window']}, "
                f"{said['from'][:16]} … {said['to'][:16]}"
            )


def _facts(file: ExportedFile) -> dict[str, Any]:
    return {
        "table": file.domain,
        "file": str(file.path),
        "columns": {field.name: str(field.type) for field in file.schema},
        **file.described,
    }


def _text(value: Any) -> Any:
    """What JSON has no form for: moments in ISO 8601, decimals as numbers, the rest as it is told."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return float(value) if isinstance(value, Decimal) else str(value)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return value.isoformat(sep=" ") if isinstance(value, datetime) else escape(str(value))
