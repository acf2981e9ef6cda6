"""The facts of the recordings over simulated days: tails, nights, and the schedule of the car parks."""

import numpy as np
import pytest

from schemas.places.synthetic import synthetic_layer
from simulation.care import Care
from simulation.city import make_city
from simulation.parking import Parking
from simulation.rhythm import HOME_BY_HOUR

SEED = 370202
MIDNIGHT_MS = 1_795_363_200_000  # 2026-11-23 00:00 in Shanghai
DAYS = 4
CITY = make_city(synthetic_layer().codes, 4_000, SEED)


@pytest.fixture(scope="module")
def movement():
    """(home, minute) of every movement of some days; the first day is the homes' settling in."""
    care = Care(CITY, np.random.default_rng(SEED), MIDNIGHT_MS)
    seen = [
        (event.device.subject, event.time_ms)
        for minute in range(1, DAYS * 24 * 60 + 1)
        for event in care._movement(_tick(care, minute))
    ]
    homes, times_ms = (np.array(column) for column in zip(*seen, strict=True))
    settled = times_ms >= MIDNIGHT_MS + 86_400_000
    return homes[settled], times_ms[settled]


def _tick(care, minute):
    care._clock_ms = float(MIDNIGHT_MS + minute * 60_000)
    return MIDNIGHT_MS + minute * 60_000


def test_a_home_has_as_many_events_a_day_as_in_the_recording(movement):
    homes, _ = movement
    counts = np.unique(homes, return_counts=True)[1] / (DAYS - 1)
    assert np.median(counts) == pytest.approx(214, rel=0.25)


def test_long_silences_at_home_are_those_of_the_recording(movement):
    homes, times_ms = movement
    order = np.lexsort((times_ms, homes))
    same = homes[order][1:] == homes[order][:-1]
    gaps_s = np.diff(times_ms[order])[same] / 1000
    assert np.percentile(gaps_s, 99) == pytest.approx(62 * 60, rel=0.4)


def test_the_hours_of_a_day_at_home_are_those_of_the_recording(movement):
    _, times_ms = movement
    by_hour = np.bincount((times_ms - MIDNIGHT_MS) // 3_600_000 % 24, minlength=24)
    assert by_hour[:4].mean() < 0.25 * by_hour[8:11].mean()
    assert np.corrcoef(by_hour, HOME_BY_HOUR)[0, 1] > 0.95


def test_car_parks_report_every_five_minutes_by_day_and_every_fifteen_at_night():
    parking = Parking(CITY, np.random.default_rng(SEED))
    stamps = {}
    for minute in range(1, 24 * 60 + 1):
        for event in parking.step(MIDNIGHT_MS + minute * 60_000, 60.0):
            if event.what == "report":
                stamps.setdefault(event.device.name, []).append(minute)
    assert len(stamps) == len(CITY.lots)
    for minutes in stamps.values():
        at = np.array(minutes)
        assert set(np.diff(at[(at > 6 * 60 + 15) & (at < 22 * 60)])) == {5}
        assert set(np.diff(at[at < 6 * 60])) == {15}
