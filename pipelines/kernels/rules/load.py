"""The text of a rule file to rules, or a refusal that lists every problem, its line and what is allowed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pipelines.kernels.rules.fields import BOUNDS, CHECKS, KINDS, REQUIRED, NotAllowed, allowed, spans
from pipelines.kernels.rules.figures import figures, known_figures
from pipelines.kernels.rules.model import Rule, RuleSet
from schemas.alerts import LEVELS
from schemas.errors import SettingsError
from schemas.lines import Lines

__all__ = ["Problem", "RulesRefused", "load_rules"]

_WORKING_HOURS: Final = ((480, 720), (840, 1080))
_NAMES: Final = ("name", "title", "title_en", "severity")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to change; `received` None: nothing was given."""

    line: int
    rule: str
    field: str
    received: Any
    allowed: str

    def __str__(self) -> str:
        where = f"rule {self.rule!r}, {self.field}" if self.rule else self.field
        received = "nothing" if self.received is None else repr(self.received)
        return f"{where}: received {received}, allowed: {self.allowed}"


class RulesRefused(SettingsError):  # noqa: N818 - names what was done
    """The file is wrong; `problems` lists all that is, the message too, one a line."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(f"{source}:{problem.line}: {problem}" for problem in self.problems))


@dataclass(slots=True)
class _Given:
    """One rule as it is in the file: its number there, its checked fields, its kind once that is known."""

    number: int
    name: str
    fields: dict[str, Any] = field(default_factory=dict)
    kind: str = ""


def load_rules(text: str, source: str = "rules.toml") -> RuleSet:
    """Read and check a rule file; RulesRefused names file, line, rule, field, what came, what is allowed."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{source}: {error}") from error
    return _Loading(source, Lines.of(text)).rule_set(document)


class _Loading:
    """The problems of one file as they are found."""

    def __init__(self, source: str, lines: Lines) -> None:
        self._source = source
        self._lines = lines
        self._problems: list[Problem] = []

    def rule_set(self, document: Mapping[str, Any]) -> RuleSet:
        """The rules, if no problem is found."""
        office = self._working_hours(document)
        tables = document.get("rules")
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self._problem(-1, "", "rules", tables, "one or more [[rules]] (or rules = [] for none)")
            tables = []
        given = [self._fields(number, table) for number, table in enumerate(tables)]
        self._names(given)
        for each in given:
            self._whole(each)
        for each in given:
            if each.kind == "combination":
                self._combination(each, {other.name: other for other in given})
        if self._problems:
            raise RulesRefused(self._source, self._problems)
        rules = [_rule(each, {other.name: other for other in given}, office) for each in given]
        enabled = [each.fields.get("enabled", True) for each in given]
        return RuleSet(
            tuple(rule for rule, on in zip(rules, enabled, strict=True) if on),
            tuple(rule.name for rule, on in zip(rules, enabled, strict=True) if not on),
            self._source,
        )

    def _problem(self, number: int, rule: str, name: str, received: Any, allowed: str) -> None:
        line = self._lines.line("rules", number, name) if number >= 0 else self._lines.line(name)
        self._problems.append(Problem(line, rule, name, received, allowed))

    def _working_hours(self, document: Mapping[str, Any]) -> tuple[tuple[int, int], ...]:
        for name in document.keys() - {"rules", "working_hours"}:
            self._problem(-1, "", name, document[name], "rules, working_hours")
        if "working_hours" not in document:
            return _WORKING_HOURS
        try:
            return spans(document["working_hours"])
        except NotAllowed as refusal:
            self._problem(-1, "", "working_hours", document["working_hours"], str(refusal))
            return _WORKING_HOURS

    def _fields(self, number: int, table: Mapping[str, Any]) -> _Given:
        """Each field by itself."""
        given = _Given(number, str(table.get("name", f"number {number + 1}")))
        for name, value in table.items():
            if name not in CHECKS:
                self._problem(number, given.name, name, value, ", ".join(CHECKS))
                continue
            try:
                given.fields[name] = CHECKS[name](value)
            except NotAllowed as refusal:
                self._problem(number, given.name, name, value, str(refusal))
                given.fields[name] = None
        return given

    def _names(self, given: list[_Given]) -> None:
        seen: set[str] = set()
        for each in given:
            if each.name in seen:
                self._problem(each.number, each.name, "name", each.name, "a name that no other rule has")
            seen.add(each.name)

    def _whole(self, given: _Given) -> None:
        """The fields together: those the kind needs, those it may have, and its figures."""
        given.kind = kind = _kind(given)
        for name in (*_NAMES, *REQUIRED[kind]):
            if name not in given.fields:
                self._problem(given.number, given.name, name, None, f"{allowed(name)} (every {kind} has one)")
        for name in given.fields.keys() - KINDS[kind]:
            words = f"none: a rule of the kind {kind} may have {', '.join(sorted(KINDS[kind]))}"
            self._problem(given.number, given.name, name, given.fields[name], words)
        bounds = [name for name in BOUNDS[kind] if name in given.fields]
        if BOUNDS[kind] and len(bounds) != 1:
            name = bounds[1] if bounds else BOUNDS[kind][0]
            words = f"exactly one of {', '.join(BOUNDS[kind])}"
            self._problem(given.number, given.name, name, given.fields.get(name), words)
        for name, figure, words in _wrong_figures(given):
            self._problem(given.number, given.name, name, figure, words)

    def _combination(self, given: _Given, others: Mapping[str, _Given]) -> None:
        members = given.fields.get("all_of") or ()
        for name in members:
            simple = [n for n, other in others.items() if other.kind != "combination"]
            enabled = [n for n in simple if others[n].fields.get("enabled", True)]
            if name not in enabled:
                words = f"names of enabled rules that are no combination: {', '.join(enabled)}"
                self._problem(given.number, given.name, "all_of", name, words)
        if any(name not in others or not others[name].fields.get("level") for name in members):
            return  # what is wrong with them has been said
        at_level = given.fields.get("at_level")
        if at_level is None and members and not _common_levels(members, others):
            words = "at_level = a level at or above the members', which have none in common"
            self._problem(given.number, given.name, "at_level", None, words)
        if at_level is not None and not _below(at_level, members, others):
            words = "a level at or above one of each member"
            self._problem(given.number, given.name, "at_level", at_level, words)


def _kind(given: _Given) -> str:
    for kind, signs in (
        ("combination", ("all_of", "within_s", "at_level")),
        ("absence", ("absent_for_s",)),
        ("count", ("count_over_s",)),
        ("rate", ("rise_above", "fall_below", "over_s")),
    ):
        if any(sign in given.fields for sign in signs):
            return kind
    return "threshold"


def _wrong_figures(given: _Given) -> Iterator[tuple[str, str, str]]:
    """(field, figure, what is allowed) of each figure that the domain, or the kind, does not have."""
    domain = given.fields.get("domain")
    if domain is None:
        return
    looked_at = given.fields.get("figure") or ()
    kind = given.kind if len(looked_at) < 2 or given.kind in ("count", "absence") else "sum"
    named = [("figure", figure, kind) for figure in looked_at]
    named += [("per", given.fields["per"], "threshold")] if given.fields.get("per") else []
    named += [("needs", figure, "threshold") for figure, _ in given.fields.get("needs") or ()]
    for name, figure, kind in named:
        allowed = figures(domain, kind)
        if figure not in allowed:
            words = f" (of the kind {kind})" if figure in known_figures(domain) else ""
            yield name, figure, ", ".join(allowed) + words


def _common_levels(members: tuple[str, ...], others: Mapping[str, _Given]) -> tuple[Any, ...]:
    return tuple(level for level in LEVELS if all(level in others[name].fields["level"] for name in members))


def _below(at_level: str, members: tuple[str, ...], others: Mapping[str, _Given]) -> bool:
    known: tuple[str, ...] = LEVELS
    return all(
        any(known.index(level) <= known.index(at_level) for level in others[name].fields["level"])
        for name in members
    )


def _titles(given: _Given) -> tuple[str, str]:
    return given.fields["title"], given.fields["title_en"]


def _rule(given: _Given, others: Mapping[str, _Given], office: tuple[tuple[int, int], ...]) -> Rule:
    """The rule of fields that are all right."""
    held = given.fields
    same = ("name", "title", "title_en", "severity", "on_delay_s", "off_delay_s", "places", "when", "hours")
    values = {name: held[name] for name in (*same, "quiet", "deadband", "needs", "per") if name in held}
    values |= {"kind": given.kind, "domain": held.get("domain"), "levels": held.get("level")}
    if held.get("when") in ("working_hours", "non_working_hours"):
        values["working_hours"] = office
    if given.kind == "combination":
        members = held["all_of"]
        values["domain"] = held.get("domain", others[members[0]].fields["domain"])
        at_level = held.get("at_level")
        values["levels"] = (at_level,) if at_level else _common_levels(members, others)
        values |= {"members": members, "over_s": held["within_s"], "gathers": at_level is not None}
        values["member_titles"] = tuple(_titles(others[name]) for name in members)
        return Rule(**values)
    bound = next(name for name in BOUNDS[given.kind] if name in held)
    names = {"rise_above": "above", "fall_below": "below", "absent_for_s": "at_least"}
    values |= {"bound": names.get(bound, bound), "threshold": float(held[bound])}
    values["figures"] = held.get("figure", ("readings",))
    values["over_s"] = held.get("over_s", held.get("count_over_s", 0))
    return Rule(**values)
