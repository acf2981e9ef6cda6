"""An alert: a call for a timely response by a named person; the topic `alerts` is compacted, key = id.

The terms are those of ISA-18.2 and OPC UA Part 9 (5.8). The pipeline's side is on this topic: whether the
condition is true, since when, how often, why. What people do (acknowledge, shelve, …) is in the desk's
database, and what both make together is a view (`taishi alerts`, `operations/alerts/states.py`).
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

__all__ = ["LEVELS", "ONSET_BEFORE_MS", "SEVERITIES", "Alert", "Level", "Severity", "alert_id", "stands_for"]

Severity = Literal["low", "medium", "high", "life_safety"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "life_safety")
"""From the least to the most urgent."""
Level = Literal["device", "grid", "community", "street", "district"]
LEVELS: tuple[Level, ...] = ("device", "grid", "community", "street", "district")
"""From the smallest place to the largest."""
ONSET_BEFORE_MS = 600_000
"""How long before a parent's onset an alert may have begun for the parent to stand for it: a parent is made
of alerts that came before it."""


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One occurrence of one condition in one place; written whole at every change.

    `id` is fixed at the first firing. `active`: the condition is true; `cleared_ms` is the event time at
    which it no longer was. `latched`: it stays on the list until a person resets it, whatever the device
    says next. `told_ms`: newest event time at which the condition was still reported. `count`: how many
    occurrences are merged in it (a chattering detector is one alert). `device` names the device of a
    signal. `explanation` says in words why, 简体中文 first. `parent`: the alert that stands for this one
    and its like. `cause` makes an alert a parent: it stands for alerts of that rule (`stands_for`), of
    which there are `children`. `revision` rises with every change.
    """

    id: str
    rule: str
    severity: Severity
    domain: str
    level: str
    place: str
    onset_ms: int
    active: bool
    title: str
    observed: float | None = None
    expected: float | None = None
    threshold: float | None = None
    revision: int = 0
    simulated: bool = False
    cleared_ms: int = 0
    told_ms: int = 0
    latched: bool = False
    count: int = 1
    chattering: bool = False
    device: str = ""
    subject: str = ""
    explanation: str = ""
    parent: str = ""
    cause: str = ""
    children: int = 0


def stands_for(parent: Alert, alert: Alert) -> bool:
    """Whether the parent stands for the alert: same cause, in its place, of its time.

    An alert that began up to `ONSET_BEFORE_MS` before its parent belongs to it, and so does one that began
    while the parent was active. A parent of a smaller place is itself stood for by that of a larger one.
    Severity is not looked at: that life safety is never collapsed is the rule of whoever shows a list.
    """
    within = alert.place.startswith(parent.place) and (not alert.cause or alert.place != parent.place)
    return (
        parent.cause != ""
        and parent.cause == (alert.cause or alert.rule)
        and parent.id != alert.id
        and within
        and _above(parent.level, alert.level)
        and parent.onset_ms - ONSET_BEFORE_MS <= alert.onset_ms
        and (parent.active or alert.onset_ms <= parent.cleared_ms)
    )


def _above(level: str, other: str) -> bool:
    """Whether a level is one above; one that is not known is above none and below none."""
    known: tuple[str, ...] = LEVELS
    return level in known and other in known and known.index(level) > known.index(other)


def alert_id(rule: str, place: str, onset_ms: int, what: str = "") -> str:
    """Deterministic id: 32 hex digits of BLAKE2b over rule, place, onset and, of a signal, its device."""
    identity = "\0".join((rule, place, str(onset_ms), what))
    return hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
