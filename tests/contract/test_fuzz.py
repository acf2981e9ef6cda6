"""Spoiled payloads of every codec and class through the real door; `taishi bench fuzz` is the long form."""

import random

import pytest

from benchmarks.fuzz import bench_fuzz
from benchmarks.fuzz_payloads import CLASSES, spoiled

GOOD = b'{"device": "d", "value": 1.5, "observed_at": "2026-11-23T00:00:00Z"}'


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_crashes_or_vanishes_and_every_refusal_has_a_reason(seed):
    figures = bench_fuzz(5_000, seed, lambda _text: None)
    assert figures.crashes == 0
    assert figures.taken + figures.quarantined == figures.sent == 5_000
    assert sum(figures.reasons.values()) == figures.quarantined
    assert figures.quarantined > 3_000, "the payloads are spoiled"


@pytest.mark.parametrize("kind", CLASSES)
def test_a_class_spoils_and_a_seed_spoils_alike(kind):
    spoilt = {spoiled(GOOD, kind, random.Random(seed)) for seed in range(20)}
    assert spoilt - {GOOD}
    assert spoiled(GOOD, kind, random.Random(7)) == spoiled(GOOD, kind, random.Random(7))
