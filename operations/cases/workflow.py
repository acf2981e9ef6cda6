"""A workflow as data: which role may take a case from where to where, what that needs, and what it does.

Workflows are TOML files (`operations/cases/workflows/`, `workflows_folder`); `workflow_check.py` reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from operations.cases.codes import STATES, HolderField, Kind, Role, StateCode
from operations.cases.limits import Limit

__all__ = ["BEFORE", "EFFECTS", "NEEDS", "Clock", "Effect", "Move", "Need", "Workflow"]

BEFORE: Final = "before"
"""As `to`: the state the case was suspended in."""
Need = Literal[
    "why", "standard", "department", "person", "evidence", "criteria", "until", "result", "satisfied",
    "no_person", "department_known", "closer", "checked", "alerts_over", "outcome", "unclaimed", "reach",
]  # fmt: skip
NEEDS: Final[tuple[Need, ...]] = get_args(Need)
"""What must be given with a move, or hold for the case; `conditions.py` says each in words."""
Effect = Literal[
    "take_standard", "take_department", "take_person", "take_closer", "take_checker",
    "claim_receiver", "claim_person", "clear_person", "clear_closer", "clear_checks",
    "keep_pre_check", "keep_post_check", "keep_criteria", "keep_satisfied", "flag", "arrive", "widen_reach",
    "suspend", "resume", "ask_extension", "pass_extension", "grant_extension", "refuse_extension",
    "appeal", "grant_appeal", "refuse_appeal",
]  # fmt: skip
EFFECTS: Final[tuple[Effect, ...]] = get_args(Effect)
"""What a move does to the case besides its state and clocks; `effects.py` does it."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A limit of a workflow. `of_standard`: the standard's limit, `limit` where there is none.

    `overdue`: the verb that the system says, once a run, when the limit is over.
    """

    name: str
    label: str
    limit: Limit | None
    of_standard: bool = False
    overdue: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """One verb. `holders`: role -> the field of the case that must name the actor (or their department)."""

    verb: str
    label: str
    label_en: str
    kind: Kind
    from_: tuple[StateCode, ...]
    to: str
    roles: tuple[Role, ...]
    holders: dict[Role, HolderField] = field(default_factory=dict)
    needs: tuple[Need, ...] = ()
    effects: tuple[Effect, ...] = ()
    returned_to: Role | None = None
    starts: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    pauses: tuple[str, ...] = ()
    resumes: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Workflow:
    """One file: `initial` is the state a new case begins in, `starts` the clocks that begin with it."""

    name: str
    title: str
    title_en: str
    initial: StateCode
    starts: tuple[str, ...]
    reporters: tuple[Role, ...]
    reach: str
    clocks: dict[str, Clock]
    moves: dict[str, Move]
    labels: dict[StateCode, str]

    def label(self, state: StateCode) -> str:
        """What the city calls the state."""
        return self.labels.get(state, STATES[state].label)

    def from_(self, state: StateCode) -> Iterator[Move]:
        """The moves that begin there, in the order of the file."""
        return (move for move in self.moves.values() if state in move.from_)
