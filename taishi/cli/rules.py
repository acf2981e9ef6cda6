"""`taishi rules`: what raises an alert, as data."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from operations.alerts.kpis import LIMITS
from operations.alerts.load import DAY_MS
from operations.oncall.clock import now_ms
from pipelines.io.rule_file import SHIPPED_RULES, read_rules
from pipelines.kernels.rules.model import Rule, RuleSet, Spans, history_minutes
from pipelines.kernels.rules.words import delays, describe
from pipelines.kernels.watch.situations import SituationsSettings
from schemas.errors import SettingsError
from taishi.alerts.read import read_alerts
from taishi.kafka import kafka_of
from taishi.rules_history import Budget, budget, judge_log, told
from taishi.settings import Settings, load_settings

__all__ = ["rules", "rules_path", "summary"]


@click.group()
def rules() -> None:
    """告警规则。What raises an alert: thresholds, rates, absences, counts, combinations (docs/rules.md)."""


def rules_path(settings: Settings) -> Path:
    """The rule file in force: `rules_file`, or the one that comes with the product."""
    return settings.rules_file or SHIPPED_RULES


@rules.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable.")
def list_(*, as_json: bool) -> None:
    """List the rules in force."""
    found = read_rules(rules_path(load_settings()))
    if as_json:
        click.echo(json.dumps([_row(rule) for rule in found.rules], ensure_ascii=False, indent=2))
        return
    Console().print(_table(found))
    click.echo(summary(found))


@rules.command()
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--history", "days", type=click.FloatRange(0.01), help="judge the log's last so many days by it as well"
)
@click.option("--operators", default=1, show_default=True, type=click.IntRange(1), help="who share the load")
@click.option("--json", "as_json", is_flag=True, help="With --history: the load as a JSON object.")
def check(file: Path | None, days: float | None, operators: int, *, as_json: bool) -> None:
    """Check FILE, or the rule file in force; every problem is named with its line and what is allowed.

    With --history the alarm budget too: what it would have told the operators; ends with 1 above it.
    """
    settings = load_settings()
    found = read_rules(file or rules_path(settings))
    if not as_json:
        click.echo(summary(found))
    if days is not None:
        _check_history(settings, found, (days, operators), as_json=as_json)


def _check_history(settings: Settings, rules: RuleSet, asked: tuple[float, int], *, as_json: bool) -> None:
    until_ms = now_ms()
    since_ms = until_ms - int(asked[0] * DAY_MS)
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("回放 judging the log", total=None)
        judged, began_ms = judge_log(
            kafka_of(settings),
            rules,
            SituationsSettings(),
            lambda done, total: bar.update(task, completed=done, total=total),
        )
    if began_ms > since_ms or not began_ms:
        held = (until_ms - began_ms) / DAY_MS if began_ms else 0.0
        click.echo(f"日志仅有 {held:.2f} 天 the log holds {held:.2f} of {asked[0]:g} days", err=True)
        since_ms = max(since_ms, began_ms or until_ms)
    load = budget(told(judged, read_alerts(kafka_of(settings)), since_ms), since_ms, until_ms, asked[1])
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(load) | {"kept": load.kept}, ensure_ascii=False, indent=2))
    else:
        _print_load(load)
    if not load.kept:
        raise SettingsError(
            f"alarm budget: received {load.a_day:.1f} a day and {load.most_in_ten_min:.1f} in ten minutes an "
            f"operator, allowed: {LIMITS['K1'].acceptable:g} and {LIMITS['K6'].acceptable:g}"
        )


def _print_load(load: Budget) -> None:
    table = Table(title=f"{load.days:g} 天 days，{load.operators} 人 operators，{load.alerts} 条 alerts")
    for column in ("指标 figure", "实际 is", "预算 allowed"):
        table.add_column(column)
    table.add_row("每人每日 an operator and day", f"{load.a_day:.1f}", f"{LIMITS['K1'].acceptable:g}")
    table.add_row("每 10 分钟 per 10 min", f"{load.per_ten_min:.2f}", f"{LIMITS['K3'].acceptable:g}")
    table.add_row("10 分钟最多 most in 10 min", f"{load.most_in_ten_min:.1f}", f"{LIMITS['K6'].acceptable:g}")
    table.add_row("超 10 条占比 10 min with more than 10", f"{load.over_ten_share:.1%}", "1%")
    table.add_row("前十来源占比 share of the top 10", f"{load.top_share:.1%}", "")
    Console().print(table)
    for source, count in load.top:
        click.echo(f"{count:>6}  {source}")


def summary(found: RuleSet) -> str:
    """What is in force, in three lines."""
    domains = Counter(rule.domain for rule in found.rules)
    severities = Counter(rule.severity for rule in found.rules)
    quiet = sum(rule.quiet for rule in found.rules)
    off = f"，停用 {len(found.disabled)} disabled: {', '.join(found.disabled)}" if found.disabled else ""
    counted = f"{_counted(domains)}；{_counted(severities)}"
    return (
        f"规则有效 well: {found.source}\n"
        f"{len(found.rules)} 条规则 rules（仅用于组合 for combinations only {quiet}）{off}；{counted}\n"
        f"回看 looks back: {history_minutes(found)} 分钟 min"
    )


def _counted(counts: Counter[Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _table(found: RuleSet) -> Table:
    table = Table()
    for column in ("规则 rule", "级别 severity", "层级 level", "条件 condition", "延时 delays", "时段 when"):
        table.add_column(column, overflow="fold")
    for rule in found.rules:
        name = f"{rule.name}\n{rule.title}" + ("（仅用于组合 quiet）" if rule.quiet else "")
        held = "\n".join(delays(rule)).strip()
        what = "\n".join(dict.fromkeys(describe(rule)))
        table.add_row(
            name, f"{rule.severity}\n{rule.domain}", "\n".join(rule.levels), what, held, _when(rule)
        )
    return table


def _when(rule: Rule) -> str:
    return "\n".join((rule.when, *_spans(rule.hours)))


def _spans(spans: Spans) -> list[str]:
    return ["{:02}:{:02}-{:02}:{:02}".format(*divmod(a, 60), *divmod(b, 60)) for a, b in spans]


def _row(rule: Rule) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(rule)
    return row | {"hours": _spans(rule.hours), "working_hours": _spans(rule.working_hours),
                  "condition": describe(rule)}  # fmt: skip
