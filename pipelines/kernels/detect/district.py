"""The detectors of a district: one closed minute in, the conditions that began or are over out.

Levels are judged from the district down, so that a young place can lean on what its parent does at this
hour. Places are told apart by their code; a parent's code is what its children's begin with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from pipelines.kernels.detect.bank import VIEWS, Bank, Floats
from pipelines.kernels.detect.detector import Judgement, Threshold, judge
from pipelines.kernels.detect.figures import FIGURES, Figure, restore, transform
from pipelines.kernels.detect.season import Moment, moment_of, season_of
from pipelines.kernels.detect.words import Finding, explain, explain_end, title
from pipelines.kernels.minute import Condition, Minute, PlaceTable
from schemas.alerts import LEVELS, Level
from schemas.kinds import Domain

__all__ = ["DetectorSettings", "DetectorState", "LevelState", "coverage", "detect"]

_MINUTE_MS: Final = 60_000
_DAY_MIN: Final = 1440
_DOWNWARDS: Final[tuple[Level, ...]] = tuple(level for level in reversed(LEVELS) if level != "device")
_GAP_MAX: Final = 10_000
_BAND: Final = 3.0
_STEP: Final = 0.1
"""How much an alarm raises the caution: ten make the next one some three times rarer."""
_CAUTION_MAX: Final = 12.0
_COUNTED_MAX: Final = 20
"""Alarms of one minute that count: a storm has one cause, and must not make the district deaf."""


@dataclass(frozen=True, slots=True)
class DetectorSettings:
    """`alarms_per_day`: false alarms a day, over all series of the district, that its operators accept.

    `history_min`: minutes of a series before it is judged; `rest_min`: after an alarm, none of the same
    series for so long; `new_normal_min`: an alarm that lasts so long is what is usual from then on.
    `caution`: -ln of how much rarer than the budget asks a finding must be at first.
    """

    alarms_per_day: float = 36.0
    history_min: int = 3 * _DAY_MIN
    rest_min: int = 30
    new_normal_min: int = _DAY_MIN
    caution: float = 8.0


@dataclass(slots=True)
class LevelState:
    """The series of one level of one domain: place x figure, in the order in which places appeared.

    `parents`: row of each place's parent in the table above, -1 if none is known. `judged`: how many
    series were judged in the last minute.
    """

    figures: tuple[str, ...]
    places: list[str] = field(default_factory=list)
    parents: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    bank: Bank = field(default_factory=Bank.empty)
    last_ms: int = 0
    tick: int = 0
    judged: int = 0


@dataclass(slots=True)
class DetectorState:
    """Everything the detectors know; fixed size a series.

    `caution`: how much is added to the surprise that the budget asks for; None before the first minute. It
    rises with every alarm and falls with time, so that over days there are as many as the budget allows,
    whatever the tails of the series are like (adaptive conformal inference, Gibbs & Candès 2021).
    """

    levels: dict[tuple[Domain, Level], LevelState] = field(default_factory=dict)
    caution: float | None = None


def coverage(state: DetectorState) -> dict[tuple[Domain, Level], tuple[int, int]]:
    """By domain and level: series judged in the last minute, and all; of the others: "cannot judge"."""
    return {key: (held.judged, held.bank.size) for key, held in state.levels.items()}


def detect(settings: DetectorSettings, state: DetectorState, minute: Minute) -> list[Condition]:
    """Judge one minute of a domain and learn from it. A minute at or before the last one changes nothing."""
    conditions: list[Condition] = []
    above: LevelState | None = None
    state.caution = settings.caution if state.caution is None else state.caution
    for level in _DOWNWARDS:
        table = minute.tables.get(level)
        if table is None:
            continue
        held = state.levels.get((minute.domain, level))
        if held is None:
            held = state.levels[minute.domain, level] = LevelState(_judged_figures(minute.domain, table))
        if minute.complete or level == "grid":
            conditions += _judge_level(settings, state, minute, level, (held, above))
        above = held
    _take_care(settings, state, sum(found.active for found in conditions))
    return conditions


def _take_care(settings: DetectorSettings, state: DetectorState, alarms: int) -> None:
    """One domain's minute: the alarms there were, against its share of those there may be."""
    domains = len({domain for domain, _ in state.levels})
    allowed = settings.alarms_per_day / _DAY_MIN / max(domains, 1)
    if any(held.judged for held in state.levels.values()):
        moved = (state.caution or 0.0) + _STEP * (min(alarms, _COUNTED_MAX) - allowed)
        state.caution = min(max(moved, 0.0), _CAUTION_MAX)


def _judged_figures(domain: Domain, table: PlaceTable) -> tuple[str, ...]:
    return tuple(figure.name for figure in FIGURES[domain] if figure.name in table.figures)


def _judge_level(
    settings: DetectorSettings,
    state: DetectorState,
    minute: Minute,
    level: Level,
    of: tuple[LevelState, LevelState | None],
) -> list[Condition]:
    held, above = of
    if minute.start_ms <= held.last_ms or not held.figures:
        return []
    table = minute.tables[level]
    _grow(held, table, above)
    gap = (minute.start_ms - held.last_ms) // _MINUTE_MS if held.last_ms else 1
    moment = moment_of(minute.start_ms, _MINUTE_MS, max(1, min(gap, _GAP_MAX)))
    figures = tuple(_figure(minute.domain, name) for name in held.figures)
    values, raw = _columns(table, figures)
    moved = _moved(held, above, moment, figures)
    judgement = judge(held.bank, _threshold(settings, state), moment, (values, raw), held.tick, moved)
    held.last_ms, held.tick = minute.start_ms, held.tick + 1
    held.judged = int(judgement.judged.sum())
    return list(_conditions(minute, level, held, judgement, figures))


def _figure(domain: Domain, name: str) -> Figure:
    return next(figure for figure in FIGURES[domain] if figure.name == name)


def _threshold(settings: DetectorSettings, state: DetectorState) -> Threshold:
    """The budget rule: p = alarms a day / (series x minutes a day)."""
    series = max(1, sum(held.judged for held in state.levels.values()))
    surprise = float(np.log(max(series * _DAY_MIN / settings.alarms_per_day, 100.0)))
    return Threshold(
        surprise + (state.caution or 0.0), settings.history_min, settings.rest_min, settings.new_normal_min
    )


def _grow(held: LevelState, table: PlaceTable, above: LevelState | None) -> None:
    """Take in places that are new, at the end."""
    known = len(held.places)
    if len(table.places) == known:
        return
    new = list(table.places[known:])
    rows = {place: row for row, place in enumerate(above.places)} if above is not None else {}
    parents = np.array([_parent(place, rows) for place in new], np.int64)
    held.places += new
    held.parents = np.concatenate((held.parents, parents))
    held.bank.grow(len(held.places) * len(held.figures))


def _parent(place: str, rows: dict[str, int]) -> int:
    return next((rows[place[:end]] for end in range(len(place) - 1, 0, -1) if place[:end] in rows), -1)


def _columns(table: PlaceTable, figures: tuple[Figure, ...]) -> tuple[Floats, Floats]:
    """Values on the judged scale and as they came, one a series: place by place."""
    shape = (len(table.places), len(figures))
    values, raw = np.empty(shape, np.float32), np.empty(shape, np.float32)
    for number, figure in enumerate(figures):
        column = table.values[:, table.figures.index(figure.name)]
        values[:, number] = transform(figure.kind, column, _whole(table, figure))
        raw[:, number] = column
    return values.ravel(), raw.ravel()


def _whole(table: PlaceTable, figure: Figure) -> npt.NDArray[np.float64] | None:
    if figure.of not in table.figures:
        return None
    whole = table.values[:, table.figures.index(figure.of)]
    if figure.without in table.figures:
        whole = whole - table.values[:, table.figures.index(figure.without)]
    return whole


def _moved(
    held: LevelState, above: LevelState | None, moment: Moment, figures: tuple[Figure, ...]
) -> Floats | None:
    """How far the parents' usual level of now is from their own overall level, on each series' own scale.

    Roots of counts move in proportion to their size; log odds and means move alike.
    """
    if above is None or above.figures != held.figures or above.bank.size == 0:
        return None
    usual, overall = season_of(above.bank, moment), above.bank.floats("overall")[0]
    width = len(figures)
    rows = (np.maximum(held.parents, 0)[:, None] * width + np.arange(width)).ravel()
    rows = np.minimum(rows, above.bank.size - 1)
    away = (usual.level - above.bank.floats("offset")[0] - overall)[rows]
    share = held.bank.floats("overall")[0] / np.maximum(overall[rows], np.float32(1e-3))
    counts = np.tile(np.array([figure.kind == "count" for figure in figures]), len(held.places))
    away = away * np.where(counts, np.clip(share, 0, 1), np.float32(1))
    known = np.repeat(held.parents >= 0, width) & (above.bank.floats("overall")[1, rows] > _DAY_MIN)
    result: Floats = np.where(known, away, np.float32(0)).astype(np.float32)
    return result


def _conditions(
    minute: Minute, level: Level, held: LevelState, judgement: Judgement, figures: tuple[Figure, ...]
) -> Iterator[Condition]:
    table = minute.tables[level]
    for row in np.flatnonzero(judgement.began | judgement.ended):
        place, number = divmod(int(row), len(figures))
        observed = float(table.values[place, table.figures.index(figures[number].name)])
        found = _finding(held.bank, judgement, figures[number], int(row), observed)
        began = bool(judgement.began[row])
        silent = not np.isfinite(observed)
        adopted = bool(judgement.adopted[row])
        yield Condition(
            rule=f"detector.{figures[number].name}",
            severity="low" if level == "grid" else "medium",
            domain=minute.domain,
            level=level,
            place=held.places[place],
            onset_ms=int(held.bank.ints("onsets")[0, row]) * _MINUTE_MS,
            at_ms=minute.start_ms + _MINUTE_MS,
            active=began,
            title=title(found),
            explanation=explain(found)
            if began
            else explain_end(figures[number], adopted=adopted, silent=silent),
            observed=None if silent else observed,
            expected=found.expected,
            threshold=found.high if observed >= found.expected else found.low,
        )


def _finding(bank: Bank, judgement: Judgement, figure: Figure, row: int, observed: float) -> Finding:
    level, scale = float(judgement.expected[row]), float(judgement.scale[row])
    low, usual, high = (restore(figure.kind, level + side * scale) for side in (-_BAND, 0.0, _BAND))
    return Finding(
        figure=figure,
        view=VIEWS[judgement.view[row]],
        observed=observed,
        expected=usual,
        low=low,
        high=high,
        days=float(np.exp(min(judgement.surprise[row], 80.0))) / _DAY_MIN,
        points=int(bank.floats("tail_points")[0, row]),
        onsets_ms=tuple(int(at) * _MINUTE_MS for at in bank.ints("onsets")[1:, row] if at),
    )
