"""Which alerts are wanted, and how one is told in a line. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec.structs

from schemas.alerts import SEVERITIES, Alert, Severity

__all__ = ["SEVERITY_NAMES", "Selection", "choose", "choose_order", "facts"]

SEVERITY_NAMES: Final[dict[Severity, str]] = {
    "low": "低 low",
    "medium": "中 medium",
    "high": "高 high",
    "life_safety": "生命安全 life safety",
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which alerts are wanted; None wants all. `place` takes a place and all within it, by prefix."""

    active: bool | None = None
    severity: Severity | None = None
    place: str = ""
    rule: str = ""
    since_ms: int | None = None

    def takes(self, alert: Alert) -> bool:
        """Whether the alert is wanted; severity wants that one and above."""
        return (
            (self.active is None or listed(alert) == self.active)
            and (self.severity is None or _rank(alert.severity) >= _rank(self.severity))
            and alert.place.startswith(self.place)
            and alert.rule.startswith(self.rule)
            and (self.since_ms is None or max(alert.told_ms, alert.onset_ms) >= self.since_ms)
        )


def listed(alert: Alert) -> bool:
    """Whether it is on the operators' list: its condition is true, or it stays until a person resets it."""
    return alert.active or alert.latched


def choose(alerts: Iterable[Alert], selection: Selection) -> list[Alert]:
    """The wanted ones: the most urgent first, of those the newest first."""
    wanted = [alert for alert in alerts if selection.takes(alert)]
    return sorted(wanted, key=choose_order)


def choose_order(alert: Alert) -> tuple[int, int, str]:
    """What lists of alerts are sorted by."""
    return -_rank(alert.severity), -alert.onset_ms, alert.id


def facts(alert: Alert) -> dict[str, Any]:
    """Everything there is, ready for JSON, with times people can read."""
    said = msgspec.structs.asdict(alert)
    times = {"onset_at": alert.onset_ms, "cleared_at": alert.cleared_ms, "told_at": alert.told_ms}
    return said | {
        name: datetime.fromtimestamp(ms / 1000, UTC).isoformat() for name, ms in times.items() if ms
    }


def _rank(severity: Severity) -> int:
    return SEVERITIES.index(severity)
