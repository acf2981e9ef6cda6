"""The outgoing list of a shift, of what the desk knows at a moment. Pure; wall time passed in."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from operations.alerts.actions import Action, ActionKind
from operations.alerts.choose import choose_order
from operations.alerts.load import DAY_MS, Annunciation, Period, shift_periods
from operations.alerts.view import View
from operations.handover.duty import Term
from operations.handover.model import (
    AlertLine,
    CaseDue,
    ConsoleLoad,
    FloodLine,
    HidingLine,
    OutgoingList,
)
from operations.oncall.flood import Flood
from operations.oncall.hours import Span, shift_of

__all__ = ["DueCase", "Known", "list_hash", "outgoing_list", "places_of", "since_ms"]


class DueCase(Protocol):
    """What is read of a case: a line of a list of cases."""

    @property
    def id(self) -> str:
        """Its number."""

    @property
    def title(self) -> str:
        """What it is about."""

    @property
    def place(self) -> str:
        """The code of where it is."""

    @property
    def department(self) -> str:
        """Who has it; "": nobody yet."""

    @property
    def person(self) -> str:
        """Who handles it; "": nobody yet."""

    @property
    def due_ms(self) -> int:
        """When the first of its clocks is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the desk knows at `now_ms` of a shift that began at `since_ms`.

    `views`: alerts with their states; what is hidden is told by what hides it. `cases`: those that are due
    now or soon. `floods`: those that go on or ended since. `told`: since then.
    """

    since_ms: int
    now_ms: int
    views: Sequence[View] = ()
    hidings: Sequence[Action] = ()
    cases: Sequence[DueCase] = ()
    floods: Sequence[Flood] = ()
    told: Sequence[Annunciation] = ()


def outgoing_list(known: Known) -> OutgoingList:
    """Everything that goes to the next person."""
    listed = sorted((view for view in known.views if view.state.listed), key=lambda v: choose_order(v.alert))
    active = tuple(_alert(view) for view in listed if not view.state.hidden)
    dues = tuple(_due(case, known.now_ms) for case in known.cases)
    return OutgoingList(
        at_ms=known.now_ms,
        since_ms=known.since_ms,
        active=active,
        unacknowledged=tuple(line for line in active if not line.acknowledged_by),
        suppressed_groups=tuple(line for line in active if line.children),
        shelved=_hidings(known, "shelve", "shelve_once"),
        suppressed=_hidings(known, "suppress"),
        out_of_service=_hidings(known, "out_of_service"),
        overdue=tuple(due for due in dues if due.left_ms <= 0),
        soon_overdue=tuple(due for due in dues if due.left_ms > 0),
        floods=tuple(_flood(each) for each in known.floods),
        load=_load(known.told),
        low=sum(line.severity == "low" for line in active),
    )


def since_ms(held: Term | None, shifts: Sequence[Span], now_ms: int) -> int:
    """When the shift began: with a signature of the last day by who has the post, else by the clock."""
    if held is not None and now_ms - held.from_ms < DAY_MS:
        return held.from_ms
    return shift_periods(Period(now_ms - DAY_MS, now_ms + 1), shift_of(now_ms, shifts))[-1].start_ms


def list_hash(listed: OutgoingList) -> str:
    """What both sign: SHA-256 of the list as JSON, 64 hex digits."""
    return hashlib.sha256(msgspec.json.encode(listed)).hexdigest()


def places_of(listed: OutgoingList) -> frozenset[str]:
    """The places that it tells of: those of its alerts and cases."""
    alerts = {each.place for each in (*listed.active, *listed.unacknowledged, *listed.suppressed_groups)}
    return frozenset(alerts | {each.place for each in (*listed.overdue, *listed.soon_overdue)})


def _alert(view: View) -> AlertLine:
    alert, acknowledged = view.alert, view.state.acknowledged
    return AlertLine(
        id=alert.id,
        severity=alert.severity,
        title=alert.title,
        place=alert.place,
        onset_ms=alert.onset_ms,
        acknowledged_by=acknowledged.by if acknowledged else "",
        children=len(view.children),
    )


def _hidings(known: Known, *kinds: ActionKind) -> tuple[HidingLine, ...]:
    return tuple(_hiding(each, known.now_ms) for each in known.hidings if each.kind in kinds)


def _hiding(action: Action, now_ms: int) -> HidingLine:
    return HidingLine(
        what=action.target.words(),
        by=action.by,
        why=action.why,
        since_ms=action.at_ms,
        until_ms=action.until_ms,
        left_ms=max(0, action.until_ms - now_ms),
    )


def _due(case: DueCase, now_ms: int) -> CaseDue:
    names = ("id", "title", "place", "department", "person", "due_ms")
    return CaseDue(left_ms=case.due_ms - now_ms, **{name: getattr(case, name) for name in names})


def _flood(flood: Flood) -> FloodLine:
    return FloodLine(
        console=flood.console,
        start_ms=flood.start_ms,
        end_ms=flood.end_ms,
        count=flood.count,
        peak=flood.peak,
    )


def _load(told: Iterable[Annunciation]) -> tuple[ConsoleLoad, ...]:
    counted = Counter(each.console for each in told)
    return tuple(ConsoleLoad(console=name, annunciated=n) for name, n in sorted(counted.items()))
