"""The rhythm of reports: what is due when, what is missing, who is reminded. Pure; wall time passed in.

A missing report is itself a fact: it is shown, and the unit is reminded, from the second time on the unit
above it too. A zero report is a report.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from operations.major_event.model import Report, Switched, Unit
from operations.oncall.model import Message
from schemas.calendar import local

__all__ = ["Slot", "SlotState", "dues", "reminders", "slot_for", "slots_of"]

SlotState = Literal["waiting", "due", "in_time", "late", "missing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One report that a unit owes. `waiting`: not yet; `due`: not in, and still in time."""

    unit: str
    due_ms: int
    state: SlotState
    report: Report | None = None


def dues(switched: Switched) -> range:
    """When reports are due: each `every_s` from the event's beginning, while it counts."""
    every_ms, from_ms = switched.event.rhythm.every_s * 1000, switched.event.from_ms
    first = (max(switched.start_ms, from_ms) - from_ms) // every_ms + 1
    return range(from_ms + first * every_ms, switched.end_ms + 1, every_ms)


def slots_of(switched: Switched, unit: Unit, reports: Iterable[Report], now_ms: int) -> list[Slot]:
    """Every report the unit owes so far and the next one, in order; none of a unit that owes none."""
    if not unit.reports or not switched.on_ms:
        return []
    given = _first_of_each(unit, reports)
    found: list[Slot] = []
    for due_ms in dues(switched):
        found.append(_slot(switched, unit, due_ms, given.get(due_ms), now_ms))
        if due_ms > now_ms:
            break
    return found


def slot_for(switched: Switched, unit: Unit, reports: Iterable[Report], now_ms: int) -> int | None:
    """Which report is meant by one given now: the newest that is due and not in, else the next.

    None: none is owed.
    """
    slots = slots_of(switched, unit, reports, now_ms)
    open_ = [slot.due_ms for slot in slots[-2:] if slot.report is None]
    return open_[0] if open_ else None


def reminders(
    switched: Switched, reports: Sequence[Report], known: Mapping[str, object], now_ms: int
) -> Iterator[Message]:
    """What those on duty are told of missing reports; the same keys each time. `known`: who has a channel.

    Only the newest missing report of a unit is reminded of: those before it stand on the board.
    """
    for unit in switched.event.units:
        missing = [s for s in slots_of(switched, unit, reports, now_ms) if s.state == "missing"]
        if missing and switched.in_effect(now_ms):
            yield from _reminders(switched, unit, missing[-1], known, now_ms)


def _reminders(
    switched: Switched, unit: Unit, slot: Slot, known: Mapping[str, object], now_ms: int
) -> Iterator[Message]:
    event, rhythm = switched.event, switched.event.rhythm
    late_ms = now_ms - slot.due_ms - rhythm.grace_s * 1000
    number = min(late_ms // (rhythm.remind_s * 1000) + 1, rhythm.remind_max)
    asked = list(event.above(unit))[: 1 if number == 1 else 2]
    for name in dict.fromkeys(name for each in asked for name in event.on_duty(each.code, now_ms)):
        if name in known and number:
            yield _reminder(switched, unit, slot, number, name)


def _reminder(switched: Switched, unit: Unit, slot: Slot, number: int, name: str) -> Message:
    key = f"major/{switched.event.id}/{unit.code}/{slot.due_ms}/{number}/{name}"
    head = f"【战时】{unit.name} {local(slot.due_ms):%H:%M} 报告未到 report missing（{number}）"
    text = f"{switched.event.name}：无情况也请零报告。Nothing happened is a report too.\n编号 key {key}"
    return Message(key, name, head, text)


def _first_of_each(unit: Unit, reports: Iterable[Report]) -> dict[int, Report]:
    """The first report for each; what came later for the same is more of it, and does not make it late."""
    found: dict[int, Report] = {}
    for report in reports:
        if report.unit == unit.code:
            found.setdefault(report.due_ms, report)
    return found


def _slot(switched: Switched, unit: Unit, due_ms: int, report: Report | None, now_ms: int) -> Slot:
    last_ms = due_ms + switched.event.rhythm.grace_s * 1000
    state: SlotState
    if report is not None:
        state = "in_time" if report.at_ms <= last_ms else "late"
    elif now_ms < due_ms:
        state = "waiting"
    else:
        state = "due" if now_ms <= last_ms else "missing"
    return Slot(unit=unit.code, due_ms=due_ms, state=state, report=report)
