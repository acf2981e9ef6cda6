"""For how long the desk keeps what it has of people and places, and what the least is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from schemas.errors import SettingsError, received_allowed

__all__ = ["AUDIT_LEAST_DAYS", "DAY_MS", "KEEP_DAYS", "keep_days", "older_than_ms"]

DAY_MS: Final = 86_400_000
KEEP_DAYS: Final[Mapping[str, float]] = {
    "sessions": 30,
    "failed_sign_ins": 30,
    "notifications": 183,
    "check_ins": 183,
    "alerts": 1095,
}
"""Tables of the desk -> days, where `desk_keep_days` says nothing else. Cases are kept: years are compared.

`alerts`: those that are over and of no case, with what people did with them."""
LEAST_DAYS: Final[Mapping[str, float]] = {"sessions": 8, "failed_sign_ins": 1, "notifications": 183}
"""A phone's session lasts a week; a lock looks back an hour; who was told what is a log of the network's."""
AUDIT_LEAST_DAYS: Final = 183
"""Six months (Cybersecurity Law). The record of who did what is kept for good: no job touches it."""


def keep_days(given: Mapping[str, float]) -> dict[str, float]:
    """How long each table is kept. SettingsError for a table that is none, or too short a time."""
    for name, days in given.items():
        if name not in KEEP_DAYS:
            raise SettingsError(received_allowed("desk_keep_days", name, sorted(KEEP_DAYS)))
        if days < (least := LEAST_DAYS.get(name, 1)):
            raise SettingsError(f"desk_keep_days.{name}: received {days:g}, allowed: at least {least:g}")
    kept = {**KEEP_DAYS, **given}
    if kept["alerts"] < kept["notifications"]:
        words = f"received {kept['alerts']:g}, allowed: at least as long as notifications, which tell of them"
        raise SettingsError(f"desk_keep_days.alerts: {words} ({kept['notifications']:g})")
    return kept


def older_than_ms(kept: Mapping[str, float], now_ms: int) -> dict[str, int]:
    """The moment before which each table's rows are over-age."""
    return {name: now_ms - round(days * DAY_MS) for name, days in kept.items()}
