"""The on-call file (TOML) to values, or a refusal that names the field, what it holds and what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import apprise
import msgspec

from operations.alerts.refusals import MAX_SHELVE_S
from operations.handover.model import HandoverRules
from operations.oncall.flood import FloodLimits
from operations.oncall.hours import SHIFTS, WORKING_HOURS, When, parse_spans
from operations.oncall.model import OnCall, Person, Route, Step
from schemas.alerts import Level, Severity
from schemas.errors import SettingsError, received_allowed
from schemas.outbound import refuse_link_local

__all__ = ["load_oncall", "parse_oncall"]

_REPEAT_MAX: Final = 100
_DAY_S: Final = 86_400


class _StepForm(msgspec.Struct, forbid_unknown_fields=True):
    people: list[str]
    after_s: int = 0
    repeat_s: int = 0
    repeat_max: int = 0


class _RouteForm(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    steps: list[_StepForm]
    severity: Severity = "low"
    domain: str = ""
    rule: str = ""
    place: str = ""
    level: Level | None = None
    when: When = "always"


class _HandoverForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    unsigned_s: int = 900
    soon_overdue_s: int = 7200
    escalate_to: tuple[str, ...] = ()


class _Form(msgspec.Struct, forbid_unknown_fields=True):
    people: dict[str, list[str]]
    routes: list[_RouteForm]
    groups: dict[str, list[str]] = {}
    posts: dict[str, list[str]] = {}
    handover: _HandoverForm = _HandoverForm()
    too_old_s: int = 3600
    working_hours: tuple[str, ...] = tuple(map(str, WORKING_HOURS))
    shifts: tuple[str, ...] = tuple(map(str, SHIFTS))
    flood_start: int = 10
    flood_end: int = 5
    max_shelve_s: int = MAX_SHELVE_S


def load_oncall(path: Path) -> OnCall:
    """Read and check the file; SettingsError says what to change."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"oncall_file {path}: {error}") from error
    try:
        return parse_oncall(given)
    except SettingsError as error:
        raise SettingsError(f"oncall_file {path}: {error}") from error


def parse_oncall(given: dict[str, Any]) -> OnCall:
    """Values of what the file says; groups are replaced by their people."""
    try:
        form = msgspec.convert(given, _Form)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error)) from error
    for name, channels in form.people.items():
        _check_channels(name, channels)
    people = {name: Person(name, tuple(channels)) for name, channels in form.people.items()}
    posts = {name: _post(name, given, form) for name, given in form.posts.items()}
    if not 0 < form.flood_end <= form.flood_start:
        raise SettingsError(f"flood_end: received {form.flood_end}, allowed: 1 to flood_start")
    return OnCall(
        people,
        tuple(_route(each, form) for each in form.routes),
        form.too_old_s,
        parse_spans("working_hours", form.working_hours),
        parse_spans("shifts", form.shifts, whole_day=True),
        FloodLimits(form.flood_start, form.flood_end),
        form.max_shelve_s,
        posts,
        _handover(form),
    )


def _post(name: str, given: list[str], form: _Form) -> tuple[str, ...]:
    if name in form.people or name in form.groups or not given:
        raise SettingsError(
            f"posts.{name}: received {given}, allowed: a name of its own, with one person or more"
        )
    return _names(f"posts.{name}", given, form)


def _handover(form: _Form) -> HandoverRules:
    rules = form.handover
    for name in ("unsigned_s", "soon_overdue_s"):
        if not 0 < getattr(rules, name) <= _DAY_S:
            raise SettingsError(f"handover.{name}: received {getattr(rules, name)}, allowed: 1 to {_DAY_S}")
    told = HandoverRules(
        unsigned_s=rules.unsigned_s,
        soon_overdue_s=rules.soon_overdue_s,
        escalate_to=_names("handover.escalate_to", rules.escalate_to, form),
    )
    return replace(told, posts=tuple(form.posts)) if form.posts else told


def _names(where: str, given: Iterable[str], file: _Form) -> tuple[str, ...]:
    """Each once, groups replaced by their people; SettingsError names one that is not known."""
    names = [name for each in given for name in file.groups.get(each, [each])]
    for name in names:
        if name not in file.people:
            raise SettingsError(received_allowed(where, name, [*file.people, *file.groups]))
    return tuple(dict.fromkeys(names))


def _check_channels(name: str, channels: list[str]) -> None:
    if not channels:
        raise SettingsError(f"people.{name}: received no channel, allowed: one or more Apprise URLs")
    for number, url in enumerate(channels):
        if apprise.Apprise.instantiate(url, suppress_exceptions=True) is None:
            # Without the URL: it holds tokens and telephone numbers.
            scheme = url.partition(":")[0][:20]
            raise SettingsError(
                f"people.{name}[{number}]: received a {scheme!r} address that is none, allowed: Apprise "
                "URLs, such as wecombot://key, dingtalk://token, feishu://token, jsons://host/path, "
                "mailto://user:password@host"
            )
        refuse_link_local(f"people.{name}[{number}]", urlsplit(url).hostname or "")


def _route(form: _RouteForm, file: _Form) -> Route:
    steps: list[Step] = []
    for number, step in enumerate(form.steps):
        where = f"routes.{form.name}.steps[{number}]"
        if step.after_s < 0 or (steps and step.after_s <= steps[-1].after_s):
            raise SettingsError(
                f"{where}.after_s: received {step.after_s}, allowed: more than the step before"
            )
        steps.append(_step(where, step, file))
    if not steps:
        raise SettingsError(f"routes.{form.name}: received no step, allowed: one or more")
    what = (form.severity, form.domain, form.rule, form.place, form.level or "", form.when)
    return Route(form.name, tuple(steps), *what)


def _step(where: str, form: _StepForm, file: _Form) -> Step:
    names = [name for each in form.people for name in file.groups.get(each, [each])]
    for name in names:
        if name not in file.people and name not in file.posts:
            raise SettingsError(received_allowed(where, name, [*file.people, *file.groups, *file.posts]))
    if not 0 <= form.repeat_max <= _REPEAT_MAX or (form.repeat_max > 0) != (form.repeat_s > 0):
        raise SettingsError(
            f"{where}: received repeat_s {form.repeat_s} and repeat_max {form.repeat_max}, allowed: both, "
            f"with repeat_max up to {_REPEAT_MAX}, or none"
        )
    return Step(form.after_s, tuple(dict.fromkeys(names)), form.repeat_s, form.repeat_max)
