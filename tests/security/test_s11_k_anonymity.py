"""S11: no cell tells of one to four people, nor do two cells by their difference, nor all of them together.

What an attacker knows are the shown counts of district, streets, communities and grids, and that a place is
the sum of its parts. Panels: `tests/unit/dashboards/test_boards.py`.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operations.outgoing.masking import BASES, K, concealed_counts, hidden
from operations.scenarios.care import at_risk, by_place
from schemas.alerts import Alert, alert_id

GRIDS = st.lists(st.integers(0, 9), min_size=1, max_size=4)
CITY = st.lists(st.lists(GRIDS, min_size=1, max_size=3), min_size=1, max_size=3)
"""Streets of communities of grids: how many residents each has."""
City = list[list[list[int]]]


def places(city: City) -> tuple[dict[str, float], dict[str, str | None], dict[str, list[str]]]:
    """Counts, parents, and the grids of each place."""
    grids = {
        f"{s}{c}{g}": float(count)
        for s, street in enumerate(city)
        for c, community in enumerate(street)
        for g, count in enumerate(community)
    }
    codes = sorted({grid[:digits] for grid in grids for digits in range(4)})
    inside = {code: [grid for grid in grids if grid.startswith(code)] for code in codes}
    values = {code: sum(grids[grid] for grid in inside[code]) for code in codes}
    return values, {code: code[:-1] if code else None for code in codes}, inside


def rows(inside: dict[str, list[str]], shown: list[str]) -> np.ndarray:
    """Each shown count as a sum of grids."""
    grids = inside[""]
    return np.array([[grid in inside[code] for grid in grids] for code in shown], dtype=float)


def told(known: np.ndarray, wanted: np.ndarray) -> bool:
    """Whether the wanted sum is some combination of the known ones, whatever the counts are."""
    if not known.size:
        return False
    both = np.vstack([known, wanted])
    return bool(np.linalg.matrix_rank(both) == np.linalg.matrix_rank(known))


@settings(max_examples=60)
@given(CITY)
def test_nothing_that_is_hidden_follows_from_all_that_is_shown(city: City) -> None:
    values, parents, inside = places(city)
    concealed = hidden(values, parents)
    shown = [code for code in values if code not in concealed]
    known = rows(inside, shown)
    for code in concealed:
        if 0 < values[code] < K:
            assert not told(known, rows(inside, [code])), (code, values, concealed)


@settings(max_examples=60)
@given(CITY)
def test_the_difference_of_two_filters_tells_of_nobody_or_of_five(city: City) -> None:
    """A filter is a place, or all its parts that are shown; one filter's answer less another's within it."""
    values, parents, _ = places(city)
    concealed = hidden(values, parents)
    shown = [code for code in values if code not in concealed]
    for outer in shown:
        within = [code for code in shown if code.startswith(outer) and code != outer]
        for level in range(len(outer) + 1, 4):
            parts = [code for code in within if len(code) == level]
            rest = values[outer] - sum(values[code] for code in parts)
            everything = len(parts) == sum(len(c) == level and c.startswith(outer) for c in values)
            assert rest == 0 if everything else not 0 < rest < K, (outer, parts, values)
        for inner in within:
            others = [c for c in values if c != inner and parents[c] == parents[inner] and c in concealed]
            rest = values[outer] - values[inner]
            assert not (0 < rest < K and others), (outer, inner, values)


@given(st.lists(st.integers(0, 12), min_size=2, max_size=6), st.integers(0, 5))
def test_what_is_counted_on_few_people_is_hidden_with_them(residents: list[int], seen: int) -> None:
    """Movements in one home are many, and of one person."""
    codes = [f"g{n}" for n in range(len(residents))]
    counts = {"residents_seen": dict(zip(codes, map(float, residents), strict=True)),
              "activity": dict.fromkeys(codes, 40.0 + seen)}  # fmt: skip
    concealed = concealed_counts("care", counts, {})
    few = {code for code, count in zip(codes, residents, strict=True) if 0 < count < K}
    assert few <= concealed["residents_seen"]
    assert few <= concealed["activity"]
    assert set(BASES["care"]) >= {"sos", "falls", "vitals", "beds_occupied", "activity"}


@pytest.mark.parametrize("counts", list(itertools.product((0, 1, 4, 5, 9), repeat=3)))
def test_residents_at_risk_by_community_are_none_or_five_and_more(counts: tuple[int, ...]) -> None:
    alerts = [
        Alert(
            id=alert_id("rule.vitals", f"{community}{n}", 0), rule="rule.vitals", severity="high",
            domain="care", level="grid", place=f"37020200100{community}001", onset_ms=0, active=True,
            title="体征", subject=f"p1-{community}-{n}",
        )
        for community, count in enumerate(counts, 1)
        for n in range(count)
    ]  # fmt: skip
    found = {each.place: each.residents for each in by_place(at_risk(alerts, 0, 0))}
    assert not [count for count in found.values() if count is not None and 0 < count < K]
    shown = [found.get(f"37020200100{n}") for n in range(1, 4) if counts[n - 1]]
    street = found.get("370202001")
    if street is not None and None in shown:
        assert street - sum(count for count in shown if count is not None) >= K
