"""The shipped rules in the simulated city: what an operator is told on an ordinary day, and of incidents."""

from collections import Counter
from datetime import datetime

import numpy as np

from pipelines.io.rule_file import SHIPPED_RULES, read_rules
from pipelines.kernels.minute import Minute, PlaceTable
from pipelines.kernels.rules.evaluate import evaluate
from pipelines.kernels.rules.figures import known_figures
from pipelines.kernels.rules.model import MINUTE_MS
from pipelines.kernels.rules.state import RulesState
from schemas.calendar import ZONE
from schemas.kinds import DOMAINS, KINDS, METRICS
from schemas.measures import DERIVED, derive
from schemas.places.synthetic import synthetic_layer
from simulation.care import Care
from simulation.city import Device, make_city
from simulation.events import Event
from simulation.parking import Parking
from simulation.security import Security

START = int(datetime(2026, 11, 11, 17, 0, tzinfo=ZONE).timestamp() * 1000)  # a Wednesday, the busiest hour
GRIDS = tuple(synthetic_layer().codes)
LEVELS = {"grid": 15, "community": 12, "street": 9, "district": 6}
WHAT = {
    "denied": "access_denied",
    "granted": "access_granted",
    "VMD": "intrusion_motion",
    "sos": "sos",
    "fielddetection": "intrusion_intrusion",
    "smoke": "fire_smoke",
    "motion": "activity",
    "fall": "falls",
}


class Tables:
    """Sums of a minute by grid, and what gauges hold; a stand-in for the fold that needs no messages."""

    def __init__(self):
        self.rows = {grid: row for row, grid in enumerate(GRIDS)}
        self.held = {}
        self.columns = {domain: known_figures(domain) for domain in DOMAINS}
        self.parents = {
            level: np.unique([grid[:digits] for grid in GRIDS], return_inverse=True)
            for level, digits in LEVELS.items()
        }

    def minute(self, start_ms, events):
        sums = {domain: np.zeros((len(GRIDS), len(self.columns[domain]))) for domain in DOMAINS}
        seen = set()
        for event in events:
            domain = KINDS[event.device.kind].domain
            row = self.rows[event.device.grid]

            def add(figure, value=1.0, domain=domain, row=row):
                sums[domain][row, self.columns[domain].index(figure)] += value

            add("readings")
            self.take(event, add)
            if domain == "care" and event.device.subject not in seen:
                seen.add(event.device.subject)
                add("residents_seen")
        for (row, _), (spaces, occupied) in self.held.items():
            sums["parking"][row, self.columns["parking"].index("spaces")] += spaces
            sums["parking"][row, self.columns["parking"].index("occupied")] += occupied
        for domain in DOMAINS:
            tables = {level: self.table(domain, level, sums[domain]) for level in LEVELS}
            yield Minute(domain, start_ms, tables)

    def take(self, event, add):
        values = event.values
        if event.device.kind.startswith("parking") and "occupied" in values:
            key = (self.rows[event.device.grid], event.device.name)
            self.held[key] = (values.get("capacity", 1.0), values["occupied"])
        elif event.what == "people":
            add("people_entered", values["entered"])
            add("people_left", values["left"])
        elif event.what == "climate":
            add("temperature_sum", values["temperature"])
            add("temperature_count")
        elif event.device.kind == "care.vitals":
            low, high = METRICS[f"care.vitals.{event.what}"].normal
            add("vitals")
            add("vitals_out_of_range", float(not low <= values["value"] <= high))
        elif event.what in WHAT:
            add(WHAT[event.what])

    def table(self, domain, level, sums):
        places, inverse = self.parents[level]
        values = np.zeros((len(places), sums.shape[1]))
        np.add.at(values, inverse, sums)
        names = self.columns[domain]
        for row in values if DERIVED[domain] else ():
            figures = derive(domain, dict(zip(names, row.tolist(), strict=True)))
            for name in DERIVED[domain]:
                row[names.index(name)] = figures.get(name, np.nan)
        return PlaceTable(tuple(places.tolist()), names, values)


def nothing(_city, _at):
    return ()


def evening(devices, minutes, happens=nothing):
    """Minutes of an evening of a city; `happens` adds events of its own."""
    city, rng = make_city(GRIDS, devices, 370202), np.random.default_rng(370202)
    parts = Parking(city, rng), Care(city, rng, START), Security(city, rng)
    first = [*parts[0].start(START), *parts[1].start(START)]
    tables = Tables()
    for at in range(minutes):
        start_ms = START + at * MINUTE_MS
        events = [event for part in parts for event in part.step(start_ms, 60.0)]
        yield from tables.minute(start_ms, [*first, *events, *happens(city, at)])
        first = []


def raised(minutes):
    rules, state = read_rules(SHIPPED_RULES), RulesState()
    found = [c for minute in minutes for c in evaluate(rules, state, minute) if c.active]
    return Counter((c.rule, c.place) for c in found)


def test_an_ordinary_evening_raises_nothing():
    """Of 10,000 devices and the whole day likewise: measured once, too long for every run."""
    assert raised(evening(2_000, 150)) == Counter()


def test_three_smoke_detectors_of_one_community_and_people_leaving_are_one_alert_each():
    community = "370202001001"

    def fire(city, at):
        smokes = [device for device in city.smokes if device.grid.startswith(community)][:1]
        leaving = Device("door", "", "security.video_count", smokes[0].grid)
        yield from (Event(device, "smoke", 0) for device in smokes if 20 <= at < 23)
        if at == 22:
            yield Event(leaving, "people", 0, {"entered": 0.0, "left": 150.0})

    found = raised(evening(2_000, 30, fire))
    assert found == Counter({("fire-cluster", community): 1, ("fire-evacuation", community): 1})


def test_a_community_without_a_space_left_is_told_after_ten_minutes():
    def full(city, at):
        if at >= 5:
            for device in (*city.spaces, *city.lots):
                size = float(device.capacity or 1)
                yield Event(device, "status", 0, {"occupied": size, "capacity": size})

    found = raised(evening(2_000, 20, full))
    assert {rule for rule, _ in found} == {"parking-full"}
    assert len(found) > 11
