"""How loud is an ordinary week? `python -m benchmarks.ordinary_week --days 7 --warm-up-days 3`.

The simulated city (all devices, its daily and weekly rhythm, no faults of transport) goes through the real
kernels of every job, from readings to alerts: fold, rules, detectors, presence, silence, signals, storms.
Kafka and Beam are left out, and the roll-up is a sum: nothing is late here. After the warm-up every alert
counts that no parent stands for. Incidents are put in at moments and places drawn beforehand, each must be
found within half an hour where it happened. Prints alerts a day, the most in any ten minutes, by rule; ends
with 1 above the budget (144 a day, 10 in ten minutes: IEC 62682) or when an incident was missed.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import click
import msgspec
import numpy as np

from pipelines.io.rule_file import SHIPPED_RULES, read_rules
from pipelines.kernels.batch import Int64s, ShardBatch
from pipelines.kernels.fold import fold
from pipelines.kernels.presence.fold import PresenceSettings, PresenceState, fold_presence
from pipelines.kernels.rollup import PlaceWindow
from pipelines.kernels.rollup_state import Level
from pipelines.kernels.signals.fold import SignalsState, fold_signals
from pipelines.kernels.state import FoldSettings, ShardState, WindowBlock
from pipelines.kernels.watch.minutes import gather
from pipelines.kernels.watch.silence import SilenceState, fold_silence
from pipelines.kernels.watch.situations import SituationsSettings, SituationsState, judge
from pipelines.kernels.watch.storms import StormState, fold_storms
from schemas.alerts import Alert, stands_for
from schemas.calendar import ZONE
from schemas.kinds import DOMAINS, METRICS, Domain
from schemas.readings import Reading
from schemas.signals import Signal, signal_id
from simulation.care import Care
from simulation.city import City, make_city
from simulation.events import Event
from simulation.faults import is_dead
from simulation.incidents import INCIDENTS
from simulation.parking import Parking
from simulation.security import Security
from taishi.places import load_registry
from taishi.settings import load_settings

__all__ = ["main"]

_STEP_MS: Final = 10_000
_DAY_MS: Final = 86_400_000
_FOUND_MS: Final = 30 * 60_000
_BUDGET_A_DAY, _BUDGET_TEN_MIN = 144, 10
_TELLS: Final = {"fire": "smoke"}
_TELLERS: Final = {"parking-full": 25}
_LASTS_MS: Final = {"parking-full": 1_800_000}
"""What is not one moment is said again every ten seconds."""
_AREAS: Final[dict[Level, int]] = {"community": 12, "street": 9, "district": 6}
_ENCODE: Final = msgspec.json.Encoder().encode
_METRICS: Final = {
    "granted": "security.access.granted",
    "denied": "security.access.denied",
    "forced": "security.access.forced",
    "VMD": "security.intrusion.motion",
    "fielddetection": "security.intrusion.intrusion",
    "smoke": "security.fire.smoke",
    "sos": "care.emergency.sos",
    "fall": "care.emergency.fall",
    "motion": "care.activity.motion",
}
_SIGNALS: Final = {
    "sos": "sos",
    "fall": "fall",
    "smoke": "smoke",
    "fielddetection": "intrusion",
    "forced": "forced_door",
}


def _values(event: Event) -> Iterator[tuple[str, float]]:
    """(metric, value) of what an event says; what no codec reads is nothing here either."""
    if event.what in _METRICS:
        yield _METRICS[event.what], 1.0
        return
    if event.device.kind == "care.vitals":
        yield f"care.vitals.{event.what}", event.values["value"]
        return
    for name, value in event.values.items():
        if f"{event.device.kind}.{name}" in METRICS:
            yield f"{event.device.kind}.{name}", value


@dataclass
class _Log:
    """One shard: offsets go on, times do not go back."""

    shard: str
    next_offset: int = 0

    def batch(self, records: list[tuple[int, bytes | None]]) -> ShardBatch:
        first, self.next_offset = self.next_offset, self.next_offset + len(records)
        offsets = np.arange(first, self.next_offset, dtype=np.int64)
        times = np.array([at for at, _ in records], np.int64)
        return ShardBatch(
            self.shard, first, self.next_offset, offsets, times, [value for _, value in records]
        )


@dataclass
class District:
    """Every job's kernel with its state, and the logs between them."""

    logs: dict[str, _Log] = field(default_factory=dict)
    folds: dict[Domain, ShardState] = field(default_factory=lambda: {d: ShardState(d) for d in DOMAINS})
    presence: dict[Domain, PresenceState] = field(
        default_factory=lambda: {d: PresenceState() for d in DOMAINS}
    )
    situations: SituationsState = field(default_factory=SituationsState)
    silence: SilenceState = field(default_factory=lambda: SilenceState("370202"))
    signals: SignalsState = field(default_factory=SignalsState)
    storms: StormState = field(default_factory=StormState)
    alerts: dict[str, Alert] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rules = read_rules(SHIPPED_RULES)
        self.settings = SituationsSettings()
        self.fold_settings = FoldSettings(window_s=(60,))

    def step(self, now_ms: int, events: Iterable[Event]) -> None:
        """Ten seconds: what was said, up to now."""
        readings: dict[Domain, list[bytes]] = {domain: [] for domain in DOMAINS}
        signals = []
        for number, event in enumerate(events):
            for key, value in _values(event):
                readings[METRICS_DOMAIN[key]].append(_reading(event, key, value, now_ms, number))
            if event.what in _SIGNALS:
                signals.append(_signal(event, now_ms))
        for domain, values in readings.items():
            self._readings(domain, values, now_ms)
        if signals:
            batch = self._batch("signals/0", signals, now_ms)
            self._take([alert for _, alert in fold_signals(self.signals, batch).alerts], now_ms)

    def _readings(self, domain: Domain, values: list[bytes], now_ms: int) -> None:
        shard = f"readings.{domain}/0"
        batch = self._batch(shard, [*values, None], now_ms)
        for flush in fold(self.fold_settings, self.folds[domain], batch).flushes:
            windows = [window for block in flush.blocks for window in _rolled_up(domain, block)]
            for minute in gather(self.situations.minutes, windows):
                self._take(judge(self.settings, self.rules, self.situations, minute), now_ms)
        records = fold_presence(PresenceSettings(), self.presence[domain], batch)
        if records:
            batch = self._batch("presence/0", [_ENCODE(record) for record in records], now_ms)
            self._take(fold_silence(self.silence, batch), now_ms)

    def _take(self, alerts: list[Alert], now_ms: int) -> None:
        while alerts:
            self.alerts |= {alert.id: alert for alert in alerts}
            alerts = fold_storms(self.storms, self._batch("alerts/0", [_ENCODE(a) for a in alerts], now_ms))

    def _batch(self, shard: str, values: list[bytes] | list[bytes | None], now_ms: int) -> ShardBatch:
        return self.logs.setdefault(shard, _Log(shard)).batch([(now_ms, value) for value in values])


def _rolled_up(domain: Domain, block: WindowBlock) -> Iterator[PlaceWindow]:
    """A window of every grid, then of every area: what the roll-up makes of one shard on time."""
    values = block.values

    def window(level: Level, place: str, rows: Int64s) -> PlaceWindow:
        return PlaceWindow(domain, level, place, block.window_s, block.start_ms, 0, 1, True, rows)

    yield from (window("grid", grid, row) for grid, row in zip(block.grids, values, strict=True))
    for level, digits in _AREAS.items():
        areas, at = np.unique([grid[:digits] for grid in block.grids], return_inverse=True)
        sums = np.zeros((areas.size, values.shape[1]), np.int64)
        np.add.at(sums, at, values)
        yield from (window(level, area, row) for area, row in zip(areas.tolist(), sums, strict=True))


METRICS_DOMAIN: Final[dict[str, Domain]] = {
    key: domain for key in METRICS for domain in DOMAINS if key.startswith(f"{domain}.")
}


def _reading(event: Event, key: str, value: float, now_ms: int, number: int) -> bytes:
    kind, _, metric = key.rpartition(".")
    device = event.device
    return _ENCODE(
        Reading(id="", kind=kind, metric=metric, value=float(value), device=device.name, grid=device.grid,
                source=f"simulated.{device.model}", observed_at_ms=min(event.time_ms, now_ms),
                received_at_ms=now_ms, seq=number, subject=device.subject, simulated=True)
    )  # fmt: skip


def _signal(event: Event, now_ms: int) -> bytes:
    kind, device = _SIGNALS[event.what], event.device
    return _ENCODE(
        Signal(id=signal_id(device.name, kind, "", "active", event.time_ms), type=kind, state="active",
               device=device.name, grid=device.grid, source=f"simulated.{device.model}",
               observed_at_ms=event.time_ms, received_at_ms=now_ms, subject=device.subject, simulated=True)
    )  # fmt: skip


@dataclass(frozen=True)
class Incident:
    """What is put in, when and where."""

    name: str
    place: str
    at_ms: int

    def found_by(self, alerts: Iterable[Alert]) -> Alert | None:
        """The first alert at the place, or around or within it, that began in the half hour after."""
        near = [
            alert
            for alert in alerts
            if -60_000 <= alert.onset_ms - self.at_ms <= _FOUND_MS
            and (alert.place.startswith(self.place) or self.place.startswith(alert.place))
            and len(alert.place) > 6
        ]
        return min(near, key=lambda alert: alert.onset_ms, default=None)


def _incidents(city: City, start_ms: int, days: int, seed: int) -> list[Incident]:
    """One of each kind a day, at hours and places drawn from the seed where devices can tell of it.

    A fire is where there is a smoke detector; a car park that is full, where a community has spaces enough
    to be called full (three taken spaces of a grid are no incident).
    """
    rng = np.random.default_rng(seed)
    grids = sorted({device.grid for device in city.devices()})
    found = []
    for day in range(days):
        for name, happens in sorted(INCIDENTS.items()):
            places = sorted({grid[:12] for grid in grids}) if name == "parking-full" else grids
            able = [p for p in rng.permutation(places).tolist() if _tellers(name, happens(city, p, 0))]
            at_ms = start_ms + day * _DAY_MS + int(rng.integers(0, _DAY_MS)) // _STEP_MS * _STEP_MS
            found.append(Incident(name, able[0], at_ms))
    return found


def _tellers(name: str, events: list[Event]) -> bool:
    own = [e for e in events if e.what == _TELLS.get(name, e.what) and not is_dead(e.device.name, 370202)]
    return len(own) >= _TELLERS.get(name, 1)


def _events(
    city: City, start_ms: int, until_ms: int, incidents: list[Incident], seed: int
) -> Iterator[tuple[int, list[Event]]]:
    rng = np.random.default_rng(seed)
    parking, care, security = Parking(city, rng), Care(city, rng, start_ms), Security(city, rng)
    first = [*parking.start(start_ms), *care.start(start_ms)]
    for now_ms in range(start_ms + _STEP_MS, until_ms, _STEP_MS):
        events = [event for part in (parking, care, security) for event in part.step(now_ms, _STEP_MS / 1000)]
        for incident in incidents:
            if 0 <= now_ms - incident.at_ms <= _LASTS_MS.get(incident.name, 0):
                events += INCIDENTS[incident.name](city, incident.place, now_ms)
        yield now_ms, [e for e in [*first, *events] if not is_dead(e.device.name, 370202)]
        first = []


def _told(alerts: Iterable[Alert], since_ms: int) -> list[Alert]:
    """Alerts since then that no other one stands for."""
    alerts = list(alerts)
    parents = [alert for alert in alerts if alert.cause]
    return [
        alert
        for alert in alerts
        if alert.onset_ms >= since_ms and not any(stands_for(parent, alert) for parent in parents)
    ]


@click.command()
@click.option("--days", default=7, show_default=True, help="Days that count.")
@click.option("--warm-up-days", default=3, show_default=True, help="Days before, in which detectors learn.")
@click.option("--devices", default=20_000, show_default=True, help="Devices of the city.")
@click.option("--grids", default=None, type=int, help="Only so many of the grids: a trial.")
@click.option("--seed", default=370202, show_default=True, help="Another seed, another city and week.")
@click.option("--incidents/--no-incidents", default=True, help="One of each kind a day.")
def main(
    *, days: int, warm_up_days: int, devices: int, grids: int | None, seed: int, incidents: bool
) -> None:
    """Print how many alerts an ordinary week raises, and whether every incident was found."""
    start_ms = int(datetime(2026, 11, 2, tzinfo=ZONE).timestamp() * 1000)
    counted_ms, until_ms = start_ms + warm_up_days * _DAY_MS, start_ms + (warm_up_days + days) * _DAY_MS
    city = make_city(load_registry(load_settings()).grid_codes[:grids], devices, seed)
    put_in = _incidents(city, counted_ms, days, seed + 7) if incidents else []
    district, began_s = District(), time.monotonic()
    for now_ms, events in _events(city, start_ms, until_ms, put_in, seed):
        district.step(now_ms, events)
        if (now_ms - start_ms) % (_DAY_MS // 4) == 0:
            _tell(district, (now_ms - start_ms) / _DAY_MS, time.monotonic() - began_s)
    said = _said(district, put_in, counted_ms, days)
    click.echo(json.dumps({"seed": seed} | said, ensure_ascii=False, indent=2))
    sys.exit(said["verdict"] != "within the budget")


def _tell(district: District, day: float, taken_s: float) -> None:
    rules = Counter(alert.rule for alert in district.alerts.values()).most_common(6)
    told = ", ".join(f"{rule} {count}" for rule, count in rules)
    click.echo(f"day {day:5.2f}, {taken_s:.0f} s: {len(district.alerts)} alerts: {told}", err=True)


def _busiest(told: list[Alert]) -> list[Alert]:
    """The alerts of the ten minutes in which most began."""
    runs = [[b for b in told if 0 <= b.onset_ms - a.onset_ms < 600_000] for a in told]
    return max(runs, key=len, default=[])


def _said(district: District, put_in: list[Incident], counted_ms: int, days: int) -> dict[str, object]:
    told = _told(district.alerts.values(), counted_ms)
    by_incident = {alert.id for alert in told if any(i.found_by([alert]) is not None for i in put_in)}
    ordinary = [alert for alert in told if alert.id not in by_incident]
    ten_min = len(_busiest(told))
    missed = [i for i in put_in if i.found_by(told) is None]
    delays = sorted((a.onset_ms - i.at_ms) / 1000 for i in put_in if (a := i.found_by(told)) is not None)
    good = len(told) / days <= _BUDGET_A_DAY and ten_min <= _BUDGET_TEN_MIN and not missed
    return {
        "days": days,
        "alerts_a_day": round(len(told) / days, 1),
        "ordinary_alerts_a_day": round(len(ordinary) / days, 1),
        "most_in_ten_minutes": ten_min,
        "by_rule": dict(Counter(alert.rule for alert in told).most_common()),
        "ten_minutes": [f"{a.rule}@{a.place}" for a in _busiest(told)],
        "by_severity": dict(Counter(alert.severity for alert in told)),
        "incidents": len(put_in),
        "missed": [f"{i.name}@{i.place}" for i in missed],
        "incident_delay_s_max": round(delays[-1]) if delays else None,
        "verdict": "within the budget" if good else "beyond the budget, or an incident missed",
    }


if __name__ == "__main__":
    main()
