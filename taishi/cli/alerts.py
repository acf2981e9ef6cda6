"""`taishi alerts`: what calls for a response, and what people did about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from rich.console import Console

from operations.alerts.choose import Selection, choose, facts
from operations.alerts.similar import similar_words
from operations.alerts.transitions import TRANSITION_WORDS, Transition, transitions
from operations.alerts.view import View, said, shown, state_facts, view_facts, views
from operations.oncall.clock import now_ms
from schemas.alerts import SEVERITIES, Severity
from schemas.calendar import local
from schemas.errors import SettingsError
from taishi.alerts.desk import one, opened, seen
from taishi.alerts.read import read_alerts
from taishi.alerts.tables import hidden_table, list_table
from taishi.cli.alerts_act import COMMANDS
from taishi.cli.alerts_kpis import kpis
from taishi.kafka import kafka_of
from taishi.quarantine.records import parse_since
from taishi.settings import load_settings

__all__ = ["alerts"]


@click.group()
def alerts() -> None:
    """告警。Alerts: each a call for a timely response."""


@alerts.command("list")
@click.option("--all", "everything", is_flag=True, help="also those that are over")
@click.option(
    "--hidden", is_flag=True, help="also shelved, suppressed and out of service; children by parent"
)
@click.option("--severity", type=click.Choice(SEVERITIES), help="this severity and above")
@click.option("--place", default="", help="this place and all within it, by code")
@click.option("--rule", default="", help="rules whose name begins so, such as signal.sos")
@click.option("--since", help="told of since: 30m, 2h, 7d or an ISO 8601 moment")
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def list_(  # noqa: PLR0913 - the options of the command
    *,
    everything: bool,
    hidden: bool,
    severity: Severity | None,
    place: str,
    rule: str,
    since: str | None,
    as_json: bool,
) -> None:
    """List alerts, the most urgent first; without --all those that are active or wait for a person."""
    since_ms = parse_since(since, datetime.now(UTC)) if since else None
    selection = Selection(None if everything else True, severity, place, rule, since_ms)
    settings = load_settings()
    known = {view.alert.id: view for view in seen(read_alerts(kafka_of(settings)), settings)}
    wanted = [known[each.id] for each in choose((view.alert for view in known.values()), selection)]
    listed = [view for view in wanted if everything or view.state.listed]
    found = shown(listed, hidden=hidden)
    if as_json:
        click.echo(json.dumps([view_facts(view) for view in found], ensure_ascii=False, indent=2))
        return
    Console().print(list_table(found, now_ms()))
    rest = sum(view.state.hidden for view in listed) if not hidden else 0
    click.echo(f"{len(found)} 条告警 alerts" + (f"，{rest} 条隐藏 hidden (--hidden)" if rest else ""))


@alerts.command()
@click.argument("id_")
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def show(id_: str, *, as_json: bool) -> None:
    """Show one alert whole, with its state; the beginning of its id is enough where it is the only one."""
    settings = load_settings()
    found = [v for v in seen(read_alerts(kafka_of(settings)), settings) if v.alert.id.startswith(id_)]
    if len(found) != 1:
        raise SettingsError(f"alert: received {id_!r}, which {len(found)} alerts begin with, allowed: one")
    if as_json:
        click.echo(json.dumps(view_facts(found[0]), ensure_ascii=False, indent=2))
        return
    for name, value in facts(found[0].alert).items():
        click.echo(f"{name:>14}  {value}")
    for name, value in state_facts(found[0].state).items():
        if value and name not in {"active", "latched"}:
            click.echo(f"{name:>14}  {_plain(value)}")
    for child in found[0].children:
        click.echo(f"{'child':>14}  {child}")


@alerts.command()
@click.argument("id_")
@click.option("--json", "as_json", is_flag=True, help="a JSON object")
def history(id_: str, *, as_json: bool) -> None:
    """Show what happened to an alert: its transitions with who, when and why, and who was told."""
    with opened() as desk:
        tracked = one(desk, id_)
        at_ms = now_ms()
        told = transitions(tracked.alert, desk.actions_of(tracked.alert), at_ms)
        rows = list(desk.history(tracked.alert.id))
        state = desk.state(tracked.alert, at_ms)
        before = desk.became(tracked.alert)
    if as_json:
        found = {
            "alert": facts(tracked.alert),
            "acknowledged": {"by": tracked.acknowledged_by, "at_ms": tracked.acknowledged_ms},
            "state": state_facts(state),
            "transitions": [msgspec.to_builtins(each) for each in told],
            "notifications": rows,
            "similar": [msgspec.to_builtins(each) for each in before],
        }
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for when_ms, line in sorted([*_transition_lines(told), *_notification_lines(rows)]):
        click.echo(f"{local(when_ms):%m-%d %H:%M:%S}  {line}")
    click.echo(similar_words(before))


@alerts.command()
@click.option("--json", "as_json", is_flag=True, help="a JSON object")
def hidden(*, as_json: bool) -> None:
    """List what is hidden: shelved, suppressed, out of service, by whom, why, and for how long still."""
    at_ms = now_ms()
    with opened() as desk:
        open_alerts = desk.alerts(at_ms + 1)
        hidings = desk.hidings(at_ms)
    found = views(open_alerts, [], hidings, at_ms)
    once = {view.alert.id for view in found if view.state.shelving == "one_shot"}
    hidings = [each for each in hidings if each.kind != "shelve_once" or each.target.alert_id in once]
    parents = [view for view in found if view.children]
    if as_json:
        click.echo(json.dumps(_hidden_facts(hidings, parents), ensure_ascii=False, indent=2))
        return
    Console().print(hidden_table(hidings, parents, at_ms))
    click.echo(f"{sum(view.state.hidden for view in found)} 条告警隐藏 alerts hidden")


for _command in (*COMMANDS, kpis):
    alerts.add_command(_command)


def _hidden_facts(hidings: Sequence[Any], parents: Sequence[View]) -> dict[str, Any]:
    return {
        "hidings": [said(each) for each in hidings],
        "parents": [
            {"id": v.alert.id, "title": v.alert.title, "place": v.alert.place, "children": list(v.children)}
            for v in parents
        ],
    }


def _transition_lines(told: Sequence[Transition]) -> Iterator[tuple[int, str]]:
    for each in told:
        second = f" + {each.second}" if each.second else ""
        until = f" → {local(each.until_ms):%m-%d %H:%M:%S}" if each.until_ms else ""
        why = f": {each.why}" if each.why else ""
        yield each.at_ms, f"{each.by}{second}  {TRANSITION_WORDS[each.what]}{until}{why}"


def _notification_lines(rows: Sequence[dict[str, Any]]) -> Iterator[tuple[int, str]]:
    for row in rows:
        state = f"已通知 told by {row['channel']}"
        if row["state"] == "withdrawn":
            state = f"已撤回 not told: {row['problem']}"
        elif not row["sent_ms"]:
            state = f"未送达 not told: {row['problem'] or '…'}"
        elif row["digest"]:
            state += "，汇总 in a digest"
        yield row["sent_ms"] or row["due_ms"], f"{row['person']}  {state}"


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {each}" for name, each in value.items() if each)
    return "; ".join(map(_plain, value)) if isinstance(value, list) else str(value)
