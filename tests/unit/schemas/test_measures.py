"""Figures that add up, figures that last, and those that are formed of them."""

import pytest

from schemas.measures import DERIVED, MEASURES, derive, lasts

SUMS = {domain: {measure.name: 1.0 for measure in MEASURES[domain]} for domain in MEASURES}


@pytest.mark.parametrize("domain", MEASURES)
def test_a_ratio_is_formed_of_measures_of_its_domain(domain):
    assert all(set(ratio.sums) <= set(SUMS[domain]) for ratio in DERIVED[domain].values())


def test_occupancy_is_of_the_spaces_whose_sensors_speak():
    sums = SUMS["parking"] | {"spaces": 10.0, "unknown": 2.0, "occupied": 4.0}
    assert derive("parking", sums) == {"occupancy": 0.5}
    assert derive("parking", sums | {"unknown": 10.0}) == {}


def test_how_things_stand_lasts_and_what_happened_does_not():
    by_name = {measure.name: lasts(measure) for domain in MEASURES.values() for measure in domain}
    assert {name for name, is_lasting in by_name.items() if is_lasting} == {
        *("spaces", "occupied", "unknown", "beds", "beds_occupied", "beds_unknown"),
        *("residents_seen", "devices"),
    }
