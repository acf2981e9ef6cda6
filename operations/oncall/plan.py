"""Who is to be told of an alert, and when: a pure function of what is known and of the time.

Wall time decides escalation (event time decides what is true). Nobody is told twice of the same step:
the key of a notification is made of alert, step and person, and a key is sent once.
"""

from __future__ import annotations

from collections.abc import Iterator

from operations.oncall.model import Notification, OnCall, Tracked

__all__ = ["due", "next_due_ms"]


def due(oncall: OnCall, tracked: Tracked, now_ms: int) -> Iterator[Notification]:
    """Every notification of the alert whose time has come, told already or not."""
    for note in _chain(oncall, tracked):
        if note.due_ms <= now_ms:
            yield note


def next_due_ms(oncall: OnCall, tracked: Tracked, now_ms: int) -> int | None:
    """When the next step comes, if nobody acknowledges until then."""
    return min((note.due_ms for note in _chain(oncall, tracked) if note.due_ms > now_ms), default=None)


def _chain(oncall: OnCall, tracked: Tracked) -> Iterator[Notification]:
    alert = tracked.alert
    route = oncall.route_of(alert)
    if route is None or tracked.acknowledged_by or not (alert.active or alert.latched):
        return
    if tracked.first_seen_ms - max(alert.onset_ms, alert.told_ms) > oncall.too_old_s * 1000:
        return  # a log folded again, a first start: it is on the list, and rings nobody
    for number, step in enumerate(route.steps):
        for person in step.people:
            yield Notification(
                key=f"{alert.id}/{number}/{person}",
                alert_id=alert.id,
                person=person,
                step=number,
                due_ms=tracked.first_seen_ms + step.after_s * 1000,
            )
