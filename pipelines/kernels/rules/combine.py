"""Combinations: whether each member was active in one place within a time of each other.

Members may be of several domains, whose minutes come each at its own pace. A minute is judged when every
domain has reached it, so that the outcome does not depend on which came first; one that trails by more than
`PATIENCE_MS` is no longer waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from pipelines.kernels.minute import Condition
from pipelines.kernels.rules.conditions import conditions, in_scope
from pipelines.kernels.rules.model import MINUTE_MS, Rule, RuleSet, applies
from pipelines.kernels.rules.observe import memory_width
from pipelines.kernels.rules.state import NEVER, Bools, RulesState, Track
from pipelines.kernels.rules.timers import Judged, step
from schemas.alerts import LEVELS, Level
from schemas.kinds import Domain

__all__ = ["PATIENCE_MS", "combine"]

PATIENCE_MS: Final = 3_600_000


def combine(rules: RuleSet, state: RulesState, domain: Domain, now_ms: int) -> Iterator[Condition]:
    """Judge every combination that looks at the domain, whose rules have just been judged."""
    for fingerprint, rule in rules.fingerprints.items():
        domains = rules.domains(rule)
        if rule.kind != "combination" or domain not in domains:
            continue
        clocks = [state.clocks_ms.get(each, NEVER) for each in domains]
        reached_ms = max(min(clocks), max(clocks) - PATIENCE_MS)
        state.rules[fingerprint] = rule
        for level in rule.levels:
            members = {n: _where(rules, state, rules.by_name[n], rule, level) for n in rule.members}
            mine = {name: found for name, found in members.items() if rules.by_name[name].domain == domain}
            yield from _judge(rule, state, (fingerprint, level), reached_ms, (now_ms, mine))


def _judge(
    rule: Rule,
    state: RulesState,
    key: tuple[str, Level],
    reached_ms: int,
    heard: tuple[int, dict[str, list[str]]],
) -> Iterator[Condition]:
    """Keep what was heard and judge the minutes that every domain has reached, in their order."""
    name = "/".join(key)
    track = state.tracks.setdefault(key, Track.empty(memory_width(rule)))
    waiting = state.waiting.setdefault(name, {})
    now_ms, active = heard
    if now_ms // MINUTE_MS > track.minute:
        waiting.setdefault(now_ms, {}).update({who: where for who, where in active.items() if where})
    for at_ms in sorted(at_ms for at_ms in waiting if at_ms <= reached_ms):
        roster = state.rosters.setdefault(name, [])
        yield from _minute(rule, track, roster, at_ms, (key[1], waiting.pop(at_ms)))


def _minute(
    rule: Rule, track: Track, roster: list[str], at_ms: int, heard: tuple[Level, dict[str, list[str]]]
) -> Iterator[Condition]:
    level, active = heard
    rows = _rows(rule, track, roster, {place for where in active.values() for place in where})
    for column, member in enumerate(rule.members):
        track.memory[[rows[place] for place in active.get(member, ())], column] = at_ms
    track.minute = at_ms // MINUTE_MS
    holds: Bools = np.all(track.memory >= at_ms - rule.over_s * 1000, axis=1)
    judged = Judged(holds, holds, np.ones(len(holds), bool))
    changed = step(rule, track, at_ms, judged, applies=applies(rule, at_ms))
    nothing = np.full(len(holds), np.nan)
    yield from conditions(rule, level, roster, at_ms, (track, changed, nothing, None))


def _rows(rule: Rule, track: Track, roster: list[str], places: Iterable[str]) -> dict[str, int]:
    known = set(roster)
    new = sorted(place for place in places if place not in known)
    if new:
        roster.extend(new)
        track.grow(in_scope(rule, new))
    return {place: row for row, place in enumerate(roster)}


def _where(rules: RuleSet, state: RulesState, member: Rule, rule: Rule, level: Level) -> list[str]:
    """Places of the level in which the member is active; of a gathering one, also those above its places."""
    below = [level]
    digits = _digits(state, rules.domains(rule), level)
    if digits is None:
        return []
    if rule.gathers:
        below = [each for each in member.levels if LEVELS.index(each) <= LEVELS.index(level)]
    found: set[str] = set()
    for each in below:
        track = state.tracks.get((rules.fingerprint_of[member.name], each))
        if track is not None and track.active.any():
            roster = state.rosters[f"{member.domain}/{each}"]
            found |= {roster[row][:digits] for row in np.flatnonzero(track.active)}
    return sorted(found)


def _digits(state: RulesState, domains: Iterable[Domain], level: Level) -> int | None:
    """Length of the level's codes, from those seen; a code's parent is a prefix of it."""
    rosters = (state.rosters.get(f"{domain}/{level}") for domain in domains)
    return next((len(roster[0]) for roster in rosters if roster), None)
