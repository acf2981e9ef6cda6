"""Windows of the simulated past: every measure of every place, hour by hour, in 10 s, 1 min and 1 h.

A minute is made first. Ten seconds are a minute's counts dealt out, an hour is the sum of its minutes; gauges
are what they are at a window's end. So for every additive measure, 1 h = Σ 1 min = Σ 10 s, and at each size
district = Σ streets = Σ communities = Σ grids, in whole millionths, where windows are missing too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from schemas.errors import SettingsError, received_allowed
from schemas.kinds import Domain
from schemas.measures import MEASURES, Measure
from schemas.places.model import DEFAULT_SCHEME, LEVELS
from schemas.window_columns import WindowColumns
from simulation.history.domains import DOMAIN_PAST, SCALE
from simulation.history.equipment import Equipment, Int64s
from simulation.history.happenings import SHARDS, Happening, happenings
from simulation.history.hour import MINUTES, Bools, Hour
from simulation.history.rhythm import HOUR_MS, MINUTE_MS

__all__ = ["SIZES_S", "Past"]

SIZES_S: Final = (10, 60, 3600)
_HELD: Final = {"entities", "entities_silent", "held", "held_live", "held_silent"}
_DISTINCT: Final = {"distinct_devices", "distinct_subjects"}


class Past:
    """The past of a city: the same grids, devices and seed give the same past."""

    def __init__(self, grids: Sequence[str], devices: int, seed: int) -> None:
        ordered = sorted(grids)
        self.equipment = Equipment.of(ordered, devices, seed)
        self.district = ordered[0][: DEFAULT_SCHEME.length("district")]

    def happenings(self, from_ms: int, until_ms: int) -> list[Happening]:
        """What was going on between two moments, labelled, by begin."""
        return happenings(self.equipment, self.district, from_ms, until_ms)

    def windows(self, domain: Domain, window_s: int, hour_ms: int) -> Iterator[WindowColumns]:
        """The windows of the hour that begins at `hour_ms`, a level at a time, grids first.

        SettingsError for a size that is not of `SIZES_S` or a time at which no hour begins.
        """
        if window_s not in SIZES_S:
            raise SettingsError(received_allowed("window_s", window_s, SIZES_S))
        if hour_ms % HOUR_MS:
            raise SettingsError(f"hour_ms: received {hour_ms}, allowed: the begin of an hour")
        # Rises, ramps and drifts look a little back.
        near = self.happenings(hour_ms - HOUR_MS, hour_ms + HOUR_MS)
        yield from _levels(_grids(domain, window_s, Hour(self.equipment, hour_ms, tuple(near))))


def _grids(domain: Domain, window_s: int, hour: Hour) -> WindowColumns:
    past, equipment = DOMAIN_PAST[domain], hour.equipment
    present, complete = hour.said(domain, SHARDS)
    counts = {name: count * present for name, count in past.counts(hour).items()}
    counts = _resized(counts, window_s, hour.rng(20 + SIZES_S.index(window_s)))
    gauges = past.gauges(hour, hour.ends_ms(window_s))
    known = past.known(equipment)
    said, whole = _resized_said(present, complete, window_s)
    columns = [_column(measure, counts, gauges, known) * said for measure in MEASURES[domain]]
    starts_ms = hour.ends_ms(window_s) - window_s * 1000
    return WindowColumns(
        domain,
        "grid",
        window_s,
        equipment.grids,
        starts_ms,
        np.stack(columns).transpose(0, 2, 1),
        said.T.astype(np.int64),
        said.T * (starts_ms // 1000),
        whole,
        said.T,
    )


def _column(
    measure: Measure, counts: dict[str, Int64s], gauges: dict[str, Int64s], known: dict[str, Int64s]
) -> Int64s:
    """One measure in millionths, shape (times, grids); one that the city has no device for is zero."""
    name, readings = measure.name, counts["readings"]
    if _rules(measure) & _HELD:
        return gauges.get(name, 0 * readings) * SCALE
    if _rules(measure) & _DISTINCT:
        return _distinct(known[name], readings) * SCALE
    if name.endswith("_sum"):
        return counts.get(name, 0 * readings)
    return counts.get("readings" if name == "readings_simulated" else name, 0 * readings) * SCALE


def _rules(measure: Measure) -> set[str]:
    return {term.rule for term in measure.terms}


def _distinct(known: Int64s, said: Int64s) -> Int64s:
    """How many different ones of `known` are heard in so many readings, each from any of them alike."""
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(known > 0, -np.expm1(-said / np.maximum(known, 1)), 0)
    return np.minimum(np.ceil(known * share).astype(np.int64), said)


def _resized(counts: dict[str, Int64s], window_s: int, rng: np.random.Generator) -> dict[str, Int64s]:
    """Counts by minute as counts by window."""
    if window_s == MINUTE_MS // 1000:
        return counts
    if window_s == HOUR_MS // 1000:
        return {name: count.sum(axis=0, keepdims=True) for name, count in counts.items()}
    parts = MINUTE_MS // 1000 // window_s
    dealt = {n: _dealt(count, parts, rng) for n, count in counts.items() if not n.endswith("_sum")}
    return dealt | {
        n: _shared(count, dealt[f"{n[:-4]}_count"], parts) for n, count in counts.items() if n not in dealt
    }


def _dealt(count: Int64s, parts: int, rng: np.random.Generator) -> Int64s:
    """Each minute's count over its parts at random, shape (minutes * parts, grids)."""
    left, dealt = count.copy(), []
    for more in range(parts, 1, -1):
        dealt.append(rng.binomial(left, 1 / more))
        left = left - dealt[-1]
    return np.stack([*dealt, left], axis=1).reshape(-1, count.shape[1])


def _shared(total: Int64s, count: Int64s, parts: int) -> Int64s:
    """Each minute's sum over its parts as their counts are, to the last millionth."""
    upto = count.reshape(MINUTES, parts, -1).cumsum(axis=1)
    reached = total[:, None] * upto // np.maximum(upto[:, -1:], 1)
    shared: Int64s = np.diff(reached, axis=1, prepend=0).reshape(count.shape)
    return shared


def _resized_said(present: Bools, complete: Bools, window_s: int) -> tuple[Bools, Bools]:
    if window_s == HOUR_MS // 1000:
        return np.asarray(present.any(axis=0, keepdims=True)), np.asarray(complete.all(keepdims=True))
    parts = MINUTE_MS // 1000 // window_s
    return present.repeat(parts, axis=0), complete.repeat(parts)


def _levels(grids: WindowColumns) -> Iterator[WindowColumns]:
    """The grids, and the places above them: sums of the grids that are there."""
    yield replace(grids, complete=np.ones_like(grids.complete))
    for level in LEVELS[-2::-1]:
        digits = DEFAULT_SCHEME.length(level)
        codes = [grid[:digits] for grid in grids.places]
        first = [row for row, code in enumerate(codes) if row == 0 or codes[row - 1] != code]
        count = np.add.reduceat(grids.grids, first, axis=0)
        yield WindowColumns(
            grids.domain,
            level,
            grids.window_s,
            tuple(codes[row] for row in first),
            grids.starts_ms,
            np.add.reduceat(grids.values, first, axis=1),
            count,
            np.add.reduceat(grids.revision, first, axis=0),
            grids.complete,
            count > 0,
        )
