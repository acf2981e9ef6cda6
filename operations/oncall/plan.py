"""Who is to be told of an alert, and when: a pure function of what is known and of the time.

Wall time decides escalation (event time decides what is true). Nobody is told twice of the same: the key of
a notification is made of alert, step, person, round and repeat, and a key is sent once. The route is chosen
by the time at which the alert came to notice, so that the hands of the clock do not change it on the way.
A post is whoever held it when the notification was due: what comes after a hand-over was signed, a repeat
too, goes to who signed. While a major event counts where an alert is, the event's own roster is told, by the
severity the event gives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from operations.handover.duty import Duty
from operations.major_event.model import Switched
from operations.major_event.priorities import raised, route_in
from operations.oncall.model import Notification, OnCall, Route, Tracked

__all__ = ["Rota", "due", "next_due_ms"]


@dataclass(frozen=True, slots=True)
class Rota:
    """What the on-call file does not say: whose the posts are, and major events that were switched on."""

    duty: Duty = field(default_factory=Duty)
    events: tuple[Switched, ...] = ()


_USUAL = Rota()


def due(oncall: OnCall, tracked: Tracked, now_ms: int, rota: Rota = _USUAL) -> Iterator[Notification]:
    """Every notification of the alert whose time has come, told already or not.

    Of several repeats only the newest: those that were missed (nobody was there to tell them) stay so.
    """
    come = [note for note in _chain(oncall, tracked, rota) if note.due_ms <= now_ms]
    newest = {(note.step, note.person): note.repeat for note in come}
    return (note for note in come if note.repeat in {0, newest[note.step, note.person]})


def next_due_ms(oncall: OnCall, tracked: Tracked, now_ms: int, rota: Rota = _USUAL) -> int | None:
    """When the next step or repeat comes, if nobody acknowledges until then."""
    chain = _chain(oncall, tracked, rota)
    return min((note.due_ms for note in chain if note.due_ms > now_ms), default=None)


def _chain(oncall: OnCall, tracked: Tracked, rota: Rota) -> Iterator[Notification]:
    alert = tracked.alert
    began_ms = max(tracked.first_seen_ms, tracked.visible_ms)
    if not tracked.waiting or (route := _route(oncall, tracked, rota, began_ms)) is None:
        return
    if tracked.first_seen_ms - max(alert.onset_ms, alert.told_ms) > oncall.too_old_s * 1000:
        return  # a log folded again, a first start: it is on the list, and rings nobody
    told: set[str] = set()
    for number, step in enumerate(route.steps):
        for name in step.people:
            for repeat in range(step.repeat_max + 1):
                due_ms = began_ms + (step.after_s + repeat * step.repeat_s) * 1000
                for person in _told(oncall, rota.duty, name, due_ms):
                    key, again = _key(tracked, number, person, repeat), person in told
                    told.add(person)
                    yield Notification(key, alert.id, person, number, due_ms, repeat, again=again)


def _route(oncall: OnCall, tracked: Tracked, rota: Rota, at_ms: int) -> Route | None:
    """That of the major event that counts there at the moment, by the severity it gives; else the file's."""
    alert = raised(tracked.alert, rota.events, at_ms)
    return route_in(rota.events, alert, at_ms, oncall.people) or oncall.route_of(alert, at_ms)


def _told(oncall: OnCall, duty: Duty, name: str, at_ms: int) -> Sequence[str]:
    """The person, or who of the post is to be told then."""
    return duty.told(name, oncall.posts[name], at_ms) if name in oncall.posts else (name,)


def _key(tracked: Tracked, step: int, person: str, repeat: int) -> str:
    """The family of an alert's keys: alert/step/person, then `/2` for the second round, `+1` for a repeat."""
    again = f"/{tracked.round + 1}" if tracked.round else ""
    return f"{tracked.alert.id}/{step}/{person}{again}" + (f"+{repeat}" if repeat else "")
