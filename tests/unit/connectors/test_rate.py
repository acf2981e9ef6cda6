"""Token buckets: as many as allowed, and no more memory than allowed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.rate import TokenBuckets, address_key


def test_a_burst_passes_then_one_each_time_a_token_has_come() -> None:
    buckets = TokenBuckets(rate_per_s=2.0, burst=3)
    assert [buckets.take("a", 100.0) for _ in range(4)] == [0.0, 0.0, 0.0, 0.5]
    assert buckets.take("a", 100.4) == pytest.approx(0.1)
    assert buckets.take("a", 100.5) == 0.0
    assert buckets.take("b", 100.5) == 0.0


def test_a_clock_that_steps_back_gives_nothing_away() -> None:
    buckets = TokenBuckets(rate_per_s=1.0, burst=1)
    assert buckets.take("a", 100.0) == 0.0
    assert buckets.take("a", 50.0) > 0.0


def test_memory_is_bounded_and_those_that_are_full_again_go_first() -> None:
    buckets = TokenBuckets(rate_per_s=1.0, burst=2, names=4)
    for name in ("full", "full too", "late", "late", "newer", "newer"):
        buckets.take(name, 0.0 if name.startswith("full") else 5.0)
    buckets.take("one more", 5.0)
    assert len(buckets) == 2
    assert buckets.take("newer", 5.0) > 0
    assert buckets.take("late", 5.0) == 0.0, "known for longest, so forgotten"


def test_a_flood_of_names_costs_no_more_memory() -> None:
    buckets = TokenBuckets(rate_per_s=0.001, burst=1, names=100)
    for number in range(1000):
        assert buckets.take(str(number), 0.0) == 0.0
        assert len(buckets) <= 100


@given(
    rate=st.floats(0.1, 50),
    burst=st.integers(1, 20),
    gaps=st.lists(st.floats(0, 3), min_size=1, max_size=200),
)
def test_never_more_than_the_burst_and_what_came_since(rate: float, burst: int, gaps: list[float]) -> None:
    buckets, now_s, taken = TokenBuckets(rate, burst), 0.0, 0
    for gap in gaps:
        now_s += gap
        taken += buckets.take("a", now_s) == 0.0
        assert taken <= burst + rate * now_s + 1e-6


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_an_address_counts_as_its_customer(host: str, key: str) -> None:
    assert address_key(host) == key
