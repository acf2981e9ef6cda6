"""Kinds of sensor and their metrics: unit, plausible range, how a series behaves.

One table, from which come the JSON Schemas, the plausibility gate of the connectors and the
integer codes of the fold. A metric's `low..high` is what a working device can say: outside it the
device is broken and the reading is quarantined as `implausible`, never alarmed (a real recording
holds a skin temperature of 74.1 °C). `normal` is what needs no attention; it feeds the
"out of range" counts of elderly care.

Units are UCUM codes (https://ucum.org), `1` for counts and flags.
Vital-sign ranges: the plausible ones follow what devices of the TIHM recording print; the normal ones
are the zero-score bands of NEWS2 (Royal College of Physicians 2017), a product default for adults at rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["DOMAINS", "KINDS", "METRICS", "METRIC_CODES", "Domain", "Kind", "Metric", "held_s", "metric_key"]

Domain = Literal["parking", "security", "care", "governance"]
DOMAINS: Final[tuple[Domain, ...]] = ("parking", "security", "care", "governance")


@dataclass(frozen=True, slots=True)
class Metric:
    """One number a sensor of some kind reports.

    `series`: a `gauge` holds until the next reading of the same device (occupied, in bed);
    an `event` counts once (a door opened, a pulse was measured).
    """

    name: str
    unit: str
    series: Literal["gauge", "event"]
    low: float
    high: float
    description: str
    normal: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of sensor: `name` is `<domain>.<what>`; silent for longer than `silent_after_s` is unknown."""

    name: str
    domain: Domain
    silent_after_s: int
    description: str
    metrics: tuple[Metric, ...]


def _event(name: str, description: str, high: float = 1_000) -> Metric:
    return Metric(name, "1", "event", 0, high, description)


def _vital(
    name: str, unit: str, plausible: tuple[float, float], normal: tuple[float, float] | None, text: str
) -> Metric:
    return Metric(name, unit, "event", *plausible, text, normal)


KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        # A Bosch TPS110 repeats its state once a day (heartbeat); an hour of grace for the air.
        Kind(
            "parking.space",
            "parking",
            25 * 3600,
            "one parking space with its own sensor",
            (Metric("occupied", "1", "gauge", 0, 1, "1 while a vehicle stands in the space"),),
        ),
        Kind(
            "parking.lot",
            "parking",
            3600,
            "a car park that reports totals",
            (
                Metric("occupied", "1", "gauge", 0, 100_000, "vehicles inside"),
                Metric("capacity", "1", "gauge", 0, 100_000, "spaces in all"),
            ),
        ),
        Kind(
            "security.access",
            "security",
            24 * 3600,
            "a door or gate with access control",
            (
                _event("granted", "passages granted"),
                _event("denied", "passages denied"),
                _event("forced", "door forced open"),
                _event("held_open", "door held open too long"),
            ),
        ),
        Kind(
            "security.intrusion",
            "security",
            24 * 3600,
            "a camera or detector that watches an area",
            (
                _event("intrusion", "someone entered a guarded area"),
                _event("line_crossing", "someone crossed a guarded line"),
                _event("loitering", "someone lingers"),
                _event("motion", "something moved"),
                _event("tamper", "the device was covered, moved or opened"),
                _event("object_left", "something was left behind"),
                _event("object_removed", "something was taken away"),
                _event("wrong_way", "someone or something moved against the permitted direction"),
                _event("fast_motion", "someone or something moved unusually fast"),
                _event("crowding", "more people than the area is meant for"),
            ),
        ),
        Kind(
            "security.fire",
            "security",
            24 * 3600,
            "a fire or gas detector",
            (
                _event("smoke", "smoke detected"),
                _event("heat", "heat detected"),
                _event("gas", "gas detected"),
                _event("manual", "manual call point pressed"),
                _event("fault", "the detector reports a fault of its own"),
            ),
        ),
        Kind(
            "security.video_count",
            "security",
            3600,
            "a camera that counts people or vehicles",
            (
                _event("entered", "people who entered in the reported interval", 100_000),
                _event("left", "people who left in the reported interval", 100_000),
                _event("persons", "people captured, never who", 100_000),
                _event("vehicles", "vehicles that passed, never their plates", 100_000),
            ),
        ),
        Kind(
            "security.device",
            "security",
            24 * 3600,
            "a camera, recorder or controller about itself",
            (
                _event("video_loss", "a picture was lost"),
                _event("fault", "a disk, fan, power supply or temperature fault"),
            ),
        ),
        Kind(
            "care.vitals",
            "care",
            48 * 3600,
            "vital signs of a resident",
            (
                _vital("heart_rate", "/min", (20, 300), (51, 90), "heart rate"),
                _vital("spo2", "%", (50, 100), (96, 100), "oxygen saturation"),
                _vital("respiratory_rate", "/min", (3, 80), (12, 20), "respiratory rate"),
                _vital("body_temperature", "Cel", (33, 44), (36.1, 38.0), "body temperature"),
                _vital("skin_temperature", "Cel", (15, 45), None, "skin temperature"),
                _vital("systolic", "mm[Hg]", (40, 300), (111, 219), "systolic blood pressure"),
                _vital("diastolic", "mm[Hg]", (20, 200), (60, 90), "diastolic blood pressure"),
                _vital("body_weight", "kg", (20, 300), None, "body weight"),
                _vital("muscle_mass", "kg", (10, 120), None, "muscle mass"),
                _vital("body_water", "%", (20, 90), None, "total body water"),
            ),
        ),
        Kind(
            "care.activity",
            "care",
            # Rooms are left alone: in TIHM 29 of 1,000 sensor days end a gap of over a day, 3 one of a week.
            7 * 24 * 3600,
            "movement in a resident's home",
            (_event("motion", "a room, door or appliance sensor fired"),),
        ),
        Kind(
            "care.bed",
            "care",
            6 * 3600,
            "a bed sensor or in-room radar",
            (Metric("in_bed", "1", "gauge", 0, 1, "1 while the bed is occupied"),),
        ),
        Kind(
            "care.environment",
            "care",
            6 * 3600,
            "the air in a resident's home",
            (
                _vital("temperature", "Cel", (-40, 60), None, "room temperature"),
                _vital("humidity", "%", (0, 100), None, "relative humidity"),
                _vital("co2", "[ppm]", (0, 20_000), None, "carbon dioxide"),
            ),
        ),
        Kind(
            "care.emergency",
            "care",
            48 * 3600,
            "a call button or fall detector",
            (
                _event("sos", "a resident called for help"),
                _event("fall", "a fall was detected"),
            ),
        ),
        Kind(
            "governance.party",
            "governance",
            24 * 3600,
            "party building: members and stations",
            (
                _event("checked_in", "a member reported for service (报到)"),
                _event("station_visit", "a visit to a party service station"),
            ),
        ),
        Kind(
            "governance.patrol",
            "governance",
            24 * 3600,
            "a grid worker on the round",
            (
                _event("patrolled", "a patrol was finished"),
                _event("reported", "an issue was reported from the spot"),
            ),
        ),
    )
}


def metric_key(kind: str, metric: str) -> str:
    """`parking.space` + `occupied` -> `parking.space.occupied`, the name used in tables and settings."""
    return f"{kind}.{metric}"


def held_s(domain: Domain) -> int:
    """For how long a reading counts in the windows after its own: gauges hold, events do not."""
    gauges = (k for k in KINDS.values() if k.domain == domain and any(m.series == "gauge" for m in k.metrics))
    return max((kind.silent_after_s for kind in gauges), default=0)


METRICS: Final[dict[str, Metric]] = {
    metric_key(kind.name, metric.name): metric for kind in KINDS.values() for metric in kind.metrics
}
"""Every metric by its full key; the order is part of the checkpoint format: append, never reorder."""

METRIC_CODES: Final[dict[str, int]] = {key: code for code, key in enumerate(METRICS)}
