"""What the rules remember between minutes: arrays by rule and level, a row for each place."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from pipelines.kernels.rules.model import Rule
from schemas.alerts import Level
from schemas.kinds import Domain

__all__ = ["NEVER", "Bools", "Floats", "RulesState", "Track"]

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
NEVER = -1
"""In place of a time that there is none of."""


@dataclass(slots=True)
class Track:
    """One rule at one level; row i is place i of the level's roster.

    `onset_ms`: since when the condition holds, `clearing_ms`: since when an active one no longer does.
    `memory`, by kind: rate and count: the last minutes' values, a ring by minute; absence: seconds
    without a reading; combination: when each member was last active, ms. `minute` is the last one judged.
    """

    onset_ms: npt.NDArray[np.int64]
    clearing_ms: npt.NDArray[np.int64]
    active: Bools
    scope: Bools
    memory: Floats
    minute: int = NEVER

    @classmethod
    def empty(cls, width: int) -> Track:
        """One without places, of as many cells of memory a place."""
        none = np.zeros(0, np.int64)
        return cls(none, none.copy(), np.zeros(0, bool), np.zeros(0, bool), np.zeros((0, width)))

    def grow(self, scope: Bools) -> None:
        """Add rows for new places; `scope` says of each whether the rule is for it."""
        never = np.full(len(scope), NEVER, np.int64)
        self.onset_ms = np.concatenate((self.onset_ms, never))
        self.clearing_ms = np.concatenate((self.clearing_ms, never))
        self.active = np.concatenate((self.active, np.zeros(len(scope), bool)))
        self.scope = np.concatenate((self.scope, scope))
        self.memory = np.concatenate((self.memory, np.full((len(scope), self.memory.shape[1]), np.nan)))


@dataclass(slots=True)
class RulesState:
    """Everything the rules remember; `rules` are those that `tracks` were made by, by fingerprint.

    `rosters`: places by "domain/level", and of a combination by "fingerprint/level"; only added to.
    `clocks_ms`: start of the last minute of each domain. `waiting`: of each combination the minutes that
    not all its domains have reached: minute -> member -> where it was active.
    """

    rosters: dict[str, list[str]] = field(default_factory=dict)
    rules: dict[str, Rule] = field(default_factory=dict)
    tracks: dict[tuple[str, Level], Track] = field(default_factory=dict)
    clocks_ms: dict[Domain, int] = field(default_factory=dict)
    waiting: dict[str, dict[int, dict[str, list[str]]]] = field(default_factory=dict)
