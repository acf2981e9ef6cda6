"""The detectors beside what users have today, at the same rate of false alarms: `taishi bench detect`.

Four weeks of minutes to learn from, a clean week on which each method's one threshold is set so that it
raises one false alarm a grid and week, a week with one fault in most series. An alarm is two minutes running
over the threshold; it is over after 30 minutes under it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from benchmarks.detect_city import DAY_MIN, FAULTS, City, Fault
from benchmarks.detect_methods import FixedThreshold, HoltWinters, Method, MovingBand, Ours

__all__ = ["DetectFigures", "FaultFigures", "bench_detect", "us_a_point"]

_WEEK_MIN: Final = 7 * DAY_MIN
_OVER_AFTER_MIN: Final = 30
_AFTER_MIN: Final = 30
"""An alarm that begins so soon after a fault finds nothing any more, but is not false."""


@dataclass(frozen=True, slots=True)
class FaultFigures:
    """Of one kind of fault: share found, and minutes until then: median, a fault missed counts whole."""

    recall: float
    delay_min: float


@dataclass(frozen=True, slots=True)
class DetectFigures:
    """Of one method."""

    method: str
    threshold: float
    false_alarms_per_grid_week: float
    precision: float
    us_a_point: float
    faults: dict[str, FaultFigures] = field(default_factory=dict)
    by_figure: dict[str, FaultFigures] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Injected:
    series: int
    fault: Fault
    start: int


def bench_detect(
    grids: int, learning_weeks: int, seed: int, say: Callable[[str], None]
) -> list[DetectFigures]:
    """Figures of every method, ours last."""
    city = City(grids, seed)
    learning = learning_weeks * _WEEK_MIN
    methods: list[Method] = [
        FixedThreshold(city.size, learning),
        MovingBand(city.size, 1),
        MovingBand(city.size, 24),
        HoltWinters(city.size),
        Ours(city.kind, city.spaces),
    ]
    injected = _plan(city, learning + _WEEK_MIN)
    scores = [np.zeros((2 * _WEEK_MIN, city.size), np.float32) for _ in methods]
    seconds = [0.0] * len(methods)
    total = learning + 2 * _WEEK_MIN
    for minute in range(total):
        if minute % _WEEK_MIN == 0:
            say(f"week {minute // _WEEK_MIN + 1} of {total // _WEEK_MIN}")
        active = [
            (each.series, each.fault, minute - each.start)
            for each in injected
            if each.start <= minute < each.start + each.fault.minutes
        ]
        values = city.step(minute, active)
        for number, method in enumerate(methods):
            began = time.perf_counter()
            found = method.score(minute, values)
            seconds[number] += time.perf_counter() - began
            if minute >= learning:
                scores[number][minute - learning] = found
    moved = [_Injected(each.series, each.fault, each.start - learning) for each in injected]
    return [
        _figures(method.name, score, moved, grids, spent / total / city.size * 1e6)
        for method, score, spent in zip(methods, scores, seconds, strict=True)
    ]


def us_a_point(series: int, minutes: int = 60) -> float:
    """Of ours alone, with so many series in one process."""
    city = City(-(-series // 3), 1)
    ours = Ours(city.kind, city.spaces)
    given = [city.step(minute, []) for minute in range(minutes)]
    for minute, values in enumerate(given[: minutes // 3]):
        ours.score(minute, values)
    began = time.perf_counter()
    for minute, values in enumerate(given[minutes // 3 :], start=minutes // 3):
        ours.score(minute, values)
    return (time.perf_counter() - began) / (minutes - minutes // 3) / city.size * 1e6


def _plan(city: City, week_start: int) -> list[_Injected]:
    """One fault in five of six series, by day, where there is something to lose."""
    result = []
    for series in range(city.size):
        number = (series // 3 + 2 * (series % 3)) % (len(FAULTS) + 1)
        if number == len(FAULTS):
            continue
        fault = FAULTS[number]
        days = 7 - max(1, -(-fault.minutes // DAY_MIN))
        at = int(city.rng.integers(0, days)) * DAY_MIN + int(city.rng.integers(7 * 60, 20 * 60))
        result.append(_Injected(series, fault, week_start + at))
    return result


def _onsets(score: npt.NDArray[np.float32], threshold: float) -> list[tuple[int, int]]:
    """(series, minute) of every alarm's beginning."""
    over = score > threshold
    both = over[1:] & over[:-1]
    result = []
    for series in np.flatnonzero(both.any(axis=0)):
        at = np.flatnonzero(both[:, series]) + 1
        first = np.append(True, np.diff(at) > _OVER_AFTER_MIN)
        result += [(int(series), int(minute)) for minute in at[first]]
    return result


def _figures(
    name: str, score: npt.NDArray[np.float32], injected: list[_Injected], grids: int, spent_us: float
) -> DetectFigures:
    clean, tested = score[:_WEEK_MIN], score[_WEEK_MIN:]
    threshold = _calibrated(clean, grids)
    onsets: dict[int, list[int]] = {}
    for series, minute in _onsets(tested, threshold):
        onsets.setdefault(series, []).append(minute)
    delays: dict[str, list[tuple[bool, float]]] = {}
    right = 0
    for each in injected:
        start, end = each.start - _WEEK_MIN, each.start - _WEEK_MIN + each.fault.minutes
        told = [minute for minute in onsets.get(each.series, []) if start <= minute < end + _AFTER_MIN]
        inside = [minute for minute in told if minute < end]
        right += len(told)
        delay = float(inside[0] - start) if inside else float(each.fault.minutes)
        kind = ("counts", "shares", "means")[each.series % 3]
        for key in (each.fault.name, f"{each.fault.name}, {kind}"):
            delays.setdefault(key, []).append((bool(inside), delay))
    alarms = sum(len(minutes) for minutes in onsets.values())
    by_key = {key: _fault_figures(values) for key, values in delays.items()}
    return DetectFigures(
        method=name,
        threshold=threshold,
        false_alarms_per_grid_week=len(_onsets(clean, threshold)) / grids,
        precision=right / max(alarms, 1),
        us_a_point=spent_us,
        faults={fault.name: by_key[fault.name] for fault in FAULTS},
        by_figure={key: figures for key, figures in by_key.items() if "," in key},
    )


def _fault_figures(told: list[tuple[bool, float]]) -> FaultFigures:
    return FaultFigures(
        sum(found for found, _ in told) / len(told), float(np.median([delay for _, delay in told]))
    )


def _calibrated(clean: npt.NDArray[np.float32], grids: int) -> float:
    """The least threshold that raises at most one alarm a grid in the clean week."""
    low, high = 0.0, float(clean.max()) + 1.0
    for _ in range(30):
        middle = (low + high) / 2
        if len(_onsets(clean, middle)) > grids:
            low = middle
        else:
            high = middle
    return high
