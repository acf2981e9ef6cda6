"""Alerts as a person sees them: with their states, and children under their parents. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from operations.alerts.actions import OUTCOME_WORDS, Action
from operations.alerts.choose import facts
from operations.alerts.states import State, state_of
from schemas.alerts import Alert
from schemas.calendar import local

__all__ = ["View", "left", "said", "shown", "state_facts", "state_words", "view_facts", "views"]

_STATE_KINDS: Final = frozenset({"acknowledge", "assign", "conclude", "reset"})


@dataclass(frozen=True, slots=True)
class View:
    """An alert and its state; `children`: ids of those on the list that it stands for now."""

    alert: Alert
    state: State
    children: tuple[str, ...] = ()

    @property
    def parent(self) -> str:
        """The id of the alert that stands for it now; "" if none does."""
        return next((each.parent.id for each in self.state.suppressed if each.parent), "")


def views(
    alerts: Sequence[Alert], actions: Iterable[Action], hidings: Sequence[Action], now_ms: int
) -> list[View]:
    """Each alert with its state. `actions`: those on the alerts; `hidings`: those in force."""
    own: dict[str, list[Action]] = defaultdict(list)
    for action in actions:
        if action.kind in _STATE_KINDS:
            own[action.target.alert_id].append(action)
    parents: dict[str, list[Alert]] = defaultdict(list)
    for alert in alerts:
        if alert.cause and alert.active:
            parents[alert.cause].append(alert)
    found = [View(a, state_of(a, [*own[a.id], *hidings], now_ms, parents[a.cause or a.rule])) for a in alerts]
    return _with_children(found)


def _with_children(found: Sequence[View]) -> list[View]:
    children: dict[str, list[str]] = defaultdict(list)
    for view in found:
        if view.state.listed:
            for each in view.state.suppressed:
                if each.parent:
                    children[each.parent.id].append(view.alert.id)
    return [View(v.alert, v.state, tuple(children[v.alert.id])) for v in found]


def shown(found: Sequence[View], *, hidden: bool) -> list[View]:
    """In their order, without the hidden ones; or with them, children right after their parents."""
    if not hidden:
        return [view for view in found if not view.state.hidden]
    here = {view.alert.id for view in found}
    below: dict[str, list[View]] = defaultdict(list)
    for view in found:
        if view.parent in here:
            below[view.parent].append(view)
    ordered: list[View] = []

    def put(view: View) -> None:
        ordered.append(view)
        for child in below[view.alert.id]:
            put(child)

    for view in found:
        if view.parent not in here:
            put(view)
    return ordered


def view_facts(view: View) -> dict[str, Any]:
    """Everything there is, ready for JSON."""
    return facts(view.alert) | {"state": state_facts(view.state), "children_ids": list(view.children)}


def state_facts(state: State) -> dict[str, Any]:
    """Each part of the state with its own who, when and why."""
    return {
        "active": state.active,
        "latched": state.latched,
        "hidden": state.hidden,
        "shelving": state.shelving,
        "acknowledged": said(state.acknowledged),
        "reset": said(state.reset),
        "shelved": said(state.shelved),
        "suppressed": [
            {"parent": each.parent.id} if each.parent else said(each.action) for each in state.suppressed
        ],
        "out_of_service": [said(each) for each in state.out_of_service],
        "assigned": said(state.assigned),
        "concluded": said(state.concluded),
    }


def said(action: Action | None) -> dict[str, Any] | None:
    """An action, ready for JSON; None where there is none."""
    if action is None:
        return None
    target = action.target
    found: dict[str, Any] = {
        "id": action.id,
        "kind": action.kind,
        "alert": target.alert_id,
        "rule": target.rule,
        "place": target.place,
        "device": target.device,
        "by": action.by,
        "second": action.second,
        "at": local(action.at_ms).isoformat(timespec="milliseconds"),
        "at_ms": action.at_ms,
        "why": action.why,
    }
    more = {"until_ms": action.until_ms, "outcome": action.outcome, "person": action.person}
    return found | {name: value for name, value in more.items() if value}


def state_words(view: View, now_ms: int) -> str:
    """The state in a few words."""
    state = view.state
    words = [_condition(view.alert, state)]
    if state.acknowledged:
        words.append(f"已确认 acked {state.acknowledged.by}")
    if state.assigned:
        words.append(f"指派 assigned {state.assigned.person}")
    if state.concluded and state.concluded.outcome:
        words.append(OUTCOME_WORDS[state.concluded.outcome])
    if state.shelved:
        words.append(f"搁置 shelved {left(state.shelved.until_ms, now_ms)}")
    if state.suppressed:
        words.append("父告警 child" if view.parent else "抑制 suppressed")
    if state.out_of_service:
        words.append("停用 out of service")
    return "\n".join(words)


def left(until_ms: int, now_ms: int) -> str:
    """How long it still lasts, as hours:minutes; "–" where it does not end by itself."""
    if not until_ms:
        return "–"
    minutes = max(0, until_ms - now_ms) // 60_000
    return f"{minutes // 60}:{minutes % 60:02}"


def _condition(alert: Alert, state: State) -> str:
    if alert.chattering and alert.active:
        return "抖动 chatter"
    if alert.active:
        return "活动 active"
    return "待复位 latched" if state.latched else "已恢复 cleared"
