"""Judge one point of every series of a table, then learn from it: strictly causal, all series at once.

A series is in alarm when what it shows is rarer than the budget allows, two points running; it is out of it
after five that are not rare. In alarm it learns in small steps; an alarm that lasts is the new normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.kernels.detect import forecast, season, tail, views
from pipelines.kernels.detect.bank import VIEWS, Bank, Bools, Floats
from pipelines.kernels.detect.season import Moment, Season

__all__ = ["Judgement", "Threshold", "judge"]

_CLIP: Final = np.float32(3.0)
_CLIP_IN_ALARM: Final = np.float32(0.25)
_PAIR: Final = VIEWS.index("pair")
_STEP: Final = VIEWS.index("step")
_CUSUM: Final = VIEWS.index("cusum")
_DRIFT: Final = VIEWS.index("drift")
_OFF_POINTS: Final = 5
_EASED: Final = np.float32(np.log(100.0))
"""An alarm is over when nothing is rarer than 100 times its threshold."""
_VIEWS_APART: Final = np.float32(np.log(7.0))
"""What looking from eight sides costs, and ten: some of them say much the same (min-p x 7)."""
_SILENT_POINTS: Final = 60
"""An alarm whose series has no values for so long is over: nothing can be said."""
_CHANGES_MIN: Final = 10
_FIRST_POINTS: Final = 10
"""Of a series, taken in whatever they are."""
_SOLVE_EVERY: Final = 8
_ERROR_BOUND: Final = np.float32(1000.0)


@dataclass(frozen=True, slots=True)
class Threshold:
    """When a series is in alarm and when it is not judged.

    `surprise`: -ln of the share of points that may alarm; `history`: points before a series is judged;
    `rest`: points after an alarm in which none begins; `adopted`: points in alarm that make a new normal;
    `delayed`: two points running must be rare, single ones are not looked at.
    """

    surprise: float
    history: int
    rest: int
    adopted: int
    delayed: bool = True


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one point of each series shows. All arrays have one element a series.

    `surprise`: -ln of how rare it is by the series' own past; `view`: the view that says so; `expected`,
    `scale`: transformed value that was usual and its usual deviation; `began`, `ended`, `adopted`: the
    alarm's changes, `judged`: whether there was a value and history enough.
    """

    surprise: Floats
    view: npt.NDArray[np.intp]
    expected: Floats
    scale: Floats
    judged: Bools
    began: Bools
    ended: Bools
    adopted: Bools


def judge(
    bank: Bank,
    threshold: Threshold,
    moment: Moment,
    values: tuple[Floats, Floats] | tuple[Floats, Floats, Floats],
    tick: int,
    moved: Floats | None = None,
) -> Judgement:
    """Judge and learn.

    `values`: transformed (NaN: none), as they came, and of series on their own how new their forms are
    (`shape`); `tick` counts points.
    `moved`: how far each series' parent usually is from its own level now, in the series' terms.
    """
    value, raw, *shapes = values
    seen = np.isfinite(value)
    ok = seen.astype(np.float32)
    gap = _pass_time(bank, moment, seen)
    usual = _usual(bank, moment, value, seen, moved)
    unit = np.where(seen, (value - usual.level) / usual.scale, np.float32(0))
    known = ok * (bank.floats("overall")[1] > 2)
    error = (unit - forecast.forecast(bank)) * known
    spread = season.spread_at(bank, moment, "error_dev")
    quiet = ok * (bank.ints("active")[0] == 0)
    forecast.learn_forecast(bank, moment, unit, np.clip(error, -_CLIP * spread, _CLIP * spread), quiet)
    forecast.remember(
        bank, moment, unit, ok, ok * ((bank.ints("active")[0] == 0) | (bank.ints("fired")[0] == _DRIFT))
    )
    scaled = error / (spread * np.sqrt(np.minimum(gap, np.float32(10))))
    scaled = np.clip(scaled, -_ERROR_BOUND, _ERROR_BOUND)
    said = raw, shapes[0] if shapes else None
    statistics, learnable = views.statistics_of(bank, moment, scaled, said, ok)
    surprises = np.maximum(tail.surprise(bank, statistics) - _VIEWS_APART, 0) * ok
    alarming = surprises[_PAIR:] if threshold.delayed else surprises
    judged = seen & (bank.floats("overall")[1] >= threshold.history)
    judged &= bank.floats("changes")[0] >= _CHANGES_MIN
    began, ended, adopted = _alarm(bank, threshold, moment, alarming, (judged, seen))
    _learn_usual(bank, moment, usual, unit, ok)
    quiet = ok * (bank.ints("active")[0] == 0)
    # a first day says what is usual, not yet what is rare
    old = ok * (bank.floats("overall")[1] > moment.day)
    tail.learn_tails(bank, learnable, (old * (bank.ints("active")[0] == 0), old), tick)
    views.learn_same(bank, moment, raw, ok, quiet)
    if tick % _SOLVE_EVERY == 0:
        forecast.solve(bank)
    _adopt(bank, adopted, usual.scale)
    view = alarming.argmax(axis=0) + (_PAIR if threshold.delayed else 0)
    return Judgement(surprises.max(axis=0), view, usual.level, usual.scale, judged, began, ended, adopted)


def _pass_time(bank: Bank, moment: Moment, seen: Bools) -> Floats:
    """How many steps each series' last point lies back; what came before a gap fades."""
    missing = bank.ints("missing")[0]
    missing[:] = np.minimum(missing.astype(np.int64) + moment.gap, 60_000)
    gap: Floats = missing.astype(np.float32)
    if moment.gap > 1 or not seen.all() or (gap > 1).any():
        forecast.forget(bank, np.where(seen, gap, np.float32(1)))
    missing[seen] = 0
    return gap


def _usual(bank: Bank, moment: Moment, value: Floats, seen: Bools, moved: Floats | None) -> Season:
    """What is usual; of a series' very first point, the point itself."""
    usual = season.season_of(bank, moment, moved)
    new = seen & (bank.floats("overall")[1] == 0)
    if not new.any():
        return usual
    return Season(np.where(new, value, usual.level), usual.scale)


def _alarm(
    bank: Bank, threshold: Threshold, moment: Moment, surprises: Floats, of: tuple[Bools, Bools]
) -> tuple[Bools, Bools, Bools]:
    """On after two points, off after five; nothing begins while it rests. Points not seen change nothing."""
    judged, seen = of
    surprise = surprises.max(axis=0)
    over, calm, active = bank.ints("over")[0], bank.ints("calm")[0], bank.ints("active")[0]
    rest, lasted = bank.ints("rest")[0], bank.ints("active_points")[0]
    onsets = bank.ints("onsets")
    rare = judged & (surprise > threshold.surprise)
    first = rare & (over == 0) & (active == 0)
    onsets[0, first] = moment.at_ms // 60_000
    over[:] = np.where(seen, np.where(rare, np.minimum(over, 200) + 1, 0), over)
    still = _lasting(bank, surprises) > threshold.surprise - _EASED
    calm[:] = np.where(seen, np.where(still, 0, np.minimum(calm, 200) + 1), calm)
    enough = (over > 1) | (surprises[0] > threshold.surprise) if threshold.delayed else over > 0
    began = rare & enough & (active == 0) & (rest == 0)
    rest -= (rest > 0) & seen
    lasted += (active > 0) & seen
    adopted = (active > 0) & (lasted >= threshold.adopted)
    silent = bank.ints("missing")[0] >= _SILENT_POINTS
    ended = ((active > 0) & ((calm >= _OFF_POINTS) | silent)) | adopted
    active[began], lasted[began] = 1, 0
    bank.ints("fired")[0, began] = surprises[:, began].argmax(axis=0) + len(VIEWS) - len(surprises)
    active[ended], rest[ended], over[ended] = 0, threshold.rest, 0
    bank.floats("cusum")[:, ended] = 0
    bank.floats("restless")[:, ended] = 1
    smooth = bank.floats("smooth")
    smooth[forecast.MIDDLE, ended] = smooth[forecast.FAST, ended]
    onsets[1:, ended] = onsets[:-1, ended]
    return began, ended, adopted


def _lasting(bank: Bank, surprises: Floats) -> Floats:
    """How surprising an alarm still is: by the view that raised it, and those that forget in minutes."""
    first = len(VIEWS) - len(surprises)
    quick = surprises[: _STEP - first].max(axis=0)
    fired = np.maximum(bank.ints("fired")[0].astype(np.intp) - first, 0)
    own = np.take_along_axis(surprises, fired[None], axis=0)[0]
    result: Floats = np.where(fired == _CUSUM - first, quick, np.maximum(quick, own))
    return result


def _learn_usual(bank: Bank, moment: Moment, usual: Season, unit: Floats, ok: Floats) -> None:
    """A young series takes what comes, an old one within bounds, one in alarm hardly."""
    young = np.float32(4) / (season.hour_visits(bank, moment.before) + np.float32(0.05))
    young = np.where(bank.floats("overall")[1] < _FIRST_POINTS, np.float32(np.inf), young)
    clip = np.where(bank.ints("active")[0] > 0, _CLIP_IN_ALARM, _CLIP + young)
    season.learn_season(bank, moment, usual, np.clip(unit, -clip, clip) * usual.scale, ok)


def _adopt(bank: Bank, adopted: Bools, scale: Floats) -> None:
    """What has lasted is usual from now on: the level moves there, the hours are learned anew."""
    if not adopted.any():
        return
    smooth = bank.floats("smooth")
    bank.floats("offset")[0, adopted] += (smooth[forecast.MIDDLE] * scale)[adopted]
    smooth[:, adopted] = 0
    bank.floats("last")[:, adopted] = 0
    bank.floats("run")[:, adopted] = 0
    bank.floats("slot_n")[:, adopted] = np.minimum(bank.floats("slot_n")[:, adopted], 2)
