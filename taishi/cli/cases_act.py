"""What a person does with cases on the command line: open one, move it, claim it."""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import click
import msgspec

from operations.alerts.actions import OUTCOMES
from operations.cases.codes import ROLES, SOURCES
from operations.cases.model import Case, Command, Evidence
from operations.cases.opening import Report
from operations.oncall.clock import now_ms
from operations.store.casebook import CaseBook
from taishi.cases.desk import actor, grid_at, know_alert, one, opened
from taishi.quarantine.records import parse_since

__all__ = ["COMMANDS", "who_options"]

_Command = Callable[..., None]
_HOW: Final = {"opened": "已建案 opened", "attached": "并入 attached to", "known": "已有 known as"}


def who_options(*, required: bool) -> Callable[[_Command], _Command]:
    """Options that say who speaks."""
    role = click.Choice(ROLES)
    options = (
        click.option("--by", required=required, default=None if required else "", help="who, by name"),
        click.option("--as", "roles", multiple=True, required=required, type=role, help="in this role"),
        click.option("--department", default="", help="the department they belong to"),
        click.option("--of-place", "places", multiple=True, metavar="CODE", help="they answer for"),
    )
    return lambda command: functools.reduce(lambda made, option: option(made), reversed(options), command)


def _json(command: _Command) -> _Command:
    return click.option("--json", "as_json", is_flag=True, help="one JSON object: the case as it is then")(
        click.option("--key", default="", help="identity: the same one again changes nothing")(command)
    )


@click.command("open")
@click.option("--alert", default="", help="the alert it is about, by the beginning of its id", metavar="ID")
@click.option(
    "--category", default="other", show_default=True, help="a category, or a class of the standards"
)
@click.option("--workflow", default="", help="the category's, if none is given")
@click.option(
    "--source", type=click.Choice([s for s in SOURCES if s != "alert"]), default="desk", show_default=True
)
@click.option("--place", default="", help="the grid's code", metavar="CODE")
@click.option("--at", default="", help="where it is (WGS-84)", metavar="LON,LAT")
@click.option("--title", default="", help="what it is, in a line")
@click.option("--description", default="", help="what there is to say")
@click.option("--evidence", multiple=True, help="a picture or file; may be repeated", metavar="REFERENCE")
@who_options(required=True)
@_json
def open_(alert: str, *, at: str, evidence: tuple[str, ...], key: str, as_json: bool, **given: Any) -> None:
    """Open a case from an alert in one action, or from what somebody reports.

    What is of one category, grid, distance and time joins the case that is there, and raises its
    citizen count.
    """
    who = actor(*(given.pop(name) for name in ("by", "roles", "department", "places")))
    at_ms = now_ms()
    with opened() as book:
        if alert:
            know_alert(book, alert)
            done = book.open_for_alert(alert, who, at_ms, given["workflow"])
        else:
            given["place"], given["longitude"], given["latitude"] = grid_at(given["place"], at)
            if not given["title"].strip():
                raise click.UsageError("Missing option '--title' (or --alert).")
            shown = tuple(
                Evidence(what="附件", reference=each, by=who.name, at_ms=at_ms) for each in evidence
            )
            report = Report(key=key or uuid.uuid4().hex, reporter=who.name, evidence=shown, **given)
            done = book.open(report, who, at_ms)
    _said(done.case, _HOW[done.how], as_json=as_json, how=done.how)


@click.command()
@click.argument("id_", metavar="ID")
@click.argument("verb")
@click.option("--why", default="", help="the reason, in words")
@click.option(
    "--standard", default="", help="code of the standard it is filed under (taishi cases standards)"
)
@click.option("--to-department", default="", help="the department it goes to")
@click.option("--to", "person", default="", help="the person it goes to: who handles, checks or closes it")
@click.option(
    "--criterion", "criteria", multiple=True, help="a closing criterion that is met; may be repeated"
)
@click.option("--evidence", multiple=True, help="a picture or file; may be repeated", metavar="REFERENCE")
@click.option("--until", default="", help="until when it is parked, ISO 8601", metavar="MOMENT")
@click.option("--result", type=click.Choice(["passed", "failed"]), help="of a field check")
@click.option("--satisfied/--unsatisfied", default=None, help="what the citizen says")
@click.option("--outcome", type=click.Choice(OUTCOMES), help="what the alerts of the case were; to close it")
@click.option("--version", type=int, help="refuse if the case is not at this version any more")
@who_options(required=True)
@_json
def move(id_: str, verb: str, *, version: int | None, as_json: bool, **given: Any) -> None:
    """Do VERB with a case; what is not allowed is refused with the reason and what is.

    \b
    taishi cases move 20261116-000001 file --standard 部件-0114-1 --by 王芳 --as receiver
    taishi cases move 20261116-000001 dispatch --to-department 市政公司 --by 王芳 --as dispatcher
    """  # noqa: D301 - \b is click's mark for lines that stay lines
    command = _command(verb, given)
    with opened() as book:
        case = book.do(one(book, id_), command, now_ms(), version)
        _moved(book, case, verb, as_json=as_json)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--by", required=True, help="the member, by name")
@click.option("--of-place", "places", multiple=True, required=True, metavar="CODE", help="registered in")
@_json
def claim(id_: str, *, by: str, places: tuple[str, ...], key: str, as_json: bool) -> None:
    """Claim a case as a party member (党员领单): the first wins, the others are told."""
    who = actor(by, ["party_member"], "", places)
    with opened() as book:
        case = book.do(one(book, id_), Command(verb="claim", actor=who, key=key), now_ms())
        _moved(book, case, "claim", as_json=as_json)


COMMANDS: Final = (open_, move, claim)


def _command(verb: str, given: dict[str, Any]) -> Command:
    who = actor(*(given.pop(name) for name in ("by", "roles", "department", "places")))
    until = given.pop("until")
    evidence = tuple(Evidence(what="附件", reference=each) for each in given.pop("evidence"))
    return Command(
        verb=verb,
        actor=who,
        department=given.pop("to_department"),
        until_ms=parse_since(until, datetime.now(UTC)) if until else 0,
        evidence=evidence,
        **given,
    )


def _moved(book: CaseBook, case: Case, verb: str, *, as_json: bool) -> None:
    label = book.config.label(case.state, case.workflow)
    _said(case, f"{verb} → {label} {case.state}", as_json=as_json)


def _said(case: Case, words: str, *, as_json: bool, **more: str) -> None:
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(case) | more, ensure_ascii=False, indent=2))
        return
    click.echo(f"{case.id}: {words} · {case.title}")
