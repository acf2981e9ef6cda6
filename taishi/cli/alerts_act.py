"""What a person does with alerts on the command line: one command an action, each with who and why."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import click

from operations.alerts.actions import Action, ActionKind, Target, action_id
from operations.alerts.refusals import MAX_SHELVE_S
from operations.alerts.view import left, said
from operations.oncall.clock import now_ms
from operations.oncall.load import load_oncall
from operations.oncall.store import Store
from schemas.errors import SettingsError
from taishi.alerts.desk import one, opened
from taishi.quarantine.records import parse_since
from taishi.settings import load_settings

__all__ = ["COMMANDS"]

_Command = Callable[..., None]
_SPAN: Final = re.compile(r"(\d{1,6})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DONE: Final[dict[ActionKind, str]] = {
    "acknowledge": "已确认 acknowledged",
    "comment": "已备注 commented",
    "reset": "已复位 reset",
    "shelve": "已搁置 shelved",
    "shelve_once": "已一次性搁置 shelved once",
    "unshelve": "已取消搁置 unshelved",
    "suppress": "已抑制 suppressed",
    "unsuppress": "已解除抑制 no longer suppressed",
    "out_of_service": "已停用 out of service",
    "in_service": "已恢复使用 in service",
}


def _common(command: _Command) -> _Command:
    """Options of every action."""
    options = (
        click.option("--by", required=True, help="who does it, by name"),
        click.option("--key", default="", help="identity: the same one again changes nothing", metavar="KEY"),
        click.option("--json", "as_json", is_flag=True, help="one JSON object: the action as it is written"),
    )
    return functools.reduce(lambda made, option: option(made), reversed(options), command)


_SECOND: Final = click.option("--second", default="", help="a second name, needed for life safety")
_WHY: Final = click.option("--why", default="", help="the reason, in words")
_FOR: Final = click.option("--for", "lasting", default="", help="how long: 30m, 2h", metavar="SPAN")
_UNTIL: Final = click.option("--until", default="", help="until when, ISO 8601", metavar="MOMENT")


def _scope(command: _Command) -> _Command:
    """Options that name a device, or a rule in a place."""
    options = (
        click.option("--device", default="", help="all alerts of this device"),
        click.option("--rule", default="", help="rules whose name begins so"),
        click.option("--place", default="", help="this place and all within it, by code"),
    )
    return functools.reduce(lambda made, option: option(made), reversed(options), command)


@click.command()
@click.argument("id_", metavar="ID")
@_WHY
@_common
def ack(id_: str, *, why: str, **who: Any) -> None:
    """Acknowledge an alert: escalation ends. The first one counts; a second is told by whom."""
    _do("acknowledge", id_, why=why, **who)


@click.command()
@click.argument("id_", metavar="ID")
@click.argument("text")
@_common
def comment(id_: str, text: str, **who: Any) -> None:
    """Write a note into the history of an alert."""
    _do("comment", id_, why=text, **who)


@click.command()
@click.argument("id_", metavar="ID")
@_WHY
@_common
def reset(id_: str, *, why: str, **who: Any) -> None:
    """Take a latched alert off the list: its condition is over, and somebody saw it."""
    _do("reset", id_, why=why, **who)


@click.command()
@click.argument("id_", metavar="ID")
@click.option("--once", is_flag=True, help="until it returns to normal, at most the longest shelving")
@_FOR
@_UNTIL
@click.option("--why", required=True, help="the reason, in words")
@_SECOND
@_common
def shelve(id_: str, *, once: bool, lasting: str, until: str, **who: Any) -> None:
    """Shelve an alarm for a while: this alert and its next occurrences ring nobody and leave the list."""
    at_ms, max_s = now_ms(), _max_shelve_s()
    until_ms = _until_ms(lasting, until, at_ms)
    if once:
        _do("shelve_once", id_, at_ms=at_ms, until_ms=until_ms or at_ms + max_s * 1000, max_s=max_s, **who)
    else:
        _do("shelve", id_, at_ms=at_ms, until_ms=until_ms, max_s=max_s, **who)


@click.command()
@click.argument("id_", metavar="ID")
@_WHY
@_common
def unshelve(id_: str, *, why: str, **who: Any) -> None:
    """End a shelving now; what is still active and not acknowledged rings."""
    _do("unshelve", id_, why=why, **who)


@click.command()
@click.argument("id_", metavar="[ID]", default="")
@_scope
@click.option("--logic", required=True, help="the logic, written down: what makes these alerts needless")
@_FOR
@_UNTIL
@_SECOND
@_common
def suppress(id_: str, *, logic: str, lasting: str, until: str, **who: Any) -> None:
    """Suppress by design: one alert, or a rule in a place, until a moment or until it is ended."""
    at_ms = now_ms()
    _do("suppress", id_, why=logic, at_ms=at_ms, until_ms=_until_ms(lasting, until, at_ms), **who)


@click.command()
@click.argument("id_", metavar="[ID]", default="")
@_scope
@_WHY
@_common
def unsuppress(id_: str, *, why: str, **who: Any) -> None:
    """End a suppression: name what was named when it began."""
    _do("unsuppress", id_, why=why, **who)


@click.command("out-of-service")
@_scope
@click.option("--why", required=True, help="what is broken, and the ticket")
@_SECOND
@_common
def out_of_service(**who: Any) -> None:
    """Take a device, or a rule in a place, out of service until somebody puts it back."""
    _do("out_of_service", "", **who)


@click.command("in-service")
@_scope
@_WHY
@_common
def in_service(**who: Any) -> None:
    """Put it back into service: name what was named when it was taken out."""
    _do("in_service", "", **who)


COMMANDS: Final = (ack, shelve, unshelve, reset, suppress, unsuppress, out_of_service, in_service, comment)


def _do(  # noqa: PLR0913 - the fields of an action
    kind: ActionKind,
    id_: str,
    *,
    by: str,
    why: str,
    key: str,
    as_json: bool,
    second: str = "",
    at_ms: int = 0,
    until_ms: int = 0,
    max_s: int = MAX_SHELVE_S,
    **scope: str,
) -> None:
    at_ms = at_ms or now_ms()
    with opened() as desk:
        target = _target(desk, id_, scope)
        action = Action(
            id=key or action_id(kind, target, by, at_ms),
            kind=kind,
            target=target,
            by=by,
            at_ms=at_ms,
            why=why,
            second=second,
            until_ms=until_ms,
        )
        written = desk.act(action, at_ms, max_s)
    if as_json:
        click.echo(json.dumps(said(written), ensure_ascii=False, indent=2))
        return
    what = written.target.alert_id or written.target.words()
    ends = kind in {"shelve", "shelve_once", "suppress"} and written.until_ms
    rest = f"，剩 {left(written.until_ms, at_ms)} left" if ends else ""
    click.echo(f"{what}: {_DONE[written.kind]} by {written.by}{rest}")
    if kind in {"suppress", "out_of_service"} and not written.target.alert_id and not second:
        click.echo("生命安全告警仍会通知 life safety still rings: that takes two people (--second)")


def _target(desk: Store, id_: str, scope: dict[str, str]) -> Target:
    if id_ and any(scope.values()):
        raise SettingsError("target: received an alert and a scope, allowed: one of them")
    return Target.of(one(desk, id_).alert) if id_ else Target(**scope)


def _until_ms(lasting: str, until: str, at_ms: int) -> int:
    """When it ends; 0 if neither is given."""
    if lasting and until:
        raise SettingsError("--for, --until: received both, allowed: one of them")
    if until:
        return parse_since(until, datetime.now(UTC))
    if not lasting:
        return 0
    found = _SPAN.fullmatch(lasting)
    if found is None:
        raise SettingsError(f"--for: received {lasting!r}, allowed: 45s, 30m, 2h or 1d")
    return at_ms + int(found[1]) * _SECONDS[found[2]] * 1000


def _max_shelve_s() -> int:
    file = load_settings().oncall_file
    return load_oncall(file).max_shelve_s if file else MAX_SHELVE_S
