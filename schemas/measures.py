"""Measures: the additive figures of a window and how each is made from readings.

Every measure is a sum, so that district = Σ streets = Σ communities = Σ grids holds for each of
them; what is not additive (a rate, a mean) is derived from sums at the level where it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from schemas.kinds import DOMAINS, KINDS, METRICS, Domain, metric_key

__all__ = [
    "DERIVED",
    "HAPPENS",
    "MEASURES",
    "OVER_TIME",
    "Measure",
    "OverTime",
    "Ratio",
    "Rule",
    "Term",
    "derive",
    "lasts",
]

Rule = Literal[
    "sum",  # Σ value of the events in the window
    "count",  # number of readings in the window
    "out_of_normal",  # number of readings outside the metric's normal range
    "distinct_devices",  # distinct devices that reported in the window
    "distinct_subjects",  # distinct people heard of in the window
    "simulated",  # number of readings in the window that are simulated
    "entities",  # gauges known at the window's end, silent or not
    "entities_silent",  # of them, silent for longer than their kind allows
    "held_live",  # Σ last value of the gauges that are not silent, at the window's end
    "held",  # Σ last value of all gauges, at the window's end
    "held_silent",  # Σ last value of the silent gauges, at the window's end
    "rises",  # transitions to a higher value, Σ of the increase, in event order
]

OverTime = Literal[
    "sum",  # what happened: an hour is the sum of its minutes
    "last",  # a state at the window's end: an hour is its last minute
    "distinct",  # who was heard of: counted anew over the hour, at most the sum of its minutes
]

OVER_TIME: Final[dict[Rule, OverTime]] = {
    "sum": "sum",
    "count": "sum",
    "out_of_normal": "sum",
    "simulated": "sum",
    "rises": "sum",
    "distinct_devices": "distinct",
    "distinct_subjects": "distinct",
    "entities": "last",
    "entities_silent": "last",
    "held_live": "last",
    "held": "last",
    "held_silent": "last",
}
"""What a longer window is of the shorter ones that fill it. All three are exact, also after late readings."""

HAPPENS: Final = frozenset(rule for rule, kind in OVER_TIME.items() if kind == "sum")
"""Rules of measures that add up over time: three alarms in one minute and two in the next are five."""


@dataclass(frozen=True, slots=True)
class Term:
    """One rule applied to some metrics (full keys)."""

    rule: Rule
    metrics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """`name` is the sum of its `terms`."""

    name: str
    unit: str
    description: str
    terms: tuple[Term, ...]

    @property
    def over_time(self) -> OverTime:
        """What a longer window's value is of the shorter ones'."""
        (kind,) = {OVER_TIME[term.rule] for term in self.terms}
        return kind


def lasts(measure: Measure) -> bool:
    """Whether it says how things stand (spaces occupied) and not what happened (arrivals).

    What happened adds up over windows; how things stand has a mean over them.
    """
    return measure.over_time != "sum"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure formed of sums of one window and place: `part` / (`whole` - `minus`)."""

    part: str
    whole: str
    minus: str
    unit: str
    description: str

    @property
    def sums(self) -> tuple[str, ...]:
        """The measures it is formed of."""
        return (self.part, self.whole, *((self.minus,) if self.minus else ()))

    def of(self, sums: Mapping[str, float]) -> float | None:
        """The figure; None where there is nothing below the line."""
        below = sums[self.whole] - (sums[self.minus] if self.minus else 0.0)
        return sums[self.part] / below if below > 0 else None


def _keys(domain: Domain) -> tuple[str, ...]:
    return tuple(metric_key(k.name, m.name) for k in KINDS.values() if k.domain == domain for m in k.metrics)


def _general(domain: Domain) -> tuple[Measure, ...]:
    keys = _keys(domain)
    return (
        Measure("readings", "1", "readings that fell in the window", (Term("count", keys),)),
        Measure("readings_simulated", "1", "of them, simulated", (Term("simulated", keys),)),
        Measure("devices", "1", "distinct devices heard of", (Term("distinct_devices", keys),)),
    )


def _sum(name: str, description: str, *keys: str) -> Measure:
    return Measure(name, "1", description, (Term("sum", keys),))


def _mean(name: str, key: str) -> tuple[Measure, Measure]:
    unit = METRICS[key].unit
    return (
        Measure(f"{name}_sum", unit, f"sum of {name} readings", (Term("sum", (key,)),)),
        Measure(f"{name}_count", "1", f"number of {name} readings", (Term("count", (key,)),)),
    )


_SPACE, _LOT, _CAPACITY = "parking.space.occupied", "parking.lot.occupied", "parking.lot.capacity"
_VITALS = tuple(metric_key("care.vitals", m.name) for m in KINDS["care.vitals"].metrics)

MEASURES: Final[dict[Domain, tuple[Measure, ...]]] = {
    "parking": (
        Measure("spaces", "1", "spaces known", (Term("entities", (_SPACE,)), Term("held", (_CAPACITY,)))),
        Measure("occupied", "1", "spaces occupied", (Term("held_live", (_SPACE, _LOT)),)),
        Measure(
            "unknown",
            "1",
            "spaces whose sensor is silent",
            (Term("entities_silent", (_SPACE,)), Term("held_silent", (_CAPACITY,))),
        ),
        Measure(
            "turnover",
            "1",
            "arrivals: spaces that became occupied, increase of a car park's count",
            (Term("rises", (_SPACE, _LOT)),),
        ),
        *_general("parking"),
    ),
    "security": (
        *(
            _sum(f"access_{m.name}", m.description, metric_key("security.access", m.name))
            for m in KINDS["security.access"].metrics
        ),
        *(
            _sum(f"intrusion_{m.name}", m.description, metric_key("security.intrusion", m.name))
            for m in KINDS["security.intrusion"].metrics
        ),
        *(
            _sum(f"fire_{m.name}", m.description, metric_key("security.fire", m.name))
            for m in KINDS["security.fire"].metrics
        ),
        _sum("people_entered", "people counted in", "security.video_count.entered"),
        _sum("people_left", "people counted out", "security.video_count.left"),
        _sum("people_captured", "people captured by cameras", "security.video_count.persons"),
        _sum("vehicles", "vehicles that passed cameras", "security.video_count.vehicles"),
        _sum("video_loss", "pictures lost", "security.device.video_loss"),
        _sum("device_faults", "faults of cameras, recorders and controllers", "security.device.fault"),
        *_general("security"),
    ),
    "care": (
        Measure(
            "residents_seen",
            "1",
            "residents heard of in the window",
            (Term("distinct_subjects", _keys("care")),),
        ),
        Measure("vitals", "1", "vital signs measured", (Term("count", _VITALS),)),
        Measure(
            "vitals_out_of_range", "1", "of them, outside the normal range", (Term("out_of_normal", _VITALS),)
        ),
        _sum("activity", "movements sensed at home", "care.activity.motion"),
        Measure("beds", "1", "beds known", (Term("entities", ("care.bed.in_bed",)),)),
        Measure("beds_occupied", "1", "beds occupied", (Term("held_live", ("care.bed.in_bed",)),)),
        Measure(
            "beds_unknown",
            "1",
            "beds whose sensor is silent",
            (Term("entities_silent", ("care.bed.in_bed",)),),
        ),
        _sum("sos", "calls for help", "care.emergency.sos"),
        _sum("falls", "falls detected", "care.emergency.fall"),
        *_mean("temperature", "care.environment.temperature"),
        *_mean("humidity", "care.environment.humidity"),
        *_mean("co2", "care.environment.co2"),
        *_general("care"),
    ),
    "governance": (
        _sum("checked_in", "party members who reported for service", "governance.party.checked_in"),
        _sum("station_visits", "visits to party service stations", "governance.party.station_visit"),
        _sum("patrols", "patrols finished", "governance.patrol.patrolled"),
        _sum("reports", "issues reported by grid workers", "governance.patrol.reported"),
        *_general("governance"),
    ),
}
"""Measures by domain; the order is that of the fold's columns."""


DERIVED: Final[dict[Domain, dict[str, Ratio]]] = {
    "parking": {
        "occupancy": Ratio(
            "occupied", "spaces", "unknown", "1", "share of the spaces whose sensors speak that are occupied"
        )
    },
    "security": {},
    "care": {
        f"{name}_mean": Ratio(
            *(f"{name}_sum", f"{name}_count", "", METRICS[f"care.environment.{name}"].unit),
            f"mean of the {name} readings",
        )
        for name in ("temperature", "humidity", "co2")
    },
    "governance": {},
}
"""What is not additive, by domain and name."""


def derive(domain: Domain, sums: Mapping[str, float]) -> dict[str, float]:
    """The figures that are not additive, from a window's sums; one that cannot be formed is absent."""
    values = ((name, ratio.of(sums)) for name, ratio in DERIVED[domain].items())
    return {name: value for name, value in values if value is not None}


assert set(MEASURES) == set(DOMAINS)  # noqa: S101 - a table that does not cover its keys must not load
