"""`taishi rules`: what raises an alert, as data."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.table import Table

from pipelines.io.rule_file import SHIPPED_RULES, read_rules
from pipelines.kernels.rules.model import Rule, RuleSet, Spans, history_minutes
from pipelines.kernels.rules.words import delays, describe
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
def check(file: Path | None) -> None:
    """Check FILE, or the rule file in force; every problem is named with its line and what is allowed."""
    click.echo(summary(read_rules(file or rules_path(load_settings()))))


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
