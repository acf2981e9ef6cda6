"""From the roll-up's windows to closed minutes: one table of places and figures a level.

A minute is whole when the roll-up sends its district: the grids were sent before, the areas with it. A grid
that is known and sent nothing had none: its measures are 0 (the shards closed the minute), what is derived
cannot be had (NaN). A minute comes once, in order; what a late reading changes in it comes too late to judge.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.kernels.batch import Int64s
from pipelines.kernels.minute import Minute, PlaceTable
from pipelines.kernels.plan import SCALE, plan_for
from pipelines.kernels.rollup import PlaceWindow
from schemas.alerts import Level
from schemas.kinds import Domain
from schemas.measures import DERIVED, derive

__all__ = ["MINUTE_S", "DomainMinutes", "MinutesState", "figures_of", "gather"]

MINUTE_S: Final = 60
_LEVELS: Final[tuple[Level, ...]] = ("grid", "community", "street", "district")


@dataclass(slots=True)
class DomainMinutes:
    """One domain: known places by level, in order of appearance; windows of minutes not closed yet.

    `closed_ms`: start of the newest minute that was given out.
    """

    places: dict[Level, dict[str, int]] = field(default_factory=lambda: {level: {} for level in _LEVELS})
    pending: dict[int, list[tuple[Level, str, Int64s]]] = field(default_factory=dict)
    closed_ms: int = -1


MinutesState = dict[Domain, DomainMinutes]


def figures_of(domain: Domain) -> tuple[str, ...]:
    """The columns of a domain's tables: its measures, then what is derived from them."""
    return (*plan_for(domain).measures, *DERIVED[domain])


def gather(state: MinutesState, windows: Iterable[PlaceWindow]) -> Iterator[Minute]:
    """The minutes that close with these windows, in order; the state is changed in place.

    The areas of a minute come in one run; where it ends is where the minute does, whatever the batches.
    """
    run: tuple[Domain, int, bool] | None = None
    for window in windows:
        if window.window_s != MINUTE_S:
            continue
        held = state.setdefault(window.domain, DomainMinutes())
        key = (window.domain, window.start_ms, window.complete)
        if run is not None and (window.level == "grid" or key != run):
            yield from _close(state, *run)
            run = None
        if window.start_ms <= held.closed_ms or (window.level == "grid" and not window.first):
            continue
        held.pending.setdefault(window.start_ms, []).append((window.level, window.place, window.values))
        run = None if window.level == "grid" else key
    if run is not None:
        yield from _close(state, *run)


def _close(state: MinutesState, domain: Domain, start_ms: int, complete: bool) -> Iterator[Minute]:
    held = state[domain]
    rows = held.pending.pop(start_ms, None)
    if rows is None:
        return
    held.closed_ms = start_ms
    for stale in [at for at in held.pending if at <= start_ms]:
        del held.pending[stale]
    for level, place, _ in rows:
        known = held.places[level]
        known.setdefault(place, len(known))
    tables = {level: _table(domain, held.places[level], level, rows) for level in _LEVELS}
    yield Minute(domain, start_ms, tables, complete)


def _table(
    domain: Domain, places: dict[str, int], level: Level, rows: list[tuple[Level, str, Int64s]]
) -> PlaceTable:
    figures, measures = figures_of(domain), len(plan_for(domain).measures)
    values = np.zeros((len(places), len(figures)))
    values[:, measures:] = np.nan
    for at, place, fixed in rows:
        if at == level:
            values[places[place], :measures] = fixed / SCALE
    _fill_derived(domain, figures, values)
    return PlaceTable(tuple(places), figures, values)


def _fill_derived(domain: Domain, figures: tuple[str, ...], values: npt.NDArray[np.float64]) -> None:
    if not DERIVED[domain]:
        return
    for row in values:
        for name, value in derive(domain, dict(zip(figures, row.tolist(), strict=True))).items():
            row[figures.index(name)] = value
