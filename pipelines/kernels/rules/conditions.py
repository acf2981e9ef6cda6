"""From rows of a track to what is said about their places."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from pipelines.kernels.minute import Condition
from pipelines.kernels.rules.model import MINUTE_MS, Rule, applies
from pipelines.kernels.rules.state import Bools, Floats, RulesState, Track
from pipelines.kernels.rules.timers import Step
from pipelines.kernels.rules.words import Ending, explain_end, explain_onset, title
from schemas.alerts import Level

__all__ = ["conditions", "in_scope", "withdraw"]


def in_scope(rule: Rule, places: Sequence[str]) -> Bools:
    """Of each place, whether the rule is for it."""
    return np.array([not rule.places or place.startswith(rule.places) for place in places], bool)


def conditions(
    rule: Rule,
    level: Level,
    roster: Sequence[str],
    at_ms: int,
    changes: tuple[Track, Step, Floats, Floats | None],
) -> Iterator[Condition]:
    """What began and what is over at that minute; nothing of a quiet rule."""
    if rule.quiet:
        return
    track, changed, observed, before = changes
    for row in changed.raised:
        was = math.nan if before is None else float(before[row])
        said = explain_onset(rule, int(track.onset_ms[row]), float(observed[row]), was)
        facts = (float(observed[row]), was)
        yield _condition(rule, level, roster[row], (int(track.onset_ms[row]), at_ms, True, said), facts)
    ending: Ending = "normal" if applies(rule, at_ms) else "out_of_hours"
    for row, onset_ms in zip(changed.cleared, changed.onset_ms, strict=True):
        was = math.nan if before is None else float(before[row])
        said = explain_end(rule, ending, float(observed[row]), was)
        facts = (float(observed[row]), was)
        yield _condition(rule, level, roster[row], (int(onset_ms), at_ms, False, said), facts)


def withdraw(state: RulesState, fingerprint: str, at_ms: int) -> Iterator[Condition]:
    """Forget a rule that is no longer in force, and say of each of its conditions that it is over."""
    rule = state.rules.pop(fingerprint)
    said = explain_end(rule, "withdrawn", math.nan, math.nan)
    for level in rule.levels:
        track = state.tracks.pop((fingerprint, level), None)
        name = f"{fingerprint}/{level}" if rule.kind == "combination" else f"{rule.domain}/{level}"
        roster = state.rosters.get(name, [])
        if rule.kind == "combination":
            state.rosters.pop(name, None)
            state.waiting.pop(name, None)
        if track is None or rule.quiet:
            continue
        over_ms = max(at_ms, track.minute * MINUTE_MS)  # a combination may be ahead of its own domain
        for row in np.flatnonzero(track.active):
            when = (int(track.onset_ms[row]), over_ms, False, said)
            yield _condition(rule, level, roster[row], when, (math.nan, math.nan))


def _condition(
    rule: Rule, level: Level, place: str, when: tuple[int, int, bool, str], facts: tuple[float, float]
) -> Condition:
    onset_ms, at_ms, active, said = when
    observed, expected = (None if math.isnan(fact) else fact for fact in facts)
    return Condition(
        rule=rule.name,
        severity=rule.severity,
        domain=rule.domain,
        level=level,
        place=place,
        onset_ms=onset_ms,
        at_ms=at_ms,
        active=active,
        title=title(rule),
        explanation=said,
        observed=observed,
        expected=expected,
        threshold=None if rule.kind == "combination" else rule.threshold,
    )
