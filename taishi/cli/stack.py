"""`taishi up` and `taishi down`."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click
from rich.console import Console
from rich.live import Live
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from connectors.registry import COLUMNS
from deploy.embedded import stack
from deploy.embedded.state import PartState, StackState, read_state
from taishi.cli.pages import pages_url
from taishi.settings import Settings, load_settings
from taishi.stack_settings import stack_settings

__all__ = ["down", "part_table", "up"]

_GOES_ON = "仍在运行 The stack goes on running; `taishi down` stops it."
_MARKS = {
    "healthy": "[green]●[/]",
    "done": "[green]✓[/]",
    "starting": "[yellow]◐[/]",
    "waiting": "[dim]○[/]",
    "backing-off": "[red]↻[/]",
    "unhealthy": "[red]●[/]",
}


@click.command()
@click.option("--demo/--no-demo", default=True, help="with or without the simulated city")
@click.option("--detach", is_flag=True, help="return once everything serves, without the live table")
@click.option("--timeout", "limit_s", default=300, show_default=True, help="seconds until all must serve")
@click.option("--only", multiple=True, metavar="PART", help="only these parts and what they need; repeatable")
def up(demo: bool, detach: bool, limit_s: int, only: tuple[str, ...]) -> None:
    """启动全部部件。Start everything; what is missing is fetched first (minutes, once)."""
    settings = load_settings()
    console = Console()
    started_s = time.monotonic()

    with _progress(console) as progress:
        task = progress.add_task("")

        def report(what: str, now: str) -> None:
            progress.reset(task, description=f"{what}: {now}")
            elapsed_s = time.monotonic() - started_s
            line = f"[dim]{elapsed_s:6.1f} s[/]  [bold]{what}[/]  {now}"
            progress.console.print(line, highlight=False, soft_wrap=True)

        if not demo:
            _begin_registry(settings)
        fresh = stack.up(stack_settings(settings), only=only or None, demo=demo, report=report)
    if not fresh:
        console.print("已在运行 The stack is already running; `taishi down` stops it.")
    try:
        _wait(settings, console, limit_s)
    except KeyboardInterrupt:
        console.print(_GOES_ON)
        sys.exit(130)
    if fresh:
        console.print(
            f"全部就绪 Everything serves, after {time.monotonic() - started_s:.1f} s.", highlight=False
        )
    if settings.pages and not only:
        console.print(f"页面 Pages: {pages_url(settings)}", highlight=False)
    _show(settings, console, detach)


def _begin_registry(settings: Settings) -> None:
    """An empty device registry where there is none: the connectors wait for one, the city writes it."""
    path = settings.devices_file or settings.home / "devices.csv"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(",".join(COLUMNS) + "\n", "utf-8")
        click.echo(f"began an empty device registry: {path}", err=True)


@click.command()
def down() -> None:
    """停止全部部件。Stop everything that `up` started; data stays."""
    settings = load_settings()
    if stack.down(stack_settings(settings)):
        click.echo("已停止 Stopped. Data stays in " + str(settings.home / "data"))
    else:
        click.echo("未在运行 Nothing was running.")


def part_table(state: StackState) -> Table:
    """The parts as a table: phase, since when, port, restarts, memory, what is wrong."""
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("部件 part", no_wrap=True, min_width=17)
    for title in ("状态 state", "端口 port", "重启 restarts", "内存 MiB", "说明 detail"):
        table.add_column(title)
    for part in state.parts:
        table.add_row(*_row(part))
    return table


def _row(part: PartState) -> tuple[str, ...]:
    memory = f"{part.rss_bytes / 2**20:.0f}" if part.rss_bytes else ""
    port = str(part.port or "")
    return (
        *(_MARKS.get(part.phase, "○"), part.name, part.phase, port),
        *(str(part.restarts or ""), memory, part.detail),
    )


def _progress(console: Console) -> Progress:
    """What is going on now and for how long; vanishes when done, and is absent without a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _wait(settings: Settings, console: Console, limit_s: int) -> None:
    with _live(console) as live:
        stack.wait_well(
            stack_settings(settings), limit_s, lambda state: live.update(part_table(state)) if live else None
        )


@contextmanager
def _live(console: Console) -> Iterator[Live | None]:
    if not console.is_terminal:
        yield None
        return
    with Live(console=console, transient=True, refresh_per_second=8) as live:
        yield live


def _show(settings: Settings, console: Console, detach: bool) -> None:
    if detach or not sys.stdout.isatty():
        state = read_state(settings.home)
        if state is not None:
            console.print(part_table(state))
        return
    from taishi.cli.status import show_live  # noqa: PLC0415 - only a terminal needs it

    with contextlib.suppress(KeyboardInterrupt):
        show_live(settings)
    console.print(_GOES_ON)
