"""The board of an event while it is on, and the summary of one that is over. Pure; wall time passed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from operations.alerts.view import View
from operations.major_event.model import Kind, Report, Switched, Unit, within
from operations.major_event.rhythm import Slot, slots_of
from schemas.alerts import SEVERITIES, Severity

__all__ = ["Board", "KnownCase", "Served", "Summary", "UnitLine", "UnitReports", "board", "summary"]

_RECENT: Final = 12
"""So many of a unit's newest reports are on its line."""


class KnownCase(Protocol):
    """What is read of a case: a line of a list, or the case itself."""

    @property
    def place(self) -> str:
        """The code of where it is."""

    @property
    def reported_ms(self) -> int:
        """When it came."""

    @property
    def closed_ms(self) -> int:
        """When it was closed; 0: it is open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLine:
    """A unit on the board. `missing`: reports it owes; `slots`: the newest, in order; `depth` 0: the top."""

    code: str
    kind: Kind
    name: str
    parent: str
    depth: int
    places: tuple[str, ...]
    on_duty: tuple[str, ...]
    slots: tuple[Slot, ...]
    missing: int
    next_due_ms: int
    last: Report | None
    alerts: int
    unacknowledged: int
    open_cases: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """An event as it stands now. `alerts`: active in the area, by severity, the most urgent first."""

    in_effect: bool
    left_ms: int
    missing: int
    alerts: tuple[tuple[Severity, int], ...]
    unacknowledged: int
    open_cases: int
    units: tuple[UnitLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitReports:
    """Reports of a unit that were due: in time + late + missing. `zero`: how many told of nothing."""

    code: str
    name: str
    due: int
    in_time: int
    late: int
    missing: int
    zero: int
    incidents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Somebody who served: on duty for so long within the event, and gave so many reports."""

    name: str
    units: tuple[str, ...]
    duty_s: int
    reports: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What an event was, until its end or now. Alerts and cases: of its area, begun in its time."""

    from_ms: int
    until_ms: int
    over: bool
    reports: UnitReports
    units: tuple[UnitReports, ...]
    alerts: tuple[tuple[Severity, int], ...]
    acknowledged: int
    still_active: int
    cases: int
    cases_closed: int
    served: tuple[Served, ...]


def board(
    switched: Switched,
    reports: Sequence[Report],
    views: Iterable[View],
    cases: Iterable[KnownCase],
    now_ms: int,
) -> Board:
    """The board. `views`: alerts with their states; `cases`: open ones. Elsewhere does not count."""
    event = switched.event
    area = [v for v in views if v.state.listed and not v.state.hidden and within(v.alert.place, event.places)]
    open_ = [case.place for case in cases if not case.closed_ms and within(case.place, event.places)]
    units = tuple(_line(switched, unit, reports, area, open_, now_ms) for unit in _ordered(switched))
    return Board(
        in_effect=switched.in_effect(now_ms),
        left_ms=max(0, switched.end_ms - now_ms),
        missing=sum(unit.missing for unit in units),
        alerts=_by_severity(view.alert.severity for view in area),
        unacknowledged=sum(view.state.acknowledged is None for view in area),
        open_cases=len(open_),
        units=units,
    )


def summary(
    switched: Switched,
    reports: Sequence[Report],
    views: Iterable[View],
    cases: Iterable[KnownCase],
    now_ms: int,
) -> Summary:
    """The summary. `views` and `cases`: all that there were; those of elsewhere or before are passed over."""
    event, until_ms = switched.event, min(switched.end_ms, now_ms)
    units = tuple(_reports(switched, unit, reports, now_ms) for unit in _ordered(switched) if unit.reports)
    area = [view for view in views if within(view.alert.place, event.places)]
    begun = [view for view in area if switched.start_ms <= view.alert.onset_ms < until_ms]
    own = [case for case in cases if within(case.place, event.places)]
    opened = [case for case in own if switched.start_ms <= case.reported_ms < until_ms]
    return Summary(
        from_ms=switched.start_ms,
        until_ms=until_ms,
        over=now_ms >= switched.end_ms,
        reports=_total(units),
        units=units,
        alerts=_by_severity(view.alert.severity for view in begun),
        acknowledged=sum(view.state.acknowledged is not None for view in begun),
        still_active=sum(view.state.active for view in begun),
        cases=len(opened),
        cases_closed=sum(case.closed_ms > 0 for case in opened),
        served=_served(switched, reports, until_ms),
    )


def _line(
    switched: Switched,
    unit: Unit,
    reports: Sequence[Report],
    area: Sequence[View],
    open_cases: Sequence[str],
    now_ms: int,
) -> UnitLine:
    slots = slots_of(switched, unit, reports, now_ms)
    own = [view for view in area if within(view.alert.place, unit.places)]
    given = [report for report in reports if report.unit == unit.code]
    return UnitLine(
        code=unit.code,
        kind=unit.kind,
        name=unit.name,
        parent=unit.parent,
        depth=len(list(switched.event.above(unit))) - 1,
        places=unit.places,
        on_duty=switched.event.on_duty(unit.code, now_ms),
        slots=tuple(slots[-_RECENT:]),
        missing=sum(slot.state == "missing" for slot in slots),
        next_due_ms=next((slot.due_ms for slot in slots if slot.state in {"due", "waiting"}), 0),
        last=given[-1] if given else None,
        alerts=len(own),
        unacknowledged=sum(view.state.acknowledged is None for view in own),
        open_cases=sum(within(place, unit.places) for place in open_cases),
    )


def _reports(switched: Switched, unit: Unit, reports: Sequence[Report], now_ms: int) -> UnitReports:
    states = Counter(slot.state for slot in slots_of(switched, unit, reports, now_ms))
    own = [report for report in reports if report.unit == unit.code]
    return UnitReports(
        code=unit.code,
        name=unit.name,
        due=states["in_time"] + states["late"] + states["missing"],
        in_time=states["in_time"],
        late=states["late"],
        missing=states["missing"],
        zero=sum(report.kind == "zero" for report in own),
        incidents=sum(report.incidents for report in own),
    )


def _total(units: Sequence[UnitReports]) -> UnitReports:
    names = ("due", "in_time", "late", "missing", "zero", "incidents")
    sums = {name: sum(getattr(unit, name) for unit in units) for name in names}
    return UnitReports(code="", name="合计 total", **sums)


def _served(switched: Switched, reports: Iterable[Report], until_ms: int) -> tuple[Served, ...]:
    duty_ms: Counter[str] = Counter()
    units: dict[str, dict[str, None]] = {}
    given = Counter(report.by_name for report in reports)
    for turn in switched.event.duty:
        for name in turn.people:
            lasted_ms = min(turn.until_ms, until_ms) - max(turn.from_ms, switched.start_ms)
            if lasted_ms > 0:
                duty_ms[name] += lasted_ms
                units.setdefault(name, {})[turn.unit] = None
    names = sorted({*duty_ms, *given}, key=lambda name: (-duty_ms[name], name))
    return tuple(
        Served(name=n, units=tuple(units.get(n, ())), duty_s=duty_ms[n] // 1000, reports=given[n])
        for n in names
    )


def _by_severity(severities: Iterable[Severity]) -> tuple[tuple[Severity, int], ...]:
    counted = Counter(severities)
    return tuple((each, counted[each]) for each in reversed(SEVERITIES))


def _ordered(switched: Switched) -> list[Unit]:
    """From the headquarters down, each unit before those below it, in the order of the file."""
    found: list[Unit] = []

    def put(parent: str) -> None:
        for unit in switched.event.units:
            if unit.parent == parent:
                found.append(unit)
                put(unit.code)

    put("")
    return found
