"""`taishi cases`: what must be done about something, by whom, until when."""

from __future__ import annotations

import json
from typing import Any

import click
import msgspec
from rich.console import Console

from operations.cases.codes import STATES
from operations.cases.model import Entry
from operations.cases.view import CaseView
from operations.cases.workflow_check import load_workflow
from operations.oncall.clock import now_ms
from operations.store.cases import CaseSelection
from schemas.calendar import local
from taishi.cases.desk import actor, config, one, opened
from taishi.cases.tables import clocks_table, list_table
from taishi.cli.cases_act import COMMANDS, who_options
from taishi.cli.cases_evaluate import evaluate, measures
from taishi.cli.cases_standards import import_standards, standards

__all__ = ["cases"]


@click.group()
def cases() -> None:
    """案件。Cases: what must be done about something, by whom, until when (docs/cases.md)."""


@cases.command("list")
@click.option("--all", "everything", is_flag=True, help="also those that are over")
@click.option("--state", "states", multiple=True, type=click.Choice(list(STATES)), help="may be repeated")
@click.option("--workflow", default="", help="of this workflow")
@click.option("--category", default="", help="of this category")
@click.option("--place", default="", help="this place and all within it, by code")
@click.option("--department", default="", help="with this department")
@click.option("--holder", default="", help="handled or received by this person")
@click.option("--text", default="", help="whose title holds this")
@click.option("--overdue", is_flag=True, help="only those that are late")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def list_(*, everything: bool, overdue: bool, limit: int, as_json: bool, **wanted: Any) -> None:
    """List cases, those first that are due first; without --all those that are open."""
    at_ms = now_ms()
    selection = CaseSelection(
        open=None if everything else True, due_before_ms=at_ms if overdue else 0, **wanted
    )
    with opened() as book:
        lines, count = book.lines(selection, limit), book.count_cases(selection)
        labels = book.config
    if as_json:
        facts = [
            msgspec.structs.asdict(line) | {"label": labels.label(line.state, line.workflow)}
            for line in lines
        ]
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    Console().print(list_table(lines, labels, at_ms))
    click.echo(f"{count} 件案件 cases" + (f"，显示 {limit} 件 shown" if count > limit else ""))


@cases.command()
@click.argument("id_", metavar="ID")
@who_options(required=False)
@click.option("--json", "as_json", is_flag=True, help="one JSON object")
def show(id_: str, *, as_json: bool, **who: Any) -> None:
    """Show one case whole: state and what it means, clocks, alerts; with --by and --as what they may do."""
    with opened() as book:
        view = book.view(one(book, id_), actor(**who) if who["by"] else None, now_ms())
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(view), ensure_ascii=False, indent=2))
        return
    _show(view)


@cases.command()
@click.argument("id_", metavar="ID")
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def history(id_: str, *, as_json: bool) -> None:
    """Show a case's flow log: from, to, verb, who, why, when, terminal."""
    with opened() as book:
        entries = book.flow(one(book, id_))
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(entries), ensure_ascii=False, indent=2))
        return
    for entry in entries:
        click.echo(_line(entry))


@cases.command()
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def tick(*, as_json: bool) -> None:
    """Do what is due by itself: warn before a limit ends, tell when it is over, resume what was parked.

    Deadlines are computed anew first, so that a published calendar or other settings count. Whoever serves
    the desk does this all the time; here it is for once.
    """
    at_ms = now_ms()
    with opened() as book:
        changed = book.recompute(at_ms)
        while found := book.tick(at_ms):
            changed += found
    if as_json:
        facts = [{"id": each.case.id, "verbs": each.verbs} for each in changed]
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    for each in changed:
        click.echo(f"{each.case.id}  {', '.join(each.verbs)}  {each.case.title}")
    click.echo(f"{len(changed)} 件案件 cases")


@cases.command()
@click.option("--check", "file", type=click.File(encoding="utf-8"), help="check this file, take nothing over")
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def workflows(file: Any, *, as_json: bool) -> None:
    """List the workflows: who takes a case from where to where; or check a file of one's own."""
    found = [load_workflow(file.read(), file.name)] if file else list(config().workflows.values())
    if as_json:
        facts = [
            {"name": w.name, "title": w.title, "title_en": w.title_en, "moves": msgspec.to_builtins(w.moves)}
            for w in found
        ]
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    for workflow in found:
        click.echo(f"{workflow.name}  {workflow.title} {workflow.title_en}")
        for move in workflow.moves.values():
            to = move.to or "·"
            click.echo(
                f"  {move.verb:<22}{', '.join(move.from_)} → {to}  [{', '.join(move.roles)}]  {move.label}"
            )


for _command in (*COMMANDS, import_standards, standards, evaluate, measures):
    cases.add_command(_command)


def _line(entry: Entry) -> str:
    moved = entry.to_state
    if entry.from_state != entry.to_state:
        moved = f"{entry.from_state or '·'} → {entry.to_state}"
    given = "".join(f" · {name} {value}" for name, value in entry.given.items())
    who = f"{local(entry.at_ms):%m-%d %H:%M:%S}  {entry.by} ({entry.role})"
    return f"{who}  {entry.verb}  {moved}{f': {entry.why}' if entry.why else ''}{given}"


def _show(view: CaseView) -> None:
    case = view.case
    click.echo(f"{case.id}  {case.title}  [{view.workflow_title}]")
    click.echo(f"状态 state      {view.label} {case.state}（{view.meaning}）")
    facts = {
        "类别 category": view.category_name,
        "地点 place": case.place,
        "来源 source": f"{case.source} {case.reporter} · {case.citizens} 人上报 reports",
        "标准 standard": f"{case.standard.code} {case.standard.name}: {case.standard.filing}"
        if case.standard
        else "",
        "部门 department": case.department,
        "处置人 person": case.person,
        "受理人 receiver": case.receiver,
        "结案人 closer": case.closer,
        "说明": case.description,
    }
    for name, value in facts.items():
        if value:
            click.echo(f"{name}  {value}")
    for alert in view.alerts:
        state = "活动 active" if alert.active else f"已恢复 cleared {local(alert.cleared_ms):%m-%d %H:%M}"
        click.echo(f"告警 alert  {alert.id[:12]} {alert.title}: {state}")
    for each in case.evidence:
        click.echo(f"证据 evidence  {each.what} {each.reference} {each.by}")
    Console().print(clocks_table(view))
    for move in view.allowed:
        needs = f" (需 needs {', '.join(move.needs)})" if move.needs else ""
        may = f"暂不可 not now: {move.hindrance}" if move.hindrance else f"{move.label_en}{needs}"
        click.echo(f"可 may  {move.verb}  {move.label} {may}")
