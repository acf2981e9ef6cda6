"""`taishi alerts`: what calls for a response."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas.alerts import SEVERITIES, Alert, Severity
from schemas.errors import SettingsError
from taishi.alerts.choose import SEVERITY_NAMES, Selection, choose, facts
from taishi.alerts.read import read_alerts
from taishi.quarantine.records import parse_since
from taishi.settings import load_settings

__all__ = ["alerts"]

_STYLES = {"life_safety": "bold red", "high": "yellow", "medium": "cyan", "low": "dim"}


@click.group()
def alerts() -> None:
    """告警。Alerts: each a call for a timely response."""


@alerts.command("list")
@click.option("--all", "everything", is_flag=True, help="also those that are over")
@click.option("--severity", type=click.Choice(SEVERITIES), help="this severity and above")
@click.option("--place", default="", help="this place and all within it, by code")
@click.option("--rule", default="", help="rules whose name begins so, such as signal.sos")
@click.option("--since", help="told of since: 30m, 2h, 7d or an ISO 8601 moment")
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def list_(
    *, everything: bool, severity: Severity | None, place: str, rule: str, since: str | None, as_json: bool
) -> None:
    """List alerts, the most urgent first; without --all those that are active or wait for a person."""
    since_ms = parse_since(since, datetime.now(UTC)) if since else None
    selection = Selection(None if everything else True, severity, place, rule, since_ms)
    found = choose(read_alerts(load_settings().kafka_bootstrap), selection)
    if as_json:
        click.echo(json.dumps([facts(alert) for alert in found], ensure_ascii=False, indent=2))
        return
    Console().print(_table(found))
    click.echo(f"{len(found)} 条告警 alerts")


@alerts.command()
@click.argument("id_")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def show(id_: str, *, as_json: bool) -> None:
    """Show one alert whole; the beginning of its id is enough where it is the only one."""
    found = [a for a in read_alerts(load_settings().kafka_bootstrap) if a.id.startswith(id_)]
    if len(found) != 1:
        raise SettingsError(f"alert: received {id_!r}, which {len(found)} alerts begin with, allowed: one")
    if as_json:
        click.echo(json.dumps(facts(found[0]), ensure_ascii=False, indent=2))
        return
    for name, value in facts(found[0]).items():
        click.echo(f"{name:>12}  {value}")


def _table(found: Iterable[Alert]) -> Table:
    """One line an alert, which fits 80 columns; `show` has it whole."""
    table = Table(box=None, pad_edge=False, expand=True)
    for title in ("编号\nid", "开始\nonset", "状态\nstate", "地点\nplace"):
        table.add_column(title, no_wrap=True)
    table.add_column("告警\nalert", overflow="fold", ratio=1, min_width=20)
    for alert in found:
        onset = datetime.fromtimestamp(alert.onset_ms / 1000, UTC).astimezone()
        what = f"[{_STYLES[alert.severity]}]{escape(alert.title)}[/] · {SEVERITY_NAMES[alert.severity]}"
        table.add_row(
            alert.id[:8],
            f"{onset:%m-%d %H:%M:%S}",
            _state(alert),
            alert.place,
            f"{what} 模拟" if alert.simulated else what,
        )
    return table


def _state(alert: Alert) -> str:
    if alert.chattering and alert.active:
        return "抖动 chatter"
    if alert.active:
        return "活动 active"
    return "待复位 latched" if alert.latched else "已恢复 cleared"
