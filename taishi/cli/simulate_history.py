"""`taishi simulate --history`: fill InfluxDB with the simulated city's past."""

from __future__ import annotations

import json
import re
import time
from datetime import datetime
from typing import Final

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from operations.oncall.clock import now_ms
from schemas.calendar import ZONE
from schemas.errors import SettingsError
from simulation.history.windows import Past
from taishi.history import Load, Span, load_past
from taishi.settings import Settings

__all__ = ["fill", "moment_ms", "span_s"]

_UNITS_S: Final = {"m": 60, "h": 3600, "d": 86_400}
_FINE_S: Final = 3600


def span_s(text: str) -> int:
    """`7d`, `36h`, `90m` in seconds; SettingsError for anything else."""
    found = re.fullmatch(r"([1-9]\d{0,4})([mhd])", text)
    if found is None:
        raise SettingsError(f"span: received {text!r}, allowed: a number and m, h or d, such as 7d or 36h")
    return int(found[1]) * _UNITS_S[found[2]]


def moment_ms(text: str | None, option: str = "--history-until") -> int:
    """An ISO 8601 moment, of the district's zone where it names none; now for None."""
    if text is None:
        return now_ms()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError(
            f"{option}: received {text!r}, allowed: ISO 8601, such as 2026-11-20T08:00"
        ) from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=ZONE)).timestamp() * 1000)


def fill(settings: Settings, past: Past, *, long: str, until: str | None, as_json: bool) -> None:
    """Write the past that ends at `until`, with progress; its last hour also in windows of 10 s."""
    until_ms, long_s = moment_ms(until), span_s(long)
    fine_from_ms = until_ms - min(_FINE_S, long_s) * 1000
    from_ms, kept = until_ms - long_s * 1000, settings.influxdb_keep_days
    span = Span(from_ms, until_ms, fine_from_ms, moment_ms(None), keep_days=kept)
    began_s = time.monotonic()
    with Progress(
        TextColumn("[progress.description]{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    ) as progress:
        task = progress.add_task("模拟历史 simulated past")

        def report(load: Load) -> None:
            progress.update(task, total=load.jobs, completed=load.jobs_done)

        done = load_past(settings, past, span, report)
    taken_s = time.monotonic() - began_s
    told = {
        "points": done.total,
        "points_per_s": round(done.total / taken_s),
        "seconds": round(taken_s, 1),
        "by": done.points,
        "simulated": True,
    }
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    by = ", ".join(f"{what} {count:,}" for what, count in done.points.items())
    rate = f"{done.total:,} points in {taken_s:.0f} s ({told['points_per_s']:,}/s)"
    click.echo(f"wrote {rate}: {by}; SIMULATED (模拟)")
