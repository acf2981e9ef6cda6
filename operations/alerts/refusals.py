"""Which actions are not allowed in which state, with the words that say so. Pure; wall time passed in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Final

from operations.alerts.actions import OUTCOMES, Action, ActionKind
from operations.alerts.states import State, in_force
from schemas.alerts import Alert
from schemas.calendar import local
from schemas.errors import received_allowed

__all__ = ["MAX_SHELVE_S", "refusal", "scope_refusal"]

MAX_SHELVE_S: Final = 8 * 3600
"""How long a shelving may last unless the settings say otherwise: one shift."""
_NEED_WHY: Final = frozenset({"shelve", "shelve_once", "suppress", "out_of_service", "comment"})
_HIDING: Final = frozenset({"shelve", "shelve_once", "suppress", "out_of_service"})


def refusal(action: Action, alert: Alert, state: State, max_shelve_s: int = MAX_SHELVE_S) -> str:
    """Why the action on this alert is not allowed, in words; "" if it is."""
    return (
        _common(action) or _second(action, alert) or _CHECKS[action.kind](action, alert, state, max_shelve_s)
    )


def scope_refusal(action: Action, actions: Iterable[Action]) -> str:
    """The same for an action on a device, or on a rule in a place, given what was said before."""
    target = action.target
    if not (target.device or target.rule or target.place):
        return "未指定对象 target: received nothing, allowed: an alert, --device, or --rule and --place"
    if problem := _common(action):
        return problem
    wanted = "suppress" if action.kind in {"suppress", "unsuppress"} else "out_of_service"
    standing = next(
        (e for e in in_force(actions, action.at_ms) if e.kind == wanted and e.target == target), None
    )
    begins = action.kind == wanted
    if begins and standing is not None:
        return f"已处于该状态 already so: {_who(standing)}: {standing.why}"
    if not begins and standing is None:
        return f"{target.words()}: 未处于该状态 not {wanted.replace('_', ' ')}"
    return ""


def _common(action: Action) -> str:
    if not action.by.strip():
        return "操作人 by: received '', allowed: a name"
    if action.kind in _NEED_WHY and not action.why.strip():
        return "原因 why: received '', allowed: the reason in words"
    if action.until_ms and action.until_ms <= action.at_ms and action.kind in _HIDING:
        return "期限 until: received a moment that has passed, allowed: a later one"
    if action.second and action.second.strip() == action.by.strip():
        return f"第二人 second: received {action.second!r}, who is the first too, allowed: another person"
    return ""


def _second(action: Action, alert: Alert) -> str:
    if action.kind in _HIDING and alert.severity == "life_safety" and not action.second:
        return (
            "生命安全告警须两人同意 life safety is not hidden by a single person: "
            "second: received '', allowed: another name (--second)"
        )
    return ""


def _acknowledge(action: Action, _alert: Alert, state: State, _max_s: int) -> str:
    first = state.acknowledged
    if first is not None and first.at_ms <= action.at_ms:
        return f"已确认 already acknowledged by {_who(first)}"
    if state.reset is not None and action.at_ms < state.reset.at_ms:
        return f"已复位 reset since by {_who(state.reset)}"
    return ""


def _comment(_action: Action, _alert: Alert, _state: State, _max_s: int) -> str:
    return ""


def _assign(action: Action, _alert: Alert, state: State, _max_s: int) -> str:
    if not action.person.strip():
        return "人员 person: received '', allowed: the name of who is to see to it"
    same = state.assigned if state.assigned and state.assigned.person == action.person else None
    return f"已指派 already assigned to {action.person} by {_who(same)}" if same else ""


def _conclude(action: Action, _alert: Alert, state: State, _max_s: int) -> str:
    if action.outcome not in OUTCOMES:
        return received_allowed("结论 outcome", action.outcome, OUTCOMES)
    same = state.concluded if state.concluded and state.concluded.outcome == action.outcome else None
    return f"已有结论 already concluded {action.outcome} by {_who(same)}" if same else ""


def _reset(_action: Action, alert: Alert, state: State, _max_s: int) -> str:
    if not alert.latched:
        return "无需复位 not latched: it leaves the list by itself"
    if state.active:
        return "仍在活动 still active: reset when the condition is over"
    if not state.latched and state.reset is not None:
        return f"已复位 already reset by {_who(state.reset)}"
    if state.acknowledged is None:
        return "尚未确认 not acknowledged: acknowledge it first"
    return ""


def _shelve(action: Action, _alert: Alert, state: State, max_shelve_s: int) -> str:
    if state.shelved is not None:
        return f"已搁置 already shelved by {_who(state.shelved)} until {_moment(state.shelved.until_ms)}"
    if not state.listed:
        return "已恢复 over: there is nothing to shelve"
    if not action.until_ms:
        return "期限 until: received none, allowed: a moment within the longest shelving"
    asked_s = (action.until_ms - action.at_ms) / 1000
    if asked_s > max_shelve_s:
        return (
            f"搁置过长 shelving: received {_span(asked_s)}, allowed: at most {_span(max_shelve_s)} "
            "(max_shelve_s)"
        )
    if action.kind == "shelve_once" and not state.active:
        return "已恢复 not active: a one-shot shelving ends at the return to normal, which has been"
    return ""


def _unshelve(_action: Action, _alert: Alert, state: State, _max_s: int) -> str:
    return "" if state.shelved is not None else "未搁置 not shelved"


def _suppress(action: Action, _alert: Alert, state: State, _max_s: int) -> str:
    before = next((s.action for s in state.suppressed if s.action and s.action.target == action.target), None)
    return f"已抑制 already suppressed by {_who(before)}: {before.why}" if before else ""


def _unsuppress(action: Action, _alert: Alert, state: State, _max_s: int) -> str:
    if any(each.action and each.action.target == action.target for each in state.suppressed):
        return ""
    for each in state.suppressed:
        if each.action:
            return f"未单独抑制 not suppressed by itself, but by {each.action.target.words()}: end that"
        if each.parent:
            return f"随父告警结束 suppressed by its parent {each.parent.id[:12]}: it ends with that"
    return "未抑制 not suppressed"


def _service(action: Action, _alert: Alert, _state: State, _max_s: int) -> str:
    return f"对象 target: {action.kind} is of a device, or of a rule and a place, not of one alert"


_Check = Callable[[Action, Alert, State, int], str]
_CHECKS: Final[dict[ActionKind, _Check]] = {
    "acknowledge": _acknowledge,
    "assign": _assign,
    "comment": _comment,
    "conclude": _conclude,
    "reset": _reset,
    "shelve": _shelve,
    "shelve_once": _shelve,
    "unshelve": _unshelve,
    "suppress": _suppress,
    "unsuppress": _unsuppress,
    "out_of_service": _service,
    "in_service": _service,
}


def _who(action: Action) -> str:
    return f"{action.by} at {_moment(action.at_ms)}"


def _moment(at_ms: int) -> str:
    return f"{local(at_ms):%m-%d %H:%M:%S}"


def _span(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))
