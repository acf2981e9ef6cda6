"""The alerts that are listed: true now or waiting for a person, and no parent stands for them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from operations.alerts.states import hides
from operations.outgoing.geography import Geography
from operations.outgoing.words import spoken
from operations.pages.words import SEVERITIES
from schemas.alerts import SEVERITIES as ASCENDING
from schemas.alerts import Alert, Severity
from schemas.places.model import CodeScheme, Level

__all__ = ["AlertList", "AlertRow", "alert_list", "by_place", "listed"]


class AlertRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One alert as pages show it; of whom it tells is not among it. `where`: names from the street down."""

    id: str
    severity: Severity
    domain: str
    title: str
    english: str
    place: str
    where: str
    onset_ms: int
    active: bool
    count: int = 1
    children: int = 0
    latched: bool = False
    simulated: bool = False


class AlertList(msgspec.Struct, frozen=True):
    """How many are listed, by severity (most urgent first), and the most urgent of them, the newest first."""

    total: int
    counts: dict[Severity, int]
    rows: list[AlertRow]


def listed(alerts: Iterable[Alert], within: str = "") -> list[Alert]:
    """Those of a place that are active or latched, without those that another one stands for.

    Topmost the most urgent, of these the newest.
    """
    here = [a for a in alerts if (a.active or a.latched) and a.place.startswith(within)]
    parents = [alert for alert in here if alert.cause and alert.active]
    shown = [alert for alert in here if not hides(alert, (), parents, 0)]
    return sorted(shown, key=lambda a: (-ASCENDING.index(a.severity), -a.onset_ms, a.id))


def alert_list(alerts: Sequence[Alert], geography: Geography, limit: int) -> AlertList:
    """What is shown of listed alerts: all counted, `limit` of them told."""
    counts = Counter(alert.severity for alert in alerts)
    rows = [_row(alert, geography) for alert in alerts[:limit]]
    return AlertList(len(alerts), {severity: counts[severity] for severity in SEVERITIES}, rows)


def by_place(alerts: Iterable[Alert], scheme: CodeScheme) -> Counter[str]:
    """How many are listed in each place, those of the places it holds among them."""
    levels: tuple[Level, ...] = ("district", "street", "community", "grid")
    counts: Counter[str] = Counter()
    for alert in listed(alerts):
        counts.update({scheme.ancestor(alert.place, level) for level in levels})
    return counts


def _row(alert: Alert, geography: Geography) -> AlertRow:
    return AlertRow(
        id=alert.id,
        severity=alert.severity,
        domain=alert.domain,
        title=spoken(alert.title, "zh-CN"),
        english=spoken(alert.title, "en-US"),
        place=alert.place,
        where=_where(alert.place, geography),
        onset_ms=alert.onset_ms,
        active=alert.active,
        count=alert.count,
        children=alert.children,
        latched=alert.latched and not alert.active,
        simulated=alert.simulated,
    )


def _where(code: str, geography: Geography) -> str:
    """`香港中路街道 · 新贵都社区基础网格02（模拟）`; the code where it is no place of ours."""
    place = geography.place(code)
    if place is None:
        return code
    street = geography.place(code[:9]) if place.level in ("community", "grid") else None
    return place.name if street is None else f"{street.name} · {place.name}"
