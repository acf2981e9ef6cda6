"""`taishi alerts kpis`: the alarm load of each console and shift, with a verdict."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime

import click
from rich.console import Console

from operations.alerts.kpis import Facts, reports
from operations.alerts.load import DAY_MS, Period
from operations.alerts.states import hides
from operations.oncall.clock import now_ms
from operations.oncall.load import load_oncall
from operations.oncall.model import OnCall
from taishi.alerts.desk import opened
from taishi.alerts.tables import kpi_table
from taishi.quarantine.records import parse_since
from taishi.settings import load_settings

__all__ = ["kpis"]


@click.command()
@click.option("--since", default="7d", help="over which time: 24h, 7d or an ISO 8601 moment")
@click.option("--console", default="", help="only this console (person)")
@click.option("--shifts", is_flag=True, help="also each shift by itself")
@click.option("--json", "as_json", is_flag=True, help="a JSON object; always with shifts")
def kpis(*, since: str, console: str, shifts: bool, as_json: bool) -> None:
    """Show the alarm load by ISA-18.2 and IEC 62682: K1 to K12 of each console."""
    file = load_settings().oncall_file
    oncall = load_oncall(file) if file else OnCall({}, ())
    facts, hidden = _facts(parse_since(since, datetime.now(UTC)), oncall)
    found = [r for r in reports(facts, oncall.people) if console in {"", r.console}]
    if as_json:
        period = {"since_ms": facts.period.start_ms, "until_ms": facts.period.end_ms}
        said = period | {"hidden": hidden, "reports": [dataclasses.asdict(each) for each in found]}
        click.echo(json.dumps(said, ensure_ascii=False, indent=2))
        return
    for report in found:
        if shifts or not report.shift:
            Console().print(kpi_table(report))
            click.echo()
    click.echo(f"另有 {hidden} 条隐藏，不计入 hidden now, not counted")


def _facts(since_ms: int, oncall: OnCall) -> tuple[Facts, int]:
    """What the figures are made of, and how many alerts on the list are hidden now."""
    at_ms = now_ms()
    with opened() as desk:
        alerts, parents, hidings = desk.alerts(since_ms), desk.parents(), desk.hidings(at_ms)
        annunciations = desk.annunciated(since_ms - DAY_MS)
        actions = desk.actions_since(since_ms)
    hidden = {a.id for a in alerts if (a.active or a.latched) and hides(a, hidings, parents, at_ms)}
    facts = Facts(
        Period(since_ms, at_ms),
        annunciations,
        [alert for alert in alerts if alert.id not in hidden],
        actions,
        oncall.flood,
        oncall.shifts,
        oncall.max_shelve_s,
    )
    return facts, len(hidden)
