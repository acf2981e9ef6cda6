"""Counts of people are not given below `K`, nor so that a difference gives them. Pure.

Cells are one figure of the places of one window, where a parent is the sum of its children. Hidden are:
- a count of 1 to K-1 (0 is given: it is nobody), and one whose base is hidden (movements in one home);
- where a parent or one of its children is hidden, the smallest further children, until two are hidden that
  are K together: else parent minus children would be the hidden one.
Differences between two windows in time are not looked at: what is given changes once a window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from schemas.kinds import Domain

__all__ = ["BASES", "K", "concealed_counts", "hidden"]

K: Final = 5
"""Fewest people a count may stand for."""


BASES: Final[dict[Domain, dict[str, str]]] = {
    "care": {
        "residents_seen": "residents_seen",
        "vitals": "residents_seen",
        "vitals_out_of_range": "residents_seen",
        "activity": "residents_seen",
        "sos": "residents_seen",
        "falls": "residents_seen",
        "beds": "beds",
        "beds_occupied": "beds",
        "beds_unknown": "beds",
    },
    "governance": dict.fromkeys(("checked_in", "station_visits", "patrols", "reports"), ""),
}
"""Counts of people: measure -> the count of people or beds behind it ("": itself). No other is given."""


def concealed_counts(
    domain: Domain, counts: Mapping[str, Mapping[str, float]], parents: Mapping[str, str | None]
) -> dict[str, set[str]]:
    """Measure -> the places where it is not given, for those of `BASES[domain]` that `counts` has.

    `counts`: measure -> place -> count, of one window, the bases of those asked for among them.
    """
    asked = {measure: base for measure, base in BASES[domain].items() if measure in counts}
    bases = {base: hidden(counts[base], parents) for base in sorted({*asked.values()} - {""})}
    return {
        measure: bases[base] if measure == base else hidden(counts[measure], parents, bases.get(base, ()))
        for measure, base in asked.items()
    }


def hidden(
    values: Mapping[str, float], parents: Mapping[str, str | None], also: Iterable[str] = ()
) -> set[str]:
    """Places whose count is not given. `parents`: place -> the place above; `also`: hidden anyhow."""
    result = {place for place, value in values.items() if 0 < value < K} | (set(also) & values.keys())
    children: dict[str | None, list[str]] = {}
    for place in values:
        children.setdefault(parents.get(place), []).append(place)
    for parent in sorted(children, key=lambda code: len(code or "")):  # from the top down
        if parent is not None and parent in values:
            _hide_more(result, children[parent], values, above=parent in result)
    return result


def _hide_more(result: set[str], family: list[str], values: Mapping[str, float], *, above: bool) -> None:
    """Hide the smallest of those shown until the difference to the parent tells of no one."""
    concealed = [place for place in family if place in result]
    shown = sorted((place for place in family if place not in result), key=lambda p: (values[p], p))
    if not above and not concealed:
        return
    while shown and (len(concealed) < 2 or sum(values[place] for place in concealed) < K):
        concealed.append(shown.pop(0))
    result.update(concealed)
