"""Tables of alerts for the terminal: 简体中文 first, English second; each fits 80 columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.markup import escape
from rich.table import Table

from operations.alerts.actions import Action
from operations.alerts.choose import SEVERITY_NAMES
from operations.alerts.kpis import LIMITS, Report
from operations.alerts.transitions import TRANSITION_WORDS
from operations.alerts.view import View, left, state_words
from schemas.calendar import local

__all__ = ["hidden_table", "kpi_table", "list_table"]

_STYLES: Final = {"life_safety": "bold red", "high": "yellow", "medium": "cyan", "low": "dim"}
_VERDICTS: Final = {
    "acceptable": "[green]可接受 acceptable[/]",
    "manageable": "[yellow]可应付 manageable[/]",
    "over": "[red]超限 over[/]",
    "": "–",
}


def list_table(found: Sequence[View], now_ms: int) -> Table:
    """One line an alert; `show` has it whole."""
    table = Table(box=None, pad_edge=False, expand=True)
    for title in ("编号\nid", "开始\nonset", "状态\nstate", "地点\nplace"):
        table.add_column(title, no_wrap=True)
    table.add_column("告警\nalert", overflow="fold", ratio=1, min_width=20)
    here = {view.alert.id for view in found}
    for view in found:
        alert = view.alert
        what = f"[{_STYLES[alert.severity]}]{escape(alert.title)}[/] · {SEVERITY_NAMES[alert.severity]}"
        many = f" · 代表 {len(view.children)} 条" if view.children else ""
        table.add_row(
            ("└ " if view.parent in here else "") + alert.id[:8],
            f"{local(alert.onset_ms):%m-%d %H:%M:%S}",
            state_words(view, now_ms),
            alert.place,
            what + many + (" 模拟" if alert.simulated else ""),
        )
    return table


def hidden_table(hidings: Sequence[Action], parents: Sequence[View], now_ms: int) -> Table:
    """One line a hiding: what, of what, who, why, time left."""
    table = Table(box=None, pad_edge=False, expand=True)
    for title in ("状态\nstate", "剩余\nleft", "操作人\nby"):
        table.add_column(title, no_wrap=True)
    table.add_column("对象与原因\nwhat and why", overflow="fold", ratio=1, min_width=30)
    for each in hidings:
        by = f"{each.by} + {each.second}" if each.second else each.by
        what = f"{each.target.words()}\n{each.why}"
        table.add_row(TRANSITION_WORDS[each.kind], left(each.until_ms, now_ms), by, escape(what))
    for view in parents:
        what = f"{view.alert.id[:12]} {view.alert.title} {view.alert.place}: {len(view.children)} 条 alerts"
        table.add_row("父告警 parent", "–", view.alert.rule, escape(what))
    return table


def kpi_table(report: Report) -> Table:
    """K1 to K12 of one console and shift."""
    shift = f" · 班次 shift {report.shift}" if report.shift else ""
    title = f"{report.console}{shift} · {report.annunciated} 条 / {report.hours:.1f} h"
    table = Table(title=escape(title), title_justify="left", box=None, pad_edge=False, expand=True)
    table.add_column("", no_wrap=True)
    table.add_column("指标\nKPI", overflow="fold", ratio=1)
    table.add_column("值\nvalue", justify="right", no_wrap=True)
    table.add_column("上限\nlimits", justify="right", no_wrap=True)
    table.add_column("结论\nverdict", no_wrap=True)
    for kpi in report.kpis:
        limit = LIMITS[kpi.name]
        value = "–" if kpi.value is None else f"{kpi.value:.4g} {limit.unit}".strip()
        most = f" / {limit.manageable:g}" if limit.manageable is not None else ""
        detail = f"\n[dim]{escape(kpi.detail)}[/]" if kpi.detail else ""
        words = f"{limit.chinese} {limit.english}{detail}"
        table.add_row(kpi.name, words, value, f"{limit.acceptable:g}{most}", _VERDICTS[kpi.verdict])
    return table
