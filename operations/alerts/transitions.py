"""The history of an alert: every transition with who, when and why, also those that time made. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from operations.alerts.actions import Action, covers
from operations.alerts.states import one_shot_over
from schemas.alerts import Alert

__all__ = ["BY_ITSELF", "TRANSITION_WORDS", "Transition", "transitions"]

BY_ITSELF: Final = "taishi"
"""Who did what nobody did: the condition, a time limit."""
TRANSITION_WORDS: Final[dict[str, str]] = {
    "raised": "触发 raised",
    "cleared": "恢复 returned to normal",
    "acknowledge": "已确认 acknowledged",
    "assign": "指派 assigned",
    "comment": "备注 comment",
    "conclude": "结论 concluded",
    "reset": "已复位 reset",
    "shelve": "搁置 shelved",
    "shelve_once": "一次性搁置 shelved once",
    "unshelve": "取消搁置 unshelved",
    "suppress": "抑制 suppressed",
    "unsuppress": "解除抑制 suppression ended",
    "out_of_service": "停用 out of service",
    "in_service": "恢复使用 in service",
}


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """One change. `what` is a key of TRANSITION_WORDS; `at_ms` is event time of what the condition did."""

    at_ms: int
    what: str
    by: str
    why: str = ""
    second: str = ""
    until_ms: int = 0
    outcome: str = ""
    person: str = ""


def transitions(alert: Alert, actions: Sequence[Action], now_ms: int) -> list[Transition]:
    """What happened to the alert up to now, by time."""
    own = [action for action in actions if covers(action, alert) and action.at_ms <= now_ms]
    found = [*_condition(alert), *(_said(action) for action in own), *_ended(alert, own, now_ms)]
    return sorted(found, key=lambda each: each.at_ms)


def _condition(alert: Alert) -> Iterator[Transition]:
    yield Transition(at_ms=alert.onset_ms, what="raised", by=BY_ITSELF, why=alert.explanation or alert.title)
    if not alert.active and alert.cleared_ms:
        yield Transition(at_ms=alert.cleared_ms, what="cleared", by=BY_ITSELF)


def _said(action: Action) -> Transition:
    return Transition(
        at_ms=action.at_ms,
        what=action.kind,
        by=action.by,
        why=action.why,
        second=action.second,
        until_ms=action.until_ms,
        outcome=action.outcome,
        person=action.person,
    )


def _ended(alert: Alert, own: Sequence[Action], now_ms: int) -> Iterator[Transition]:
    """Hidings that ended by themselves: their time was up, or the alert returned to normal."""
    ends = {"shelve": "unshelve", "shelve_once": "unshelve", "suppress": "unsuppress"}
    for number, action in enumerate(own):
        if action.kind not in ends:
            continue
        at_ms, why = _end(alert, action)
        later = own[number + 1 :]
        if at_ms and at_ms <= now_ms and not _before(later, ends[action.kind], at_ms):
            yield Transition(at_ms=at_ms, what=ends[action.kind], by=BY_ITSELF, why=why)


def _end(alert: Alert, action: Action) -> tuple[int, str]:
    """When it ends by itself (0: never), and why then."""
    if action.kind == "shelve_once" and one_shot_over(action, alert):
        # One that began anew does not say when it had ended; not before the shelving, in any case.
        at_ms = max(action.at_ms, alert.cleared_ms or alert.told_ms)
        if not action.until_ms or at_ms < action.until_ms:
            return at_ms, "恢复正常 returned to normal"
    return action.until_ms, "到期 time is up"


def _before(later: Iterable[Action], kind: str, at_ms: int) -> bool:
    return any(each.kind == kind and each.at_ms <= at_ms for each in later)
