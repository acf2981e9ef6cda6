"""The on-call file (TOML) to values, or a refusal that names the field, what it holds and what is allowed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import apprise
import msgspec

from operations.oncall.model import OnCall, Person, Route, Step
from schemas.alerts import Severity
from schemas.errors import SettingsError, received_allowed

__all__ = ["load_oncall", "parse_oncall"]


class _StepForm(msgspec.Struct, forbid_unknown_fields=True):
    people: list[str]
    after_s: int = 0


class _RouteForm(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    steps: list[_StepForm]
    severity: Severity = "low"
    domain: str = ""
    rule: str = ""
    place: str = ""


class _Form(msgspec.Struct, forbid_unknown_fields=True):
    people: dict[str, list[str]]
    routes: list[_RouteForm]
    groups: dict[str, list[str]] = {}
    too_old_s: int = 3600


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
    routes = tuple(_route(each, form, people) for each in form.routes)
    return OnCall(people, routes, form.too_old_s)


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


def _route(form: _RouteForm, file: _Form, people: dict[str, Person]) -> Route:
    steps: list[Step] = []
    for number, step in enumerate(form.steps):
        where = f"routes.{form.name}.steps[{number}]"
        names = [name for each in step.people for name in file.groups.get(each, [each])]
        for name in names:
            if name not in people:
                raise SettingsError(received_allowed(where, name, [*people, *file.groups]))
        if step.after_s < 0 or (steps and step.after_s <= steps[-1].after_s):
            raise SettingsError(
                f"{where}.after_s: received {step.after_s}, allowed: more than the step before"
            )
        steps.append(Step(step.after_s, tuple(dict.fromkeys(names))))
    if not steps:
        raise SettingsError(f"routes.{form.name}: received no step, allowed: one or more")
    return Route(form.name, tuple(steps), form.severity, form.domain, form.rule, form.place)
