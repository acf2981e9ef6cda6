"""The state of an alert: its condition, and what people did, folded in order. Pure; wall time passed in.

The terms are those of OPC UA Part 9 (5.8) and ISA-18.2. Each part of the state is its own, with its own
who, when and why: an alert may be acknowledged, shelved and of a device out of service at once. Hidden is
derived (SuppressedOrShelved): the alert runs on and keeps its history, it only rings nobody and leaves
the list. What one person alone said never hides life safety, and neither does a parent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from operations.alerts.actions import Action, ActionKind, Target, covers
from schemas.alerts import Alert, stands_for

__all__ = ["State", "Suppression", "hides", "in_force", "one_shot_over", "state_of"]


@dataclass(frozen=True, slots=True)
class Suppression:
    """Suppressed by design: by a parent, or by an action with its logic written down."""

    parent: Alert | None = None
    action: Action | None = None


@dataclass(frozen=True, slots=True)
class State:
    """Everything one may ask of an alert at a moment; None where it is not so.

    `latched`: it waits for a reset. `shelved` is the action `shelve` (timed) or `shelve_once`. `assigned`,
    `concluded`: the last word on who is to see to it, and on what it was.
    """

    active: bool
    latched: bool
    acknowledged: Action | None = None
    reset: Action | None = None
    shelved: Action | None = None
    suppressed: tuple[Suppression, ...] = ()
    out_of_service: tuple[Action, ...] = ()
    assigned: Action | None = None
    concluded: Action | None = None

    @property
    def shelving(self) -> Literal["unshelved", "timed", "one_shot"]:
        """ShelvingState of Part 9."""
        if self.shelved is None:
            return "unshelved"
        return "timed" if self.shelved.kind == "shelve" else "one_shot"

    @property
    def hidden(self) -> bool:
        """Shelved, suppressed or out of service: not annunciated, and not on the list."""
        return self.shelved is not None or bool(self.suppressed) or bool(self.out_of_service)

    @property
    def listed(self) -> bool:
        """The condition is true, or it waits for a person."""
        return self.active or self.latched


def state_of(alert: Alert, actions: Iterable[Action], now_ms: int, parents: Iterable[Alert] = ()) -> State:
    """The state of an alert after these actions, in their order; those about others are passed over."""
    acknowledged = reset = None
    own: list[Action] = []
    for action in actions:
        if not covers(action, alert):
            continue
        own.append(action)
        if action.kind == "acknowledge":
            if acknowledged is None or action.at_ms < acknowledged.at_ms:
                acknowledged = action  # one that was said without a connection comes later
        elif action.kind == "reset":
            reset = action
            if alert.count > action.count:
                acknowledged = None  # it began anew: nobody saw that yet
    hiding = [each for each in in_force(own, now_ms) if _may_hide(each, alert, now_ms)]
    shelved = [each for each in hiding if each.kind in {"shelve", "shelve_once"}]
    return State(
        active=alert.active,
        latched=alert.latched and (reset is None or alert.count > reset.count),
        acknowledged=acknowledged,
        reset=reset,
        shelved=shelved[-1] if shelved else None,
        suppressed=(
            *(Suppression(parent=each) for each in _parents_of(alert, parents)),
            *(Suppression(action=each) for each in hiding if each.kind == "suppress"),
        ),
        out_of_service=tuple(each for each in hiding if each.kind == "out_of_service"),
        assigned=_last(own, "assign"),
        concluded=_last(own, "conclude"),
    )


def _last(own: Sequence[Action], kind: ActionKind) -> Action | None:
    return next((each for each in reversed(own) if each.kind == kind), None)


def in_force(actions: Iterable[Action], now_ms: int) -> list[Action]:
    """The hidings that were not ended by another action or by time, in their order.

    Whether a one-shot shelving ended with its alert is not known here (`one_shot_over`).
    """
    held: dict[tuple[str, Target], Action] = {}
    for action in actions:
        place = _slot(action)
        if action.kind in {"shelve", "shelve_once", "suppress", "out_of_service"}:
            held[place] = action
        elif action.kind in {"unshelve", "unsuppress", "in_service"}:
            held.pop(place, None)
            if action.kind == "unshelve":
                held.pop(("shelve_once", Target(action.target.alert_id)), None)
    return [each for each in held.values() if not each.until_ms or each.until_ms > now_ms]


def one_shot_over(action: Action, alert: Alert) -> bool:
    """Whether the alert returned to normal since: it is, or it began anew."""
    return not alert.active or alert.count > action.count


def hides(alert: Alert, hidings: Iterable[Action], parents: Iterable[Alert], now_ms: int) -> str:
    """Why nobody is to be told of the alert now, in words; "" if somebody is. `hidings`: those in force."""
    for parent in _parents_of(alert, parents):
        return f"父告警 parent {parent.id[:12]}: {parent.title}"
    for each in hidings:
        if covers(each, alert) and _may_hide(each, alert, now_ms):
            return f"{_WORDS[each.kind]} by {each.by}: {each.why}"
    return ""


_WORDS = {
    "shelve": "搁置 shelved",
    "shelve_once": "一次性搁置 shelved once",
    "suppress": "设计抑制 suppressed",
    "out_of_service": "停用 out of service",
}


def _slot(action: Action) -> tuple[str, Target]:
    """What a later action of the same kind replaces, and its end ends."""
    target = action.target
    if action.kind in {"shelve", "unshelve"}:
        return "shelve", Target("", target.rule, target.place, target.device)
    if action.kind == "shelve_once":
        return "shelve_once", Target(target.alert_id)
    return ("suppress" if action.kind in {"suppress", "unsuppress"} else "out_of_service"), target


def _may_hide(action: Action, alert: Alert, now_ms: int) -> bool:
    if alert.severity == "life_safety" and not action.second:
        return False
    if action.until_ms and action.until_ms <= now_ms:
        return False
    return action.kind != "shelve_once" or not one_shot_over(action, alert)


def _parents_of(alert: Alert, parents: Iterable[Alert]) -> Sequence[Alert]:
    if alert.severity == "life_safety":
        return ()
    found = [each for each in parents if each.active and stands_for(each, alert)]
    return sorted(found, key=lambda parent: -len(parent.place))  # the nearest first
