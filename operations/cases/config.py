"""What a city sets for its cases: hours, days, labels, units, categories, duplicates (`cases_file`, TOML)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

import msgspec

from operations.cases.clocks import DayEnd, WorkingTime
from operations.cases.codes import STATES, StateCode
from operations.cases.limits import Unit, parse_words
from operations.cases.measures import MEASURES
from operations.cases.workflow import Workflow
from operations.cases.workflows import load_workflows
from operations.oncall.hours import parse_spans
from schemas.alerts import Alert
from schemas.errors import SettingsError, received_allowed

__all__ = ["OTHER", "CaseConfig", "Category", "load_config", "shipped_config"]

OTHER: Final = "other"
"""The category of what belongs to no other."""


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a case may be about. `rules`: alerts whose rule begins so; `auto`: those open a case by rule."""

    code: str
    name: str
    workflow: str
    rules: tuple[str, ...] = ()
    auto: bool = False
    duplicate_radius_m: float | None = None
    duplicate_within_h: float | None = None


class _Form(msgspec.Struct, forbid_unknown_fields=True):
    working_hours: tuple[str, ...]
    working_day: DayEnd
    warn_share: float
    duplicate_radius_m: float
    duplicate_within_h: float
    labels: dict[StateCode, str]
    units: dict[str, str]
    denominators: dict[str, str]
    score: dict[str, float]
    categories: tuple[Category, ...]


@dataclass(frozen=True, slots=True)
class CaseConfig:
    """Everything a city sets, checked."""

    time: WorkingTime
    warn_share: float
    duplicate_radius_m: float
    duplicate_within_h: float
    labels: dict[StateCode, str]
    units: dict[str, Unit]
    denominators: dict[str, str]
    score: dict[str, float]
    categories: dict[str, Category]
    workflows: dict[str, Workflow]

    def category_of(self, alert: Alert) -> Category:
        """Of the categories whose rules begin the alert's, the one that names most of it; else `other`."""
        rule = alert.cause or alert.rule
        found = [(len(r), c.code) for c in self.categories.values() for r in c.rules if rule.startswith(r)]
        return self.categories[max(found)[1] if found else OTHER]

    def label(self, state: StateCode, workflow: str = "") -> str:
        """What the city calls a state, in a workflow where that has a name of its own for it."""
        of_workflow = self.workflows[workflow].labels.get(state) if workflow in self.workflows else None
        return of_workflow or self.labels.get(state) or STATES[state].label

    def tooltip(self, state: StateCode) -> str:
        """What the state means, whatever it is called."""
        return STATES[state].meaning


def shipped_config() -> CaseConfig:
    """As it comes with Taishi."""
    return load_config(None, None)


def load_config(path: Path | None, workflows_folder: Path | None) -> CaseConfig:
    """Read and check; SettingsError says what to change."""
    shipped = tomllib.loads(resources.files("operations.cases").joinpath("cases.toml").read_text("utf-8"))
    workflows = load_workflows(workflows_folder)
    if path is None:
        return _config(shipped, workflows)
    try:
        given = tomllib.loads(path.read_text("utf-8"))
        return _config(shipped | given, workflows)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, SettingsError) as error:
        raise SettingsError(f"cases_file {path}: {error}") from error


def _config(given: Mapping[str, Any], workflows: dict[str, Workflow]) -> CaseConfig:
    try:
        form = msgspec.convert(given, _Form)
    except msgspec.ValidationError as error:
        raise SettingsError(str(error)) from error
    _check(form, workflows)
    hours = parse_spans("working_hours", form.working_hours)
    return CaseConfig(
        WorkingTime(hours, form.working_day),
        form.warn_share,
        form.duplicate_radius_m,
        form.duplicate_within_h,
        form.labels,
        parse_words(form.units),
        form.denominators,
        form.score,
        {each.code: each for each in form.categories},
        workflows,
    )


def _check(form: _Form, workflows: dict[str, Workflow]) -> None:
    """What the form alone does not know."""
    if not form.working_hours:
        raise SettingsError("working_hours: received none, allowed: one span or more, such as 08:00-12:00")
    if not 0 < form.warn_share < 1:
        raise SettingsError(f"warn_share: received {form.warn_share}, allowed: between 0 and 1")
    categories = {each.code: each for each in form.categories}
    if len(categories) != len(form.categories) or OTHER not in categories:
        codes = [each.code for each in form.categories]
        raise SettingsError(f"categories: received {codes}, allowed: each code once, and {OTHER!r}")
    for each in form.categories:
        if each.workflow not in workflows:
            where = f"categories.{each.code}.workflow"
            raise SettingsError(received_allowed(where, each.workflow, workflows))
    _check_measures(form)


def _check_measures(form: _Form) -> None:
    for name, among in form.denominators.items():
        if name not in MEASURES or among not in MEASURES[name].sets:
            allowed = MEASURES[name].sets if name in MEASURES else MEASURES
            raise SettingsError(received_allowed("denominators", f"{name} = {among}", allowed))
    for name in form.score:
        if name not in MEASURES:
            raise SettingsError(received_allowed("score", name, MEASURES))
