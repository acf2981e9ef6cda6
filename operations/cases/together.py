"""Many reports at once: what each becomes, as if they came one after the other. Pure.

A storm is a thousand alerts a second of some hundred incidents: each case is read and written once for all
that joins it, and its flow log has an entry for each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from operations.cases.config import CaseConfig
from operations.cases.model import Actor, Case, Entry
from operations.cases.opening import Report, attach, duplicate_of, open_case

__all__ = ["Change", "How", "Together", "by_place", "open_together"]

How = Literal["opened", "attached", "known"]
"""What became of a report: a new case, part of one that was there, or nothing, as it was part already."""


@dataclass(frozen=True, slots=True)
class Change:
    """One case: as it was (None: it is new), and each step with its entry in the flow log."""

    before: Case | None
    steps: list[tuple[Case, Entry]] = field(default_factory=list)

    @property
    def case(self) -> Case:
        """As it is after the last step."""
        return self.steps[-1][0]


@dataclass(frozen=True, slots=True)
class Together:
    """What became of reports, by their key: how, and of which case; and the cases that changed, by id."""

    outcomes: dict[str, tuple[How, str]] = field(default_factory=dict)
    changes: dict[str, Change] = field(default_factory=dict)

    def step(self, how: How, report: Report, before: Case | None, after: tuple[Case, Entry]) -> Case:
        """Take the step that a report makes."""
        case = after[0]
        self.changes.setdefault(case.id, Change(before)).steps.append(after)
        self.outcomes[report.key] = how, case.id
        return case


def by_place(reports: Iterable[Report], most: int) -> Iterator[list[Report]]:
    """Reports of `most` incidents (category and place) at a time; those of one incident stay together."""
    incidents = defaultdict[tuple[str, str], list[Report]](list)
    for report in reports:
        incidents[report.category, report.place].append(report)
    groups = list(incidents.values())
    for first in range(0, len(groups), most):
        yield [report for group in groups[first : first + most] for report in group]


def open_together(
    reports: Sequence[Report],
    cases: Iterable[Case],
    actor: Actor,
    config: CaseConfig,
    now_ms: int,
    next_id: Callable[[], str],
) -> Together:
    """Open or attach each report in turn; MoveRefused for what is none.

    None of them is part of a case yet. `cases`: the open ones of their categories and places. `next_id`: the
    id of a new case.
    """
    there = defaultdict[tuple[str, str], dict[str, Case]](dict)
    for case in cases:
        there[case.category, case.place][case.id] = case
    made = Together()
    for report in reports:
        if report.key in made.outcomes:
            continue
        alike = there[report.category, report.place]
        if (same := duplicate_of(report, alike.values(), config, now_ms)) is not None:
            after = made.step("attached", report, same, attach(same, report, actor, now_ms))
        else:
            after = made.step("opened", report, None, open_case(report, next_id(), actor, config, now_ms))
        alike[after.id] = after
    return made
