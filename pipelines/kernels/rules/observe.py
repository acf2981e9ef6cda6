"""What a rule looks at, by kind: from the minute's figures and the minutes before to one number a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipelines.kernels.rules.model import Rule
from pipelines.kernels.rules.state import NEVER, Bools, Floats, Track

__all__ = ["Observed", "memory_width", "observe"]


@dataclass(frozen=True, slots=True)
class Observed:
    """By row: what is compared with the threshold, what it was before (rates), what can be judged."""

    values: Floats
    before: Floats | None
    known: Bools


def memory_width(rule: Rule) -> int:
    """Cells of memory the rule needs for each place."""
    widths = {"rate": rule.over_minutes + 1, "count": rule.over_minutes, "absence": 1}
    return widths.get(rule.kind, len(rule.members))


def observe(rule: Rule, track: Track, minute: int, columns: Mapping[str, Floats]) -> Observed:
    """Take the minute's figures into the track's memory; `minute` counts from the epoch."""
    now = _figure(rule, columns)
    known = np.ones(len(now), bool)
    for figure, least in rule.needs:
        known &= columns[figure] >= least
    before = None
    if rule.kind == "absence":
        now = _silent_s(track, now)
    elif rule.kind == "rate":
        _keep(track, minute, now)
        before = track.memory[:, (minute - rule.over_minutes) % track.memory.shape[1]].copy()
        now = now - before
    elif rule.kind == "count":
        _keep(track, minute, now)
        heard = ~np.isnan(track.memory)
        total = np.where(heard, track.memory, 0.0).sum(axis=1)
        now = np.where(heard.any(axis=1), total, np.nan)
    track.minute = minute
    return Observed(now, before, known)


def _figure(rule: Rule, columns: Mapping[str, Floats]) -> Floats:
    figure = columns[rule.figures[0]]
    for name in rule.figures[1:]:
        figure = figure + columns[name]
    if not rule.per:
        return figure
    whole = columns[rule.per]
    ratio = np.full(len(whole), np.nan)
    np.divide(figure, whole, out=ratio, where=whole > 0)
    return ratio


def _silent_s(track: Track, now: Floats) -> Floats:
    """Seconds for which each place has been silent; NaN for one that was never heard of.

    Minutes that are missing do not count: then it was us who did not hear.
    """
    silent: Floats = track.memory[:, 0] + 60.0
    silent[now > 0] = 0.0
    track.memory[:, 0] = silent
    return silent


def _keep(track: Track, minute: int, now: Floats) -> None:
    """Put the minute into the ring; those that were missing hold NaN."""
    width = track.memory.shape[1]
    if track.minute != NEVER:
        for missing in range(max(track.minute + 1, minute - width + 1), minute):
            track.memory[:, missing % width] = np.nan
    track.memory[:, minute % width] = now
