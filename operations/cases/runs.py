"""The clocks of a case: one run of one limit, with its pauses and extensions, and what follows of them. Pure.

Only facts are kept (limit, start, stop, pauses, extensions); the deadline follows of them each time. So a
calendar that is published later, or a corrected one, moves what it must and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from operations.cases.clocks import Moment, WorkingTime
from operations.cases.limits import Limit, Unit

__all__ = [
    "EXTENSIONS_MOST",
    "Due",
    "Pause",
    "Run",
    "accumulated_ms",
    "deadline",
    "due",
    "is_overdue",
    "used_ms",
]

EXTENSIONS_MOST: Final = 2
"""How often a limit may be extended; a refusal uses none up."""


class Pause(msgspec.Struct, frozen=True, omit_defaults=True):
    """A time in which the clock stood. `until_ms` 0: it still stands. `done`: it had been stopped."""

    from_ms: int
    until_ms: int = 0
    done: bool = False


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run of a clock. `stopped_ms` 0: it runs, or stands. `extensions`: when one limit was added.

    `warned`, `told`: the system has said that the limit nears its end, that it is over.
    """

    clock: str
    limit: Limit
    started_ms: int
    stopped_ms: int = 0
    pauses: tuple[Pause, ...] = ()
    extensions: tuple[int, ...] = ()
    warned: bool = False
    told: bool = False

    @property
    def extended(self) -> int:
        """How often one limit was added."""
        return len(self.extensions)

    @property
    def open(self) -> bool:
        """Whether it has not been stopped."""
        return self.stopped_ms == 0

    @property
    def standing(self) -> bool:
        """Whether it is paused now."""
        return self.open and bool(self.pauses) and self.pauses[-1].until_ms == 0

    def ran_until(self, now_ms: int) -> int:
        """When it last ran: its stop, the begin of the pause it stands in, or now."""
        return self.stopped_ms or (self.pauses[-1].from_ms if self.standing else now_ms)

    def pause(self, at_ms: int) -> Run:
        """Stands from now; a clock that stands or has stopped stays as it is."""
        if not self.open or self.standing:
            return self
        return msgspec.structs.replace(self, pauses=(*self.pauses, Pause(at_ms)))

    def go_on(self, at_ms: int) -> Run:
        """Runs again from now; also one that was stopped, whose time in between then counts as a pause."""
        if self.standing:
            ended = Pause(self.pauses[-1].from_ms, at_ms)
            return msgspec.structs.replace(self, pauses=(*self.pauses[:-1], ended))
        if self.open:
            return self
        between = Pause(self.stopped_ms, at_ms, done=True)
        return msgspec.structs.replace(self, stopped_ms=0, pauses=(*self.pauses, between))

    def stop(self, at_ms: int) -> Run:
        """Stopped now, for good or until it goes on; one that stands was done when its pause began."""
        if not self.open:
            return self
        if self.standing:
            at_ms, pauses = self.pauses[-1].from_ms, self.pauses[:-1]
            return msgspec.structs.replace(self, stopped_ms=at_ms, pauses=pauses)
        return msgspec.structs.replace(self, stopped_ms=at_ms)

    def extend(self, at_ms: int) -> Run:
        """One original limit more; who was warned is warned again."""
        return msgspec.structs.replace(self, extensions=(*self.extensions, at_ms), warned=False, told=False)


@dataclass(frozen=True, slots=True)
class Due:
    """What follows of a run: when to warn, when it is due, and whether a calendar may still move that.

    Of a clock that stands both moments are what they would be if it went on now.
    """

    warn_ms: int
    at_ms: int
    provisional: bool


def deadline(run: Run, time: WorkingTime, now_ms: int) -> Moment:
    """When the run is due; of one that stands, as if it went on now."""
    limit, pauses = run.limit.times(1 + run.extended), _ended(run.pauses, now_ms)
    if _ends_with_a_day(run, time):
        return _shifted(run, time, pauses)
    return _reached(run.started_ms, pauses, time.length_ms(limit), time, limit.unit)


def due(run: Run, time: WorkingTime, now_ms: int, warn_share: float = 0.75) -> Due:
    """When the run is due, and when `warn_share` of its time will have run."""
    end, pauses = deadline(run, time, now_ms), _ended(run.pauses, now_ms)
    whole_ms = time.length_ms(run.limit.times(1 + run.extended))
    if _ends_with_a_day(run, time):
        whole_ms = _running(run.started_ms, end.at_ms, pauses, time, run.limit.unit)
    warn = _reached(run.started_ms, pauses, round(whole_ms * warn_share), time, run.limit.unit)
    return Due(warn.at_ms, end.at_ms, end.provisional)


def is_overdue(run: Run, time: WorkingTime, now_ms: int) -> bool:
    """Whether it was stopped, or stood, or is now, after its deadline; the deadline itself is in time."""
    return run.ran_until(now_ms) > deadline(run, time, now_ms).at_ms


def used_ms(run: Run, time: WorkingTime, now_ms: int) -> int:
    """How much of its own time has run, pauses left out."""
    until_ms = run.stopped_ms or now_ms
    return _running(run.started_ms, until_ms, _ended(run.pauses, now_ms), time, run.limit.unit)


def accumulated_ms(runs: Iterable[Run], clock: str, time: WorkingTime, now_ms: int) -> int:
    """How much has run in all runs of one clock: a case that was returned runs its clocks again."""
    return sum(used_ms(run, time, now_ms) for run in runs if run.clock == clock)


def _ends_with_a_day(run: Run, time: WorkingTime) -> bool:
    return run.limit.unit == "working_day" and time.day_end == "end_of_day"


def _ended(pauses: Iterable[Pause], now_ms: int) -> list[Pause]:
    return [Pause(pause.from_ms, pause.until_ms or max(now_ms, pause.from_ms)) for pause in pauses]


def _running(start_ms: int, end_ms: int, pauses: Iterable[Pause], time: WorkingTime, unit: Unit) -> int:
    stood = sum(
        time.elapsed(max(pause.from_ms, start_ms), min(pause.until_ms, end_ms), unit) for pause in pauses
    )
    return time.elapsed(start_ms, end_ms, unit) - stood


def _reached(start_ms: int, pauses: Iterable[Pause], length_ms: int, time: WorkingTime, unit: Unit) -> Moment:
    """The first moment at which so much has run; a pause that begins later changes nothing."""
    begin_ms, left_ms = start_ms, length_ms
    for pause in pauses:
        ran_ms = time.elapsed(begin_ms, pause.from_ms, unit)
        if ran_ms >= left_ms:
            break
        left_ms -= ran_ms
        begin_ms = pause.until_ms
    reached = time.after(begin_ms, left_ms, unit)
    # The whole way is looked at: a year without a calendar may lie before the last pause.
    return reached if time.runs_on(unit) else time.moment(start_ms, reached.at_ms)


def _shifted(run: Run, time: WorkingTime, pauses: Iterable[Pause]) -> Moment:
    """Limits that end with a day: each extension is counted from the deadline before, pauses move it on."""
    end = time.deadline(run.started_ms, run.limit)
    for _ in range(run.extended):
        end = time.deadline(end.at_ms, run.limit)
    for pause in pauses:
        if pause.from_ms < end.at_ms:
            stood_ms = time.elapsed(pause.from_ms, pause.until_ms, run.limit.unit)
            end = time.after(end.at_ms, stood_ms, run.limit.unit)
    return time.moment(run.started_ms, end.at_ms)
