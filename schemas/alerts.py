"""An alert, fields only for now: what the topic `alerts` will carry (compacted, key = id)."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Alert", "Severity"]

Severity = Literal["low", "medium", "high", "life_safety"]


class Alert(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A call for a timely response. `id` is a hash of rule + place + onset, fixed at first firing."""

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
