"""Who is to be told of an alert, and when: a pure function of what is known and of the time.

Wall time decides escalation (event time decides what is true). Nobody is told twice of the same: the key of
a notification is made of alert, step, person, round and repeat, and a key is sent once. The route is chosen
by the time at which the alert came to notice, so that the hands of the clock do not change it on the way.
"""

from __future__ import annotations

from collections.abc import Iterator

from operations.oncall.model import Notification, OnCall, Tracked

__all__ = ["due", "next_due_ms"]


def due(oncall: OnCall, tracked: Tracked, now_ms: int) -> Iterator[Notification]:
    """Every notification of the alert whose time has come, told already or not.

    Of several repeats only the newest: those that were missed (nobody was there to tell them) stay so.
    """
    come = [note for note in _chain(oncall, tracked) if note.due_ms <= now_ms]
    newest = {(note.step, note.person): note.repeat for note in come}
    return (note for note in come if note.repeat in {0, newest[note.step, note.person]})


def next_due_ms(oncall: OnCall, tracked: Tracked, now_ms: int) -> int | None:
    """When the next step or repeat comes, if nobody acknowledges until then."""
    return min((note.due_ms for note in _chain(oncall, tracked) if note.due_ms > now_ms), default=None)


def _chain(oncall: OnCall, tracked: Tracked) -> Iterator[Notification]:
    alert = tracked.alert
    began_ms = max(tracked.first_seen_ms, tracked.visible_ms)
    if not tracked.waiting or (route := oncall.route_of(alert, began_ms)) is None:
        return
    if tracked.first_seen_ms - max(alert.onset_ms, alert.told_ms) > oncall.too_old_s * 1000:
        return  # a log folded again, a first start: it is on the list, and rings nobody
    told: set[str] = set()
    for number, step in enumerate(route.steps):
        for person in step.people:
            for repeat in range(step.repeat_max + 1):
                yield Notification(
                    key=_key(tracked, number, person, repeat),
                    alert_id=alert.id,
                    person=person,
                    step=number,
                    due_ms=began_ms + (step.after_s + repeat * step.repeat_s) * 1000,
                    repeat=repeat,
                    again=repeat > 0 or person in told,
                )
            told.add(person)


def _key(tracked: Tracked, step: int, person: str, repeat: int) -> str:
    """The family of an alert's keys: alert/step/person, then `/2` for the second round, `+1` for a repeat."""
    again = f"/{tracked.round + 1}" if tracked.round else ""
    return f"{tracked.alert.id}/{step}/{person}{again}" + (f"+{repeat}" if repeat else "")
