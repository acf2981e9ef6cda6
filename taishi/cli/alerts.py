"""`taishi alerts`: what calls for a response."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from operations.oncall.model import Tracked
from operations.oncall.store import Store
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


@alerts.command()
@click.argument("id_")
@click.option("--by", required=True, help="who acknowledges, by name")
@click.option("--why", default="", help="what is being done")
def ack(id_: str, *, by: str, why: str) -> None:
    """Acknowledge an alert: escalation ends. The first one counts; a second is told by whom."""
    with _desk() as desk:
        tracked = _one(desk, id_)
        if desk.acknowledge(tracked.alert.id, by, why, time.time_ns() // 1_000_000):
            click.echo(f"{tracked.alert.id}: 已确认 acknowledged by {by}")
            return
        before = _one(desk, tracked.alert.id)
        at = datetime.fromtimestamp(before.acknowledged_ms / 1000, UTC).astimezone()
        raise SettingsError(f"already acknowledged by {before.acknowledged_by} at {at:%m-%d %H:%M:%S}")


@alerts.command()
@click.argument("id_")
@click.option("--json", "as_json", is_flag=True, help="a JSON object")
def history(id_: str, *, as_json: bool) -> None:
    """Show who was told of an alert, when and how, and who acknowledged it."""
    with _desk() as desk:
        tracked = _one(desk, id_)
        rows = list(desk.history(tracked.alert.id))
    if as_json:
        acknowledged = {"by": tracked.acknowledged_by, "at_ms": tracked.acknowledged_ms}
        said = {"alert": facts(tracked.alert), "acknowledged": acknowledged, "notifications": rows}
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    for row in rows:
        when = row["sent_ms"] or row["due_ms"]
        at = datetime.fromtimestamp(int(str(when)) / 1000, UTC).astimezone()
        state = (
            f"已通知 told by {row['channel']}"
            if row["sent_ms"]
            else f"未送达 not told: {row['problem'] or '…'}"
        )
        click.echo(f"{at:%m-%d %H:%M:%S}  {row['person']}  {state}")
    if tracked.acknowledged_by:
        at = datetime.fromtimestamp(tracked.acknowledged_ms / 1000, UTC).astimezone()
        click.echo(f"{at:%m-%d %H:%M:%S}  {tracked.acknowledged_by}  已确认 acknowledged")


@contextmanager
def _desk() -> Iterator[Store]:
    store = Store(load_settings().operations_url)
    try:
        yield store
    finally:
        store.close()


def _one(desk: Store, beginning: str) -> Tracked:
    found = desk.find(beginning)
    if len(found) != 1:
        raise SettingsError(
            f"alert: received {beginning!r}, which {len(found)} alerts of the desk begin with, allowed: one "
            "(the desk knows alerts while `taishi oncall serve` runs)"
        )
    return found[0]


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
