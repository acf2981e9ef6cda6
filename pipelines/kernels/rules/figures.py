"""Which figures of a domain a rule may look at, by kind."""

from __future__ import annotations

from functools import cache
from typing import Final

from schemas.kinds import Domain
from schemas.measures import DERIVED, HAPPENS, MEASURES

__all__ = ["figures", "known_figures"]

_HEARD: Final = HAPPENS | {"distinct_devices", "distinct_subjects"}


@cache
def known_figures(domain: Domain) -> tuple[str, ...]:
    """Measures, then derived figures: the columns of a minute's tables."""
    return (*(measure.name for measure in MEASURES[domain]), *DERIVED[domain])


@cache
def figures(domain: Domain, kind: str) -> tuple[str, ...]:
    """Those for rules of the kind: counts are of what adds up over time, absences of what is heard.

    Of the "sum" of several figures: the measures, for ratios do not add up.
    """
    if kind == "sum":
        return tuple(measure.name for measure in MEASURES[domain])
    if kind not in ("count", "absence"):
        return known_figures(domain)
    allowed = HAPPENS if kind == "count" else _HEARD
    return tuple(m.name for m in MEASURES[domain] if all(term.rule in allowed for term in m.terms))
