"""A major event: its units from the headquarters down, who is on duty when, what is reported. Plain values.

Times are ms since 1970, UTC. Places are codes: each with all that is within it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from schemas.alerts import Severity

__all__ = ["KINDS", "KIND_NAMES", "REPORT_KINDS", "DutyTurn", "Kind", "MajorEvent", "Raise", "Report",
           "ReportKind", "Rhythm", "Switched", "Unit", "within"]  # fmt: skip

Kind = Literal["headquarters", "theatre", "front_team", "combat_unit"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""From the top down; a unit's parent is of the kind before."""
KIND_NAMES: Final[Mapping[Kind, str]] = {
    "headquarters": "指挥部",
    "theatre": "战区",
    "front_team": "阵地专班",
    "combat_unit": "作战单元",
}
ReportKind = Literal["zero", "situation"]
"""零报告: somebody looked, and there was nothing. It is a report; silence is none."""
REPORT_KINDS: Final[tuple[ReportKind, ...]] = get_args(ReportKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit. `people`: who belongs to it, by name or id: they report. `reports`: it owes them."""

    code: str
    kind: Kind
    name: str
    parent: str
    places: tuple[str, ...]
    people: tuple[str, ...]
    reports: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyTurn:
    """These people are on duty in the unit from then to before then."""

    unit: str
    people: tuple[str, ...]
    from_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Raise:
    """Alerts whose rule begins so, in that place ("": the whole area), count as `severity` at least."""

    rule: str
    severity: Severity
    place: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """A report each `every_s`, in time until `grace_s` after it is due.

    Then it is reminded of each `remind_s`, at most `remind_max` times.
    """

    every_s: int = 3600
    grace_s: int = 600
    remind_s: int = 300
    remind_max: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class MajorEvent:
    """What is set up beforehand. Rules that begin as one of `holds` do not count in the area meanwhile.

    `escalate_s`: an alert nobody acknowledges goes to the unit above after so long; the first to be told are
    told again as often as that, `repeat_max` times.
    """

    id: str
    name: str
    places: tuple[str, ...]
    from_ms: int
    until_ms: int
    units: tuple[Unit, ...]
    duty: tuple[DutyTurn, ...]
    raises: tuple[Raise, ...] = ()
    holds: tuple[str, ...] = ()
    rhythm: Rhythm = Rhythm()
    escalate_s: int = 300
    repeat_max: int = 3

    def unit(self, code: str) -> Unit | None:
        """The unit of that code."""
        return next((unit for unit in self.units if unit.code == code), None)

    def above(self, unit: Unit) -> Iterator[Unit]:
        """The unit itself, then those above it up to the headquarters."""
        at: Unit | None = unit
        while at is not None:
            yield at
            at = self.unit(at.parent)

    def on_duty(self, unit: str, at_ms: int) -> tuple[str, ...]:
        """Who is on duty there then, each once."""
        turns = (turn for turn in self.duty if turn.unit == unit and turn.from_ms <= at_ms < turn.until_ms)
        return tuple(dict.fromkeys(name for turn in turns for name in turn.people))


@dataclass(frozen=True, slots=True, kw_only=True)
class Switched:
    """An event with what was done: added, switched on, switched off, each by whom. 0: not yet."""

    event: MajorEvent
    added_ms: int
    added_by: str
    on_ms: int = 0
    on_by: str = ""
    off_ms: int = 0
    off_by: str = ""
    why: str = ""

    @property
    def start_ms(self) -> int:
        """From when it counts; switched on earlier, it waits for its period."""
        return max(self.on_ms, self.event.from_ms)

    @property
    def end_ms(self) -> int:
        """Until when it counts: switched off, or over by itself."""
        return min(self.off_ms or self.event.until_ms, self.event.until_ms)

    def in_effect(self, at_ms: int) -> bool:
        """Whether it counts then."""
        return self.on_ms > 0 and self.start_ms <= at_ms < self.end_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a unit said for the report that was due at `due_ms`. `incidents`: how many it tells of."""

    id: str
    event: str
    unit: str
    due_ms: int
    at_ms: int
    by: str
    by_name: str
    kind: ReportKind
    text: str
    incidents: int


def within(place: str, places: tuple[str, ...]) -> bool:
    """Whether the place is one of these or in one."""
    return any(place.startswith(each) for each in places)
