"""What an event changes about alerts of its area: their priority, whether they count, who is told. Pure.

A raised alert is the alert with a higher severity; nothing is lowered. Rules that do not count meanwhile are
suppressed by design: seen by everybody with the time left, over with the event, and never of life safety.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

import msgspec

from operations.alerts.actions import Action, Target
from operations.major_event.model import MajorEvent, Switched, Unit, within
from operations.oncall.model import Route, Step
from schemas.alerts import SEVERITIES, Alert

__all__ = ["event_at", "hidings_of", "raised", "route_in", "unit_of"]


def event_at(events: Iterable[Switched], place: str, at_ms: int) -> MajorEvent | None:
    """The event that counts in a place at a moment."""
    for each in events:
        if each.in_effect(at_ms) and within(place, each.event.places):
            return each.event
    return None


def raised(alert: Alert, events: Iterable[Switched], at_ms: int) -> Alert:
    """The alert with the severity it has at that moment."""
    event = event_at(events, alert.place, at_ms)
    if event is None:
        return alert
    rule = alert.cause or alert.rule
    found = [e.severity for e in event.raises if rule.startswith(e.rule) and alert.place.startswith(e.place)]
    most = max([alert.severity, *found], key=SEVERITIES.index)
    return alert if most == alert.severity else msgspec.structs.replace(alert, severity=most)


def hidings_of(events: Iterable[Switched], now_ms: int) -> Iterator[Action]:
    """Suppressions by design of what does not count now, as if those who switched it on had said each."""
    for each in events:
        if each.in_effect(now_ms):
            for rule in each.event.holds:
                for place in each.event.places:
                    yield _hiding(each, rule, place)


def _hiding(switched: Switched, rule: str, place: str) -> Action:
    return Action(
        id=f"major/{switched.event.id}/{rule}/{place}",
        kind="suppress",
        target=Target(rule=rule, place=place),
        by=switched.on_by,
        at_ms=switched.start_ms,
        why=f"战时 {switched.event.name}：此类不计 does not count meanwhile",
        until_ms=switched.end_ms,
    )


def unit_of(event: MajorEvent, place: str) -> Unit | None:
    """The unit nearest to a place: the lowest in the tree, of those the one that names most of it."""
    found = [
        (len(list(event.above(unit))), len(mine), unit)
        for unit in event.units
        for mine in unit.places
        if place.startswith(mine)
    ]
    return max(found, key=lambda each: (each[0], each[1], each[2].code))[2] if found else None


def route_in(events: Sequence[Switched], alert: Alert, at_ms: int, known: Collection[str]) -> Route | None:
    """The way of an alert that comes at that moment: who is on duty in its unit, then in each one above.

    Of people only those that are `known` (have a channel). None: the event does not take it, or tells nobody.
    """
    event = event_at(events, alert.place, at_ms)
    unit = unit_of(event, alert.place) if event else None
    if event is None or unit is None or alert.severity == "low":
        return None
    steps: list[Step] = []
    for number, each in enumerate(event.above(unit)):
        after_s = number * event.escalate_s
        people = [name for name in event.on_duty(each.code, at_ms + after_s * 1000) if name in known]
        if people:
            repeat = (0, 0) if steps else (event.escalate_s if event.repeat_max else 0, event.repeat_max)
            steps.append(Step(after_s if steps else 0, tuple(people), *repeat))
    return Route(f"战时 {event.name}", tuple(steps)) if steps else None
