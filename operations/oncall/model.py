"""People, their channels, and the routes that lead alerts to them. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from operations.alerts.refusals import MAX_SHELVE_S
from operations.handover.model import HandoverRules
from operations.oncall.flood import FloodLimits
from operations.oncall.hours import SHIFTS, WORKING_HOURS, Span, When, working
from schemas.alerts import SEVERITIES, Alert, Severity

__all__ = ["Message", "Notification", "OnCall", "Person", "Route", "Step", "Tracked"]


@dataclass(frozen=True, slots=True)
class Person:
    """`channels` are Apprise URLs, the preferred first; the next is taken when one fails."""

    name: str
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """Who is told when the alert has been unacknowledged for `after_s`.

    A name is a person's, or that of a post: whoever holds it then. They are told again every `repeat_s`, at
    most `repeat_max` times, while nobody acknowledges.
    """

    after_s: int
    people: tuple[str, ...]
    repeat_s: int = 0
    repeat_max: int = 0


@dataclass(frozen=True, slots=True)
class Route:
    """Alerts of `severity` and above, of a domain, level, rule and place, at a time, to steps.

    Rule and place are taken by prefix; "" is all.
    """

    name: str
    steps: tuple[Step, ...]
    severity: Severity = "low"
    domain: str = ""
    rule: str = ""
    place: str = ""
    level: str = ""
    when: When = "always"

    def takes(self, alert: Alert) -> bool:
        """Whether the alert goes this way, at a time it is open."""
        return (
            SEVERITIES.index(alert.severity) >= SEVERITIES.index(self.severity)
            and (not self.domain or alert.domain == self.domain)
            and (not self.level or alert.level == self.level)
            and alert.rule.startswith(self.rule)
            and alert.place.startswith(self.place)
        )


@dataclass(frozen=True, slots=True)
class OnCall:
    """Everything the on-call file says. Of the routes that take an alert the first one counts.

    `posts`: who may sit at a post; who does is told by the signatures of hand-overs.
    """

    people: dict[str, Person]
    routes: tuple[Route, ...]
    too_old_s: int = 3600
    working_hours: tuple[Span, ...] = WORKING_HOURS
    shifts: tuple[Span, ...] = SHIFTS
    flood: FloodLimits = field(default_factory=FloodLimits)
    max_shelve_s: int = MAX_SHELVE_S
    posts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    handover: HandoverRules = field(default_factory=HandoverRules)

    def route_of(self, alert: Alert, at_ms: int) -> Route | None:
        """The route of an alert that comes at that moment; None: nobody is told, it stands on the list."""
        now = "working_hours" if working(at_ms, self.working_hours) else "non_working_hours"
        return next(
            (route for route in self.routes if route.when in {"always", now} and route.takes(alert)), None
        )


@dataclass(frozen=True, slots=True)
class Tracked:
    """An alert as the desk knows it: its newest version, when it first saw it, who acknowledged it.

    `hidden`, `round`, `visible_ms`: as annunciation last saw it. Each time it ceases to be hidden a round
    of notifications begins, at `visible_ms`.
    """

    alert: Alert
    first_seen_ms: int
    acknowledged_by: str = ""
    acknowledged_ms: int = 0
    hidden: bool = False
    round: int = 0
    visible_ms: int = 0

    @property
    def waiting(self) -> bool:
        """Whether it waits for somebody: on the list, and not acknowledged."""
        return (self.alert.active or self.alert.latched) and not self.acknowledged_by


@dataclass(frozen=True, slots=True)
class Notification:
    """One message to one person about one alert; `key` is its identity: the same key is the same message.

    `repeat`: how many times the same was said before. `again`: the person was told in this round already.
    """

    key: str
    alert_id: str
    person: str
    step: int
    due_ms: int
    repeat: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """Words to one person that are of no alert; `key` is its identity: the same key is sent once."""

    key: str
    person: str
    head: str
    text: str
