"""Tables of cases for the terminal: 简体中文 first, English second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from rich.markup import escape
from rich.table import Table

from operations.cases.config import CaseConfig
from operations.cases.evaluate import Comparison
from operations.cases.measures import MEASURES
from operations.cases.view import CaseView, ClockView
from operations.store.cases import CaseLine
from schemas.calendar import local

__all__ = ["clocks_table", "evaluation_table", "list_table", "span"]

_MINUTE_MS: Final = 60_000


def span(ms: int) -> str:
    """Hours:minutes, with a minus where it is over."""
    minutes = abs(ms) // _MINUTE_MS
    return f"{'-' if ms < 0 else ''}{minutes // 60}:{minutes % 60:02}"


def list_table(lines: Sequence[CaseLine], config: CaseConfig, now_ms: int) -> Table:
    """One line a case; `show` has it whole."""
    table = Table(box=None, pad_edge=False, expand=True)
    for title in ("编号\nid", "状态\nstate", "到期\ndue", "地点\nplace", "承办\nwith"):
        table.add_column(title, no_wrap=True)
    table.add_column("案件\ncase", overflow="fold", ratio=1, min_width=16)
    for line in lines:
        table.add_row(
            line.id,
            config.label(line.state, line.workflow),
            _due(line, now_ms),
            line.place,
            line.person or line.department or line.receiver or "–",
            escape(line.title) + ("" if line.citizens < 2 else f" · {line.citizens} 人上报"),
        )
    return table


def clocks_table(view: CaseView) -> Table:
    """One line a run of a clock."""
    table = Table(box=None, pad_edge=False)
    for title in ("时限\nclock", "限\nlimit", "到期\ndue", "已用\nused", "累计\nin all", "剩余\nleft", ""):
        table.add_column(title, no_wrap=True)
    for clock in view.clocks:
        table.add_row(
            clock.label,
            clock.limit + (f" +{clock.extended}" if clock.extended else ""),
            clock.due_at[5:16].replace("T", " ") + (" 暂定 provisional" if clock.provisional else ""),
            span(clock.used_ms),
            span(clock.accumulated_ms),
            span(clock.left_ms),
            _state(clock),
        )
    return table


def evaluation_table(found: Sequence[Comparison], names: Mapping[str, str]) -> Table:
    """One line a figure, and below it what it is."""
    table = Table(box=None, pad_edge=False, expand=True, show_lines=False)
    table.add_column("指标与定义\nmeasure and definition", overflow="fold", ratio=1, min_width=30)
    for title in ("率\nrate", "件\ncases", "环比\nbefore", "同比\nlast year"):
        table.add_column(title, no_wrap=True, justify="right")
    last = None
    for each in found:
        figure = each.figure
        if figure.of != last:
            table.add_row(f"[bold]{escape(names.get(figure.of) or figure.of or '合计 total')}[/]")
            last = figure.of
        exempt = f" 免{len(figure.exempt)}" if figure.exempt else ""
        rates = [_percent(rate) for rate in (figure.rate, each.before, each.last_year)]
        cases = f"{len(figure.yes)}/{len(figure.among)}{exempt}"
        what = f"{MEASURES[figure.measure].chinese}\n[dim]{figure.definition}[/]"
        table.add_row(what, rates[0], cases, *rates[1:])
    return table


def _due(line: CaseLine, now_ms: int) -> str:
    if not line.due_ms:
        return "–"
    words = f"{local(line.due_ms):%m-%d %H:%M}" + ("?" if line.provisional else "")
    return f"[bold red]{words} 超时[/]" if now_ms > line.due_ms else words


def _state(clock: ClockView) -> str:
    over = "[red]超时 overdue[/]" if clock.overdue else ""
    if clock.stopped_at:
        return f"已停 stopped {over}".strip()
    return f"暂停 paused {over}".strip() if clock.standing else over


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.1f} %"
