"""Residents at risk, by pseudonym, and how many there are where, without telling of few. Pure.

Risk is what was alerted of a resident lately: each alert weighs by its severity, half as much each day; one
that stands weighs in full. It orders who is looked after first; it is no diagnosis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from operations.outgoing.masking import hidden
from schemas.alerts import Alert, Severity

__all__ = ["AtRisk", "PlaceAtRisk", "at_risk", "by_place"]

_WEIGHTS: Final[Mapping[Severity, float]] = {"low": 1, "medium": 2, "high": 4, "life_safety": 8}
_HALF_MS: Final = 24 * 3_600_000
RISK: Final = 2.0
"""From this score on somebody is at risk: one alert of medium priority that stands."""
_LEVELS: Final = (6, 9, 12)
"""Digits of district, street, community: below a community counts are of too few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AtRisk:
    """A resident, by pseudonym. `reasons`: titles of what was alerted, the newest first, each once."""

    subject: str
    place: str
    score: float
    alerts: int
    active: int
    last_ms: int
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceAtRisk:
    """How many residents at risk a place has; None: fewer than five, or a difference would tell of so few."""

    place: str
    residents: int | None


def at_risk(alerts: Iterable[Alert], now_ms: int, since_ms: int) -> list[AtRisk]:
    """Residents with alerts since then or standing now whose score is a risk, the highest first."""
    own: dict[str, list[Alert]] = {}
    for alert in alerts:
        if alert.subject and alert.domain == "care" and (alert.active or alert.onset_ms >= since_ms):
            own.setdefault(alert.subject, []).append(alert)
    found = [_resident(subject, each, now_ms) for subject, each in own.items()]
    return sorted((each for each in found if each.score >= RISK), key=lambda e: (-e.score, e.subject))


def by_place(residents: Iterable[AtRisk]) -> list[PlaceAtRisk]:
    """The counts of district, streets and communities; those of few people are not told."""
    counts: dict[str, float] = {}
    for resident in residents:
        for digits in _LEVELS:
            if len(resident.place) >= digits:
                place = resident.place[:digits]
                counts[place] = counts.get(place, 0) + 1
    parents = {place: _parent(place) for place in counts}
    masked = hidden(counts, parents)
    return [
        PlaceAtRisk(place=place, residents=None if place in masked else int(count))
        for place, count in sorted(counts.items())
    ]


def _resident(subject: str, alerts: list[Alert], now_ms: int) -> AtRisk:
    newest = sorted(alerts, key=lambda alert: -alert.onset_ms)
    score = sum(_WEIGHTS[alert.severity] * _share(alert, now_ms) for alert in alerts)
    return AtRisk(
        subject=subject,
        place=newest[0].place,
        score=round(score, 1),
        alerts=len(alerts),
        active=sum(alert.active or alert.latched for alert in alerts),
        last_ms=newest[0].onset_ms,
        reasons=tuple(dict.fromkeys(alert.title for alert in newest))[:3],
    )


def _share(alert: Alert, now_ms: int) -> float:
    return 1.0 if alert.active or alert.latched else 0.5 ** (max(0, now_ms - alert.onset_ms) / _HALF_MS)


def _parent(place: str) -> str | None:
    at = _LEVELS.index(len(place))
    return place[: _LEVELS[at - 1]] if at else None
