"""What a rule is: a condition on a figure of every place of a level, judged at the end of every minute."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

import msgspec

from schemas.alerts import Level, Severity
from schemas.calendar import day_kind, is_working_day, local
from schemas.kinds import Domain

__all__ = ["MINUTE_MS", "Bound", "Kind", "Rule", "RuleSet", "Spans", "When", "applies", "history_minutes"]

MINUTE_MS: Final = 60_000
Kind = Literal["threshold", "rate", "count", "absence", "combination"]
Bound = Literal["above", "below", "at_least", "at_most"]
When = Literal[
    "always",
    "working_hours",  # of a working day
    "non_working_hours",  # all other time
    "working_days",
    "non_working_days",
    "holidays",  # published ones only
]
Spans = tuple[tuple[int, int], ...]
"""Minutes of the day, from and before; one that ends before it begins goes over midnight."""


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the file; which fields mean something is said by `kind` (docs/rules.md).

    `figure` is the sum of `figures`, ÷ `per`. Looked at is, by kind: threshold: the figure; rate: its change
    within `over_s`; count: its sum within `over_s`; absence: seconds for which it has been 0; combination:
    whether each of `members` was active in the place within the last `over_s`. It is compared with
    `threshold` by `bound`. While active, the bound is looser by `deadband`. `needs`: figures and their least
    values, without which a place cannot be judged. `places`: prefixes of codes; none means all.
    `member_titles` are the members', in both languages. `gathers`: members' places count for the place of
    `levels` they lie in. `quiet`: only a member of combinations, never raised by itself.
    """

    name: str
    title: str
    title_en: str
    severity: Severity
    domain: Domain
    kind: Kind
    levels: tuple[Level, ...]
    figures: tuple[str, ...] = ()
    per: str = ""
    bound: Bound = "above"
    threshold: float = 0.0
    over_s: int = 0
    deadband: float = 0.0
    on_delay_s: int = 0
    off_delay_s: int = 0
    needs: tuple[tuple[str, float], ...] = ()
    places: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    member_titles: tuple[tuple[str, str], ...] = ()
    gathers: bool = False
    when: When = "always"
    hours: Spans = ()
    working_hours: Spans = ()
    quiet: bool = False

    @property
    def figure(self) -> str:
        """What is looked at, as a person reads it."""
        return "+".join(self.figures) + (f"/{self.per}" if self.per else "")

    @property
    def over_minutes(self) -> int:
        """`over_s` in minutes."""
        return self.over_s // 60


@dataclass(frozen=True)
class RuleSet:
    """The rules in force, in the order of their file; `disabled` names those that are switched off."""

    rules: tuple[Rule, ...]
    disabled: tuple[str, ...] = ()
    source: str = ""
    by_name: Mapping[str, Rule] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {rule.name: rule for rule in self.rules})

    @cached_property
    def fingerprints(self) -> dict[str, Rule]:
        """Fingerprint -> rule. Another wording of the titles keeps it."""
        return {self.fingerprint_of[rule.name]: rule for rule in self.rules}

    @cached_property
    def fingerprint_of(self) -> dict[str, str]:
        """Name -> 16 hex digits over all that decides when the rule is active, its members included."""
        return {rule.name: self._fingerprint(rule) for rule in self.rules}

    def _fingerprint(self, rule: Rule) -> str:
        parts = [rule, *(self.by_name[name] for name in rule.members)]
        judged = [msgspec.structs.replace(part, title="", title_en="", member_titles=()) for part in parts]
        return hashlib.blake2b(msgspec.msgpack.encode(judged), digest_size=8).hexdigest()

    def domains(self, rule: Rule) -> tuple[Domain, ...]:
        """The domains whose minutes the rule looks at."""
        parts: Iterable[Rule] = (self.by_name[name] for name in rule.members) if rule.members else (rule,)
        return tuple(dict.fromkeys(part.domain for part in parts))


def applies(rule: Rule, at_ms: int) -> bool:
    """Whether the rule is in force at that moment of the district's clock and calendar."""
    moment = local(at_ms)
    day = moment.date()
    now = moment.hour * 60 + moment.minute
    if rule.hours and not _within(rule.hours, now):
        return False
    if rule.when == "holidays":
        return day_kind(day) == "holiday"
    if rule.when in ("working_hours", "non_working_hours"):
        return (is_working_day(day) and _within(rule.working_hours, now)) == (rule.when == "working_hours")
    return rule.when == "always" or is_working_day(day) == (rule.when == "working_days")


def history_minutes(rules: RuleSet, domain: Domain | None = None) -> int:
    """How many minutes a fresh state must be shown until it judges as one that has always run.

    It then knows every condition that began within them. One that had begun before, and was not heard of
    (or could not be judged) since, is known only to a state that was kept. Of one domain: for its rules.
    """
    wanted = [rule for rule in rules.rules if domain is None or domain in rules.domains(rule)]
    return max((_history_s(rules, rule) for rule in wanted), default=0) // 60 + 1


def _history_s(rules: RuleSet, rule: Rule) -> int:
    own = rule.on_delay_s + rule.off_delay_s + (rule.over_s or int(rule.threshold) * (rule.kind == "absence"))
    return own + max((_history_s(rules, rules.by_name[name]) for name in rule.members), default=0)


def _within(spans: Spans, minute: int) -> bool:
    return any(a <= minute < b if a < b else (minute >= a or minute < b) for a, b in spans)
