"""What is not allowed with a major event, in words. Pure; wall time passed in."""

from __future__ import annotations

from collections.abc import Iterable

from operations.major_event.model import MajorEvent, Switched, Unit
from operations.people.roles import Person
from schemas.calendar import local
from schemas.errors import received_allowed

__all__ = ["add_refusal", "off_refusal", "on_refusal", "report_refusal"]


def add_refusal(known: Switched | None) -> str:
    """Why the event of that id may not be put in; "" if it may: it may change until it is switched on."""
    if known is not None and known.on_ms:
        return f"战时已启动 {known.event.id} was switched on by {known.on_by}, allowed: another id"
    return ""


def on_refusal(switched: Switched, others: Iterable[Switched], now_ms: int) -> str:
    """Why it may not be switched on. `others`: all events there are."""
    event = switched.event
    if switched.on_ms:
        return f"已由他人启动 already switched on by {switched.on_by}"
    if now_ms >= event.until_ms:
        return f"时段已过 until: received {local(event.until_ms):%Y-%m-%d %H:%M}, allowed: a time to come"
    for other in others:
        if other.event.id != event.id and other.on_ms and _overlap(event, other, now_ms):
            return f"与另一战时重叠 area and period: overlap with {other.event.id} ({other.event.name})"
    return ""


def off_refusal(switched: Switched, now_ms: int) -> str:
    """Why it may not be switched off."""
    if not switched.on_ms:
        return "尚未启动 not switched on"
    if switched.off_ms:
        return f"已由他人结束 already switched off by {switched.off_by}"
    if now_ms >= switched.event.until_ms:
        return f"已到期自行结束 over by itself since {local(switched.event.until_ms):%m-%d %H:%M}"
    return ""


def report_refusal(switched: Switched, unit: Unit | None, code: str, person: Person, *, command: bool) -> str:
    """Why the person may not report for that unit. `command`: they command, and may report for any."""
    if unit is None:
        return received_allowed("单元 unit", code, [each.code for each in switched.event.units])
    if not switched.on_ms:
        return "尚未启动 not switched on"
    if not unit.reports:
        owing = [each.code for each in switched.event.units if each.reports]
        return received_allowed("单元 unit", code, owing)
    turns = (name for turn in switched.event.duty if turn.unit == code for name in turn.people)
    members = dict.fromkeys((*unit.people, *turns))
    if not command and person.id not in members and person.name not in members:
        return f"非本单元人员 received {person.name}, allowed: {', '.join(members)}"
    return ""


def _overlap(event: MajorEvent, other: Switched, now_ms: int) -> bool:
    if other.end_ms <= max(event.from_ms, now_ms) or other.start_ms >= event.until_ms:
        return False
    mine, theirs = event.places, other.event.places
    return any(a.startswith(b) or b.startswith(a) for a in mine for b in theirs)
