"""`taishi promises`: the promise sheet, line by line, with the verdict of its tests."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.errors import SettingsError
from taishi.promises.record import FILE, Stamp, forget, read_record, stamp_of
from taishi.promises.sheet import functions, read_promises, selected
from taishi.promises.shown import Line, Verdict, judged
from taishi.settings import load_settings

__all__ = ["promises"]

_ROOT: Final = Path(__file__).resolve().parents[2]
_WORDS: Final[dict[Verdict, str]] = {
    "passed": "[green]通过 passed[/]",
    "failed": "[red]失败 failed[/]",
    "not run": "[yellow]未运行 not run[/]",
    "no test": "[dim]说明 no test[/]",
}
_MARKS: Final = {"passed": "[green]✓[/]", "failed": "[red]✗[/]", "not run": "[yellow]·[/]"}
_SESSIONS: Final = (("-n", "2", "-m", "not stack"), ("-p", "no:xdist", "-m", "stack"))
"""As `make test` does: the fast ones side by side, then one after the other those that share a real stack."""
_NOTHING_TO_RUN: Final = 5


@click.command()
@click.argument("part", required=False)
@click.option(
    "--run", is_flag=True, help="First run the tests of the lines shown, and record what became of them."
)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable: a list, one object a line.")
@click.option("--brief", is_flag=True, help="Without the tests below each line.")
def promises(part: str | None, *, run: bool, as_json: bool, brief: bool) -> None:
    """承诺清单。Show every line of PROMISES.md with the verdict of its tests, and when they last ran.

    PART is the number of a line, or words of it (of its heading or tests too); all lines without it.

    \b
    taishi promises                    the whole sheet
    taishi promises "kill -9" --run    prove what is said of kill -9, now
    taishi promises 7 --json           one line for a program

    A line has passed when every case of every test it names passed the last time it ran; the time shown is
    the oldest of these. One whose test was skipped has not run. Every test session records (make test,
    pytest); * marks a tree with changes that its commit has not. Ends with 1 when a line failed, with --run
    also when one did not run.
    """  # noqa: D301 - \b is click's mark for lines that stay lines
    found, home = selected(read_promises(_ROOT), part), load_settings().home
    named = {promise: functions(promise.tests, _ROOT) for promise in found}
    if run:
        _run(home, list(dict.fromkeys(name for names in named.values() for name in names)))
    record = read_record(home)
    lines = [judged(promise, names, record) for promise, names in named.items()]
    if as_json:
        click.echo(json.dumps([_row(line) for line in lines], ensure_ascii=False, indent=2))
    else:
        _print(lines, home / FILE, brief=brief)
    bad = {"failed", "not run"} if run else {"failed"}
    sys.exit(any(line.verdict in bad for line in lines))


def _run(home: Path, names: list[str]) -> None:
    """Forget what became of these tests, then run them: what does not come to its end has not run."""
    if not names:
        raise SettingsError("--run: received lines that name no test, allowed: lines that do")
    if importlib.util.find_spec("pytest") is None:
        raise SettingsError("--run: received a Python without pytest, allowed: that of scripts/bootstrap")
    forget(home, names)
    for words in _SESSIONS:
        command = [sys.executable, "-m", "pytest", *words, *names]
        code = subprocess.run(command, cwd=_ROOT, stdout=sys.stderr, check=False).returncode
        if code not in {0, 1, _NOTHING_TO_RUN}:
            raise SettingsError(f"pytest ended with {code} (see above), allowed: 0, or 1 when a test failed")


def _row(line: Line) -> dict[str, Any]:
    """One line as JSON; times are RFC 3339, in UTC."""
    return {
        "number": line.promise.number,
        "part": line.promise.part,
        "text": line.promise.text,
        "verdict": line.verdict,
        "ran_at": _time(line.ran_at_ms),
        "on": [msgspec.to_builtins(stamp) for stamp in line.on],
        "tests": [
            {
                "name": test.name,
                "verdict": test.verdict,
                "cases": len(test.cases),
                "took_s": round(sum(case.took_s for case in test.cases), 3),
                "ran_at": _time(min((case.ended_at_ms for case in test.cases), default=None)),
            }
            for test in line.tests
        ],
    }


def _print(lines: Sequence[Line], path: Path, *, brief: bool) -> None:
    table, part = Table(box=None, pad_edge=False), ""
    table.add_column("编号\nno.", justify="right", no_wrap=True)
    for title in ("判定\nverdict", "上次运行\nlast ran", "提交\ncommit"):
        table.add_column(title, no_wrap=True)
    table.add_column("承诺\npromise", overflow="fold")
    for line in lines:
        if line.promise.part != part:
            part = line.promise.part
            table.add_row("", "", "", "", f"\n[bold]{escape(part)}[/]")
        text = escape(line.promise.text)
        names = () if brief else line.tests
        tests = [f"{_MARKS[test.verdict]} [dim]{escape(test.name)}[/]" for test in names]
        when = (_time(line.ran_at_ms) or "–")[: len("2026-11-28T00:00")].replace("T", " ")
        commits = " ".join(dict.fromkeys(_commit(stamp) for stamp in line.on)) or "–"
        table.add_row(
            str(line.promise.number), _WORDS[line.verdict], when, commits, "\n".join([text, *tests])
        )
    Console().print(table)
    _print_sums(lines, path)


def _print_sums(lines: Sequence[Line], path: Path) -> None:
    counts = Counter(line.verdict for line in lines)
    click.echo("\n" + " · ".join(f"{counts[word]} {word}" for word in _WORDS))
    for machine in dict.fromkeys(stamp.machine for line in lines for stamp in line.on):
        click.echo(f"机器 machine: {machine}")
    click.echo(f"当前 now: {_commit(stamp_of(_ROOT))} · 记录 record: {path} · UTC")


def _commit(stamp: Stamp) -> str:
    form = f" ({stamp.form})" if stamp.form else ""
    return (stamp.commit[:9] or "no git") + ("*" if stamp.modified else "") + form


def _time(at_ms: int | None) -> str | None:
    """RFC 3339 in UTC; None stays None."""
    if at_ms is None:
        return None
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()
