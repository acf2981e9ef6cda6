"""The evaluation of cases on the command line: rates with their definition, and the cases behind each."""

from __future__ import annotations

import json
from typing import Any

import click
import msgspec
from rich.console import Console

from operations.cases.evaluate import CUTS, Comparison, Cut, scores, to_csv
from operations.cases.measures import MEASURES, SETS
from operations.cases.periods import Period, parse_period
from operations.oncall.clock import now_ms
from schemas.calendar import local
from schemas.errors import SettingsError, received_allowed
from taishi.cases.desk import config, opened
from taishi.cases.tables import evaluation_table
from taishi.places import load_registry
from taishi.settings import load_settings

__all__ = ["evaluate", "measures"]


@click.command()
@click.option(
    "--period", "text", default="", help="2026, 2026Q4, 2026-11, 2026-W47, 2026-11-16, DAY..DAY; this month"
)
@click.option("--by", "cut", type=click.Choice(CUTS), default="total", show_default=True, help="one row each")
@click.option(
    "--measure", "wanted", multiple=True, type=click.Choice(list(MEASURES)), help="only this; may be repeated"
)
@click.option("--of", "value", help="only this value of the cut: a code, a department, a name")
@click.option("--cases", "drill", is_flag=True, help="the cases behind each figure, by id")
@click.option("--csv", "as_csv", is_flag=True, help="CSV, with the definition of each figure")
@click.option("--json", "as_json", is_flag=True, help="one JSON object, with the cases behind each figure")
def evaluate(  # noqa: PLR0913 - the options of the command
    text: str,
    cut: Cut,
    *,
    wanted: tuple[str, ...],
    value: str | None,
    drill: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Rates of a period by place, department, person or class, beside the period before and a year ago.

    \b
    taishi cases evaluate --period 2026-11 --by street
    taishi cases evaluate --period 2026-11 --by department --of 市政公司 --measure handled_in_time --cases
    """  # noqa: D301 - \b is click's mark for lines that stay lines
    period = parse_period(text or f"{local(now_ms()):%Y-%m}")
    with opened() as book:
        found = book.compared(period, cut, now_ms())
        weights = book.config.score
    found = [each for each in found if _is_wanted(each, wanted, value)]
    names = _names(cut)
    if as_csv:
        click.echo(to_csv(found, period, names), nl=False)
    elif as_json:
        points = scores((each.figure for each in found), weights) if not wanted else {}
        click.echo(json.dumps(_facts(found, period, cut, points, names), ensure_ascii=False, indent=2))
    elif drill:
        _drill(found, names)
    else:
        Console().print(evaluation_table(found, names))
        click.echo(f"{period} · {cut}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="a JSON array")
def measures(*, as_json: bool) -> None:
    """List the measures: what each is, and what it may be a share of (`denominators` in cases_file)."""
    chosen = config().denominators
    facts: list[dict[str, Any]] = [
        {
            "measure": name,
            "chinese": each.chinese,
            "english": each.english,
            "of": each.words,
            "among": chosen.get(name, each.sets[0]),
            "choices": {choice: SETS[choice].words for choice in each.sets},
            "exempt_left_out": each.timed,
        }
        for name, each in MEASURES.items()
    ]
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    for fact in facts:
        click.echo(f"{fact['measure']}  {fact['chinese']} {fact['english']}")
        click.echo(f"    {fact['of']} ÷ {fact['choices'][fact['among']]}")
        for choice, words in fact["choices"].items():
            click.echo(f"      {'*' if choice == fact['among'] else ' '} {choice}: {words}")


def _is_wanted(each: Comparison, wanted: tuple[str, ...], value: str | None) -> bool:
    return (not wanted or each.figure.measure in wanted) and value in {None, each.figure.of}


def _names(cut: Cut) -> dict[str, str]:
    none = {} if cut == "total" else {"": "（无）none"}
    if cut not in {"grid", "community", "street"}:
        return none
    return none | {place.code: place.name for place in load_registry(load_settings()).at(cut)}


def _facts(
    found: list[Comparison], period: Period, cut: Cut, points: dict[str, float | None], names: dict[str, str]
) -> dict[str, Any]:
    return {
        "period": str(period),
        "by": cut,
        "scores": points,
        "figures": [
            msgspec.to_builtins(each.figure)
            | {
                "chinese": MEASURES[each.figure.measure].chinese,
                "name": names.get(each.figure.of, ""),
                "rate": each.figure.rate,
                "before": each.before,
                "last_year": each.last_year,
            }
            for each in found
        ],
    }


def _drill(found: list[Comparison], names: dict[str, str]) -> None:
    if not found:
        raise SettingsError(received_allowed("--of", "a value without figures", ["one that the table shows"]))
    for each in found:
        figure = each.figure
        click.echo(
            f"{MEASURES[figure.measure].chinese} {names.get(figure.of) or figure.of}  {figure.definition}"
        )
        for case_id in figure.among:
            click.echo(f"  {'是 yes' if case_id in figure.yes else '否 no '}  {case_id}")
        for case_id in figure.exempt:
            click.echo(f"  免 exempt  {case_id}（申诉成立，曾超时 appeal granted, was overdue）")
