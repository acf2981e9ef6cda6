"""People at work in the simulated city: by the hours of their day, and nobody but those of the registry."""

from __future__ import annotations

from collections import Counter

import pytest

from connectors.base import Observation
from connectors.registry import DeviceRegistry
from connectors.resolve import Resolver
from schemas.places.synthetic import synthetic_layer
from schemas.readings import Reading
from simulation.city import make_city, registry_csv
from simulation.governance import Governance
from simulation.rhythm import local_hour

GRIDS = synthetic_layer().codes
CITY = make_city(GRIDS, 20_000, 370202)
MONDAY_MS = 1_795_363_200_000  # 2026-11-23 00:00 +08:00
DAY_MS = 86_400_000


def day(start_ms: int) -> Counter[tuple[str, int]]:
    """What and at which hour, of a day in steps of a minute."""
    people = Governance(CITY, 370202)
    return Counter(
        (event.what, local_hour(event.time_ms)[0])
        for at_ms in range(start_ms, start_ms + DAY_MS, 60_000)
        for event in people.step(at_ms, 60.0)
    )


def total(happened: Counter[tuple[str, int]], what: str) -> int:
    return sum(count for (each, _), count in happened.items() if each == what)


def test_a_working_day_has_its_patrols_and_they_are_walked_by_day() -> None:
    happened = day(MONDAY_MS)
    assert total(happened, "patrolled") == pytest.approx(3 * len(CITY.workers), rel=0.2)
    assert total(happened, "reported") == pytest.approx(0.2 * total(happened, "patrolled"), rel=0.4)
    assert not any(hour < 7 or hour > 21 for _, hour in happened)
    assert happened["patrolled", 9] > 3 * happened["patrolled", 12]


def test_on_a_weekend_fewer_patrol_and_more_report_for_service() -> None:
    monday, saturday = day(MONDAY_MS), day(MONDAY_MS + 5 * DAY_MS)
    assert total(saturday, "patrolled") < total(monday, "patrolled") / 2
    assert total(saturday, "checked_in") > total(monday, "checked_in")


def test_what_they_do_is_marked_simulated(tmp_path) -> None:
    (tmp_path / "devices.csv").write_text(registry_csv(CITY), "utf-8")

    class Places:
        def locate(self, *_point: float) -> str | None:
            return None

        def has_grid(self, code: str) -> bool:
            return code in GRIDS

    worker = CITY.workers[0]
    seen = Observation(worker.name, worker.kind, "patrolled", 1.0, MONDAY_MS, personal=True)
    reading = Resolver(DeviceRegistry(tmp_path / "devices.csv"), Places()).reading(seen, "mqtt.governance", 0)
    assert isinstance(reading, Reading)
    assert (reading.grid, reading.simulated, reading.device) == (worker.grid, True, worker.subject)
