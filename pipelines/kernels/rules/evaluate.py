"""Judge every rule on a minute: vectorised over places, in event time alone.

The same minutes in the same order give the same conditions, whether the state was kept in between as bytes
(`rules.codec`) or in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from pipelines.kernels.minute import Condition, Minute, PlaceTable
from pipelines.kernels.rules.combine import combine
from pipelines.kernels.rules.conditions import conditions, in_scope, withdraw
from pipelines.kernels.rules.model import MINUTE_MS, Rule, RuleSet, applies
from pipelines.kernels.rules.observe import memory_width, observe
from pipelines.kernels.rules.state import NEVER, Floats, RulesState, Track
from pipelines.kernels.rules.timers import compared, step
from schemas.alerts import Level

__all__ = ["evaluate"]

Columns = dict[str, Floats]


def evaluate(rules: RuleSet, state: RulesState, minute: Minute) -> list[Condition]:
    """What began and what is over with this minute; the state is changed in place.

    A minute that is not after the last one of its domain says nothing. Of an incomplete one only the grids
    are judged. A rule of the domain that is no longer in the set, or is another by its fingerprint, is
    withdrawn: its conditions are over.
    """
    if minute.start_ms <= state.clocks_ms.get(minute.domain, NEVER):
        return []
    found = list(_withdrawn(rules, state, minute))
    columns = {
        level: _columns(state, minute, level, table)
        for level, table in minute.tables.items()
        if minute.complete or level == "grid"
    }
    for fingerprint, rule in rules.fingerprints.items():
        if rule.domain == minute.domain and rule.kind != "combination":
            state.rules[fingerprint] = rule
            for level in rule.levels:
                if level in columns:
                    found += _judge(rule, state, minute, (fingerprint, level), columns[level])
    state.clocks_ms[minute.domain] = minute.start_ms
    found += combine(rules, state, minute.domain, minute.start_ms)
    return found


def _withdrawn(rules: RuleSet, state: RulesState, minute: Minute) -> Iterator[Condition]:
    for fingerprint, rule in list(state.rules.items()):
        if rule.domain == minute.domain and fingerprint not in rules.fingerprints:
            yield from withdraw(state, fingerprint, minute.start_ms)


def _judge(
    rule: Rule, state: RulesState, minute: Minute, key: tuple[str, Level], columns: Columns
) -> Iterator[Condition]:
    level = key[1]
    roster = state.rosters[f"{minute.domain}/{level}"]
    track = state.tracks.setdefault(key, Track.empty(memory_width(rule)))
    if len(track.active) < len(roster):
        track.grow(in_scope(rule, roster[len(track.active) :]))
    seen = observe(rule, track, minute.start_ms // MINUTE_MS, columns)
    judged = compared(rule.bound, rule.threshold, rule.deadband, seen.values, seen.known)
    changed = step(rule, track, minute.start_ms, judged, applies=applies(rule, minute.start_ms))
    changes = (track, changed, seen.values, seen.before)
    yield from conditions(rule, level, roster, minute.start_ms, changes)


def _columns(state: RulesState, minute: Minute, level: Level, table: PlaceTable) -> Columns:
    """The level's figures by name, a row for each place of its roster; NaN where the table has none."""
    roster = state.rosters.setdefault(f"{minute.domain}/{level}", [])
    rows = _aligned(roster, table.places)
    values = np.full((len(roster), len(table.figures)), np.nan)
    values[rows] = table.values
    return dict(zip(table.figures, values.T, strict=True))


def _aligned(roster: list[str], places: Sequence[str]) -> npt.NDArray[np.intp]:
    """Rows of the places in the roster, to which new ones are added."""
    known = len(roster)
    if roster == list(places[:known]):
        roster.extend(places[known:])
        return np.arange(len(places))
    rows = {place: row for row, place in enumerate(roster)}
    for place in places:
        if place not in rows:
            rows[place] = len(roster)
            roster.append(place)
    return np.array([rows[place] for place in places], np.intp)
