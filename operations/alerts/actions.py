"""What people do with alerts: one action, said once, kept for ever. Plain values.

An action is never changed or taken back: what ends it is another action, or time. Its `id` is its
identity, so that one that is said again (a phone that was offline, a retry) changes nothing.
"""

from __future__ import annotations

import hashlib
from typing import Final, Literal, get_args

import msgspec

from schemas.alerts import Alert

__all__ = ["ACTION_KINDS", "OUTCOMES", "OUTCOME_WORDS", "SCOPED", "Action", "ActionKind", "Outcome", "Target",
           "action_id", "counted_ms", "covers"]  # fmt: skip

ActionKind = Literal[
    "acknowledge", "assign", "comment", "conclude", "reset", "shelve", "shelve_once", "unshelve",
    "suppress", "unsuppress", "out_of_service", "in_service",
]  # fmt: skip
ACTION_KINDS: Final[tuple[ActionKind, ...]] = get_args(ActionKind)
Outcome = Literal["real", "nuisance", "device_fault", "test", "cannot_tell"]
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)
"""What an alert was in the end."""
OUTCOME_WORDS: Final[dict[Outcome, str]] = {
    "real": "属实 real",
    "nuisance": "误报 nuisance",
    "device_fault": "设备故障 device fault",
    "test": "测试 test",
    "cannot_tell": "无法判定 cannot tell",
}
SCOPED: Final = frozenset({"suppress", "unsuppress", "out_of_service", "in_service"})
"""Kinds that may be of a device, or of a rule and a place, instead of one alert."""
_OFFLINE_MAX_MS: Final = 12 * 3_600_000
_OF_ALARM: Final = frozenset({"shelve", "unshelve"})


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an action is about: one alert, a device, or all of a rule in a place (by prefix).

    Of an action on an alert, `rule`, `place` and `device` are that alert's.
    """

    alert_id: str = ""
    rule: str = ""
    place: str = ""
    device: str = ""

    @classmethod
    def of(cls, alert: Alert) -> Target:
        """That alert."""
        return cls(alert.id, alert.rule, alert.place, alert.device)

    def words(self) -> str:
        """What it is, for people."""
        if self.alert_id:
            return f"告警 alert {self.alert_id[:12]} ({self.rule} {self.place} {self.device})".replace(
                " )", ")"
            )
        if self.device:
            return f"设备 device {self.device}"
        return f"规则 rule {self.rule or '*'} 地点 place {self.place or '*'}"


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One act of one person. `second` is the other name where two are needed; `why` are their words.

    `until_ms`: when what it begins ends by itself (0: never); of an unshelving, when the shelving would
    have. `count`: the alert's count when it was said, by which a later occurrence is known. `outcome`: what
    the alert was, of `conclude`; `person`: who is to see to it, of `assign`.
    """

    id: str
    kind: ActionKind
    target: Target
    by: str
    at_ms: int
    why: str = ""
    second: str = ""
    until_ms: int = 0
    count: int = 0
    outcome: Outcome | Literal[""] = ""
    person: str = ""


def action_id(kind: ActionKind, target: Target, by: str, at_ms: int) -> str:
    """Deterministic identity for who has none of their own: 32 hex digits."""
    said = msgspec.json.encode([kind, target, by, at_ms])
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def counted_ms(said_ms: int, known_ms: int, now_ms: int) -> int:
    """When an act counts as said that came now: at `said_ms`, by the clock of a phone that had no connection.

    Not before the desk knew of the alert (`known_ms`), nor after now; what is older than a shift as of now.
    """
    if now_ms - said_ms > _OFFLINE_MAX_MS:
        return now_ms
    return min(max(said_ms, known_ms), now_ms)


def covers(action: Action, alert: Alert) -> bool:
    """Whether the action is about the alert.

    Timed shelving is of the alarm (rule, place and device together): it holds for later occurrences too.
    """
    target = action.target
    if action.kind in _OF_ALARM:
        return (alert.rule, alert.place, alert.device) == (target.rule, target.place, target.device)
    if target.alert_id:
        return target.alert_id == alert.id
    return (
        target.device in {"", alert.device}
        and alert.rule.startswith(target.rule)
        and alert.place.startswith(target.place)
    )
