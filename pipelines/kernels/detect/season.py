"""What is usual at this hour of this kind of day: levels at the full hours, straight lines between.

A knot is an hour of the day x a kind of day (working, weekend, holiday; make-up working days are working
days). A young knot leans on the same hour of the other kinds, and that on the series' level so far, moved as
its parent place is moved at this hour. Levels follow by clipped steps: a running mean at first, of about
`_VISITS_MAX` visits later.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from pipelines.kernels.detect.bank import HOURS, Bank, Floats
from schemas.calendar import day_kind, local

__all__ = [
    "Moment",
    "Season",
    "hour_visits",
    "learn_season",
    "learn_spread",
    "moment_of",
    "season_of",
    "spread_at",
    "weights_of",
]

_HOUR_MS: Final = 3_600_000
_COARSE_MS: Final = 1_800_000
_VISITS_MAX: Final = 12.0
_SPREAD_VISITS_MAX: Final = 6.0
_OTHERS_WEIGHT: Final = 0.7
_ALL_WEIGHT: Final = 0.3
_POINTS_MAX_DAYS: Final = 14.0
_ROBUST: Final = np.float32(1.2533)
"""Standard deviation by mean absolute deviation, of a normal distribution."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point's place in the seasons: the knots before and after it, and the share of the latter.

    `visit`: points an hour, at least 1; `day`: points a day, within bounds; `gap`: steps since the last
    point of the table, 1 when none is missing.
    """

    at_ms: int
    before: int
    after: int
    share: float
    visit: float
    day: float
    gap: int = 1


@dataclass(frozen=True, slots=True)
class Season:
    """What is usual now, and the deviation that is usual around it."""

    level: Floats
    scale: Floats


def moment_of(at_ms: int, step_ms: int, gap: int = 1) -> Moment:
    """The moment of a point in a table whose points come every `step_ms`."""
    into_ms = at_ms % _HOUR_MS if step_ms < _COARSE_MS else 0  # the zone's offset is whole hours
    day = min(max(24 * _HOUR_MS / step_ms, 100.0), 1440.0)
    visit = max(_HOUR_MS / step_ms, 1.0)
    return Moment(at_ms, _knot(at_ms), _knot(at_ms + _HOUR_MS), into_ms / _HOUR_MS, visit, day, gap)


def _knot(at_ms: int) -> int:
    at = local(at_ms)
    kind = {"working": 0, "make_up": 0, "weekend": 1, "holiday": 2}[day_kind(at.date())]
    return kind * HOURS + at.hour


def season_of(bank: Bank, moment: Moment, moved: Floats | None = None) -> Season:
    """What is usual now. `moved`: how far from its own level each series' parent usually is now."""
    base = bank.floats("overall")[0] if moved is None else bank.floats("overall")[0] + moved
    level = _level_at(bank, moment.before, base)
    if moment.share:
        level = level + np.float32(moment.share) * (_level_at(bank, moment.after, base) - level)
    return Season(level + bank.floats("offset")[0], spread_at(bank, moment, "season_dev"))


def spread_at(bank: Bank, moment: Moment, name: str) -> Floats:
    """The usual deviation of `name` now: by hour, leaning on that of all hours while young."""
    overall = bank.floats(f"{name}_all")[0]
    least = np.float32(0.2) * overall + np.float32(1e-12)
    result = np.zeros(bank.size, np.float32)
    for knot, weight in weights_of(moment):
        visits = hour_visits(bank, knot)
        here = (visits * bank.floats(name)[knot % HOURS] + overall) / (visits + np.float32(1))
        result += np.float32(weight) * np.maximum(here, least)
    return _ROBUST * result


def learn_spread(bank: Bank, moment: Moment, name: str, absolute: Floats, ok: Floats) -> None:
    """Take in (clipped) absolute deviations, before `learn_season` counts the point."""
    overall = bank.floats(f"{name}_all")[0]
    overall += ok / (bank.floats("overall")[1] + 1) * (absolute - overall)
    for knot, weight in weights_of(moment):
        here = bank.floats(name)[knot % HOURS]
        visits = np.minimum(hour_visits(bank, knot), np.float32(_SPREAD_VISITS_MAX))
        step = ok * np.float32(weight) / (visits * np.float32(moment.visit) + 1)
        here += step * (absolute - here)


def hour_visits(bank: Bank, knot: int) -> Floats:
    """How often the hour of a knot was visited, on whatever kind of day; bounded."""
    result: Floats = np.minimum(bank.floats("slot_n")[knot % HOURS :: HOURS].sum(axis=0), _VISITS_MAX)
    return result


def weights_of(moment: Moment) -> tuple[tuple[int, float], ...]:
    """The knots that a point lies between, and how much of each it is."""
    if not moment.share:
        return ((moment.before, 1.0),)
    return ((moment.before, 1 - moment.share), (moment.after, moment.share))


def _level_at(bank: Bank, knot: int, base: Floats) -> Floats:
    levels, n = bank.floats("slot_level"), bank.floats("slot_n")
    kind, hour = divmod(knot, HOURS)
    others = base
    for other in (0, 1, 2) if kind != 1 else (0, 2, 1):  # what comes last weighs most: weekends for holidays
        if other != kind:
            weight = n[other * HOURS + hour]
            lean = np.float32(_ALL_WEIGHT if others is base else _OTHERS_WEIGHT)
            others = (weight * levels[other * HOURS + hour] + lean * others) / (weight + lean)
    own = n[knot]
    lean = np.float32(_OTHERS_WEIGHT)
    result: Floats = (own * levels[knot] + lean * others) / (own + lean)
    return result


def learn_season(bank: Bank, moment: Moment, season: Season, residual: Floats, ok: Floats) -> None:
    """Take in the (clipped) residuals of the series for which `ok` is 1; 0 leaves a series as it is."""
    learn_spread(bank, moment, "season_dev", np.abs(residual), ok)
    overall = bank.floats("overall")
    overall[1] = np.minimum(overall[1] + ok, np.float32(_POINTS_MAX_DAYS * moment.day))
    value = season.level + residual
    overall[0] += ok / np.maximum(overall[1], 1) * (value - overall[0])
    _learn_knots(bank, moment, value, ok)
    for knot, weight in weights_of(moment):
        n = bank.floats("slot_n")[knot]
        np.minimum(n + ok * np.float32(weight / moment.visit), np.float32(_VISITS_MAX), out=n)


def _learn_knots(bank: Bank, moment: Moment, value: Floats, ok: Floats) -> None:
    """Move the knots so that the line between them comes nearer to the value (normalised least squares)."""
    levels, n = bank.floats("slot_level"), bank.floats("slot_n")
    target = value - bank.floats("offset")[0]
    weights = weights_of(moment)
    for knot, _ in weights:
        new = (n[knot] == 0) & (ok > 0)
        if new.any():
            levels[knot] = np.where(new, target, levels[knot])
    line = sum(np.float32(weight) * levels[knot] for knot, weight in weights)
    off = ok * (target - line) / np.float32(sum(weight * weight for _, weight in weights))
    for knot, weight in weights:
        levels[knot] += off * np.float32(weight) / (n[knot] * np.float32(moment.visit) + 1)
