"""What rules and detectors look at: one closed minute of one domain, every place of every level.

And what both say: a condition began, changed or is over at a place.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.alerts import Level, Severity
from schemas.kinds import Domain

__all__ = ["Condition", "Minute", "PlaceTable"]


@dataclass(frozen=True, slots=True)
class PlaceTable:
    """`values[i, j]` is figure `figures[j]` of `places[i]`; NaN where there is none to be had.

    Figures are the domain's measures, then its derived ones, in the order of `schemas.measures`.
    Row i is the same place in every minute of the process: places are only ever added at the end.
    """

    places: tuple[str, ...]
    figures: tuple[str, ...]
    values: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Minute:
    """One minute as it was when it closed, by level ("grid", "community", "street", "district").

    `complete`: every shard of the domain had closed it; of one that is not, only the grids are whole.
    Minutes of a domain come in order, each once; one that is missing was an outage.
    """

    domain: Domain
    start_ms: int
    tables: dict[Level, PlaceTable]
    complete: bool = True


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition at a place that began (`active`, `at_ms` near `onset_ms`), changed, or is over.

    `onset_ms` is when it became true in event time and is its identity with `rule` and `place`. `title`
    and `explanation` are what a person reads, 简体中文 first, English second.
    """

    rule: str
    severity: Severity
    domain: Domain
    level: Level
    place: str
    onset_ms: int
    at_ms: int
    active: bool
    title: str
    explanation: str
    observed: float | None = None
    expected: float | None = None
    threshold: float | None = None
