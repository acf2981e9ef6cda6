"""An alert: a call for a timely response by a named person; the topic `alerts` is compacted, key = id.

The terms are those of ISA-18.2 and OPC UA Part 9 (5.8). The pipeline's side is on this topic: whether the
condition is true, since when, how often, why. What people do (acknowledge, shelve, …) is on the topic
`alert-actions`, and what both make together is a view (`taishi alerts`, the operations desk).
"""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

__all__ = ["SEVERITIES", "Alert", "Level", "Severity", "alert_id"]

Severity = Literal["low", "medium", "high", "life_safety"]
SEVERITIES: tuple[Severity, ...] = ("low", "medium", "high", "life_safety")
"""From the least to the most urgent."""
Level = Literal["device", "grid", "community", "street", "district"]


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One occurrence of one condition in one place; written whole at every change.

    `id` is fixed at the first firing. `active`: the condition is true; `cleared_ms` is the event time at
    which it no longer was. `latched`: it stays on the list until a person resets it, whatever the device
    says next. `told_ms`: newest event time at which the condition was still reported. `count`: how many
    occurrences are merged in it (a chattering detector is one alert). `device` names the device of a
    signal. `explanation` says in words why, 简体中文 first. `parent`: the alert that stands for this one
    and its like. `revision` rises with every change.
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


def alert_id(rule: str, place: str, onset_ms: int, what: str = "") -> str:
    """Deterministic id: 32 hex digits of BLAKE2b over rule, place, onset and, of a signal, its device."""
    identity = "\0".join((rule, place, str(onset_ms), what))
    return hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()
