"""People, their channels, and the routes that lead alerts to them. Plain values."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.alerts import SEVERITIES, Alert, Severity

__all__ = ["Notification", "OnCall", "Person", "Route", "Step", "Tracked"]


@dataclass(frozen=True, slots=True)
class Person:
    """`channels` are Apprise URLs, the preferred first; the next is taken when one fails."""

    name: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Who is told when the alert has been unacknowledged for `after_s`."""

    after_s: int
    people: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Alerts of `severity` and above, of a domain, rule and place (by prefix; "" is all), to steps."""

    name: str
    steps: tuple[Step, ...]
    severity: Severity = "low"
    domain: str = ""
    rule: str = ""
    place: str = ""

    def takes(self, alert: Alert) -> bool:
        """Whether the alert goes this way."""
        return (
            SEVERITIES.index(alert.severity) >= SEVERITIES.index(self.severity)
            and (not self.domain or alert.domain == self.domain)
            and alert.rule.startswith(self.rule)
            and alert.place.startswith(self.place)
        )


@dataclass(frozen=True, slots=True)
class OnCall:
    """Everything the on-call file says. Of the routes that take an alert the first one counts."""

    people: dict[str, Person]
    routes: tuple[Route, ...]
    too_old_s: int = 3600

    def route_of(self, alert: Alert) -> Route | None:
        """The route of an alert; None: nobody is told, it stands on the list."""
        return next((route for route in self.routes if route.takes(alert)), None)


@dataclass(frozen=True, slots=True)
class Tracked:
    """An alert as the desk knows it: its newest version, when it first saw it, who acknowledged it."""

    alert: Alert
    first_seen_ms: int
    acknowledged_by: str = ""
    acknowledged_ms: int = 0


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one person about one alert; `key` is its identity: the same key is the same message."""

    key: str
    alert_id: str
    person: str
    step: int
    due_ms: int
