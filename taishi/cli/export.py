"""`taishi export`: figures of places over a period, as a file for a spreadsheet, a notebook or a map."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from schemas.kinds import DOMAINS
from schemas.places.model import LEVELS
from taishi.analysis.district import District
from taishi.analysis.figures import all_figures
from taishi.analysis.question import Wish
from taishi.export.audit import Audit
from taishi.export.run import Exported, checked_target, default_name
from taishi.export.run import export as write
from taishi.settings import load_settings

__all__ = ["export"]


_EXAMPLES = """
\b
taishi export occupancy
taishi export occupancy turnover --level street --from 7d --out parking.parquet
taishi export people_entered --level grid --place 香港中路街道 --from 2026-11-20 --to 2026-11-22
taishi export occupancy --level grid --from 2026-11 --to 2026-11 --out november.geojson
"""


@click.command(epilog=_EXAMPLES)
@click.argument("metrics", nargs=-1, metavar="[METRIC]...")
@click.option("--domain", type=click.Choice(DOMAINS), help="where several have a METRIC of that name")
@click.option(
    "--level",
    type=click.Choice(LEVELS),
    help="a row for each place of it; default: that of --place, or district",
)
@click.option(
    "--place",
    "places",
    multiple=True,
    metavar="PLACE",
    help="only in this place: code or name; more than once for several",
)
@click.option(
    "--from",
    "since",
    metavar="TIME",
    help="a day, a month, a moment, or how long ago (7d); default: yesterday",
)
@click.option(
    "--to",
    "until",
    metavar="TIME",
    help="a day or month, which is in it, or a moment; default: now, if --from is given",
)
@click.option("--window", metavar="SIZE", help="10s, 1m or 1h; default: by the length of the period")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="FILE.csv, FILE.parquet or FILE.geojson; default: named by domain, level and days, CSV",
)
@click.option("--force", is_flag=True, help="replace FILE")
@click.option(
    "--small-counts",
    is_flag=True,
    help="counts of fewer than five people too; the setting export_small_counts must allow it",
)
@click.option("--reason", default="", metavar="TEXT", help="why, for the audit; needed with --small-counts")
@click.option("--history", is_flag=True, help="list who exported what; nothing else")
@click.option("--json", "as_json", is_flag=True, help="print the result, or the list, as JSON")
def export(
    *,
    metrics: tuple[str, ...],
    out: Path | None,
    force: bool,
    reason: str,
    history: bool,
    as_json: bool,
    **wished: Any,
) -> None:
    """Write METRICs of the places of a level over a period to a file; without METRIC, list what there is.

    A row is a window of a place. With it: whether the window is complete or missing, which share of its
    spaces is unknown and of its readings simulated, and by which boundaries the place was meant. GeoJSON has
    one feature a place instead, with the figures of the whole period. Units and meaning are in the file
    (Parquet, GeoJSON) or beside it (FILE.csv-metadata.json). Counts of fewer than five people are left out
    (masked). Every export is written down (--history).
    """
    settings = load_settings()
    if history:
        _list_history(Audit(settings).exports(), as_json=as_json)
        return
    if not metrics:
        _list_figures(as_json=as_json)
        return
    if wished["small_counts"] and not reason.strip():
        raise click.UsageError("--small-counts: received no --reason, allowed: why these counts are needed")
    with District(settings, small_counts=wished["small_counts"]) as district, _progress() as advance:
        question = district.question(Wish(metrics, **wished))
        target = checked_target(out or Path(default_name(question)), replace=force)
        done = write(district, question, target, reason=reason, progress=advance)
    if as_json:
        click.echo(json.dumps(_facts(done), ensure_ascii=False))
    else:
        click.echo("\n".join(_told(done)))


def _facts(done: Exported) -> dict[str, Any]:
    return {
        "file": str(done.path),
        "bytes": done.size_bytes,
        "sha256": done.sha256,
        "took_s": round(done.took_s, 3),
        **done.described,
    }


def _told(done: Exported) -> Iterator[str]:
    """What was written, and what whoever uses it should know."""
    said = done.described
    yield (
        f"{done.path}: {said['rows']:,} 行 windows of {said['window']}, {said['from'][:16]} … "
        f"{said['to'][:16]}, {done.size_bytes:,} bytes, {done.took_s:.1f} s"
    )
    notes = {
        "rows_missing": "缺失 missing: no such window in the store",
        "rows_incomplete": "不完整 incomplete: a part of the pipeline was silent",
        "rows_masked": f"隐藏 masked: a count of fewer than {said['masked_below']} people",
    }
    for name, words in notes.items():
        if said[name]:
            yield f"  {said[name]:,} {words}"
    if said["simulated_share"]:
        yield f"  {said['simulated_share']:.0%} 模拟 of the readings are simulated"
    if any(layer["synthetic"] for layer in said["boundaries"]):
        yield "  网格边界为合成 the grids' boundaries are synthetic"


def _list_figures(*, as_json: bool) -> None:
    rows = [
        {
            "metric": figure.name,
            "domain": figure.domain,
            "unit": figure.unit,
            "over_time": figure.over_time,
            "description": figure.description,
        }
        for figure in all_figures()
    ]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    shown = Table("指标 METRIC", "领域 domain", "单位 unit", "over a period", "what it is")
    for row in rows:
        shown.add_row(*row.values())
    Console().print(shown)


def _list_history(rows: Sequence[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    shown = Table("时间 at", "谁 by", "结果 result", "什么 what", "文件 file")
    for row in rows:
        file = Path(row.get("file", "")).name
        shown.add_row(row["at"][:16], row["by"], row["result"], escape(_what(row)), escape(file))
    Console().print(shown)


def _what(row: dict[str, Any]) -> str:
    """What was asked, in a line; of an entry too long for its column, its beginning."""
    if "metrics" not in row:
        return str(row.get("detail", ""))
    small = "，含小于 5 的计数 with small counts" if row["small_counts"] else ""
    figures, period = ", ".join(row["metrics"]), f"{row['from'][:16]} … {row['to'][:16]}"
    return f"{row['domain']}: {figures} by {row['level']}, {period}{small}"


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("导出 exporting"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
