"""An evaluation: each measure by place, department, person or class, and the cases behind each. Pure."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from operations.cases.clocks import WorkingTime
from operations.cases.measured import Measured, measured
from operations.cases.measures import MEASURES, SETS, Measure
from operations.cases.model import Case
from operations.cases.periods import Period
from schemas.cells import cell
from schemas.places.model import DEFAULT_SCHEME, Level

__all__ = ["CUTS", "Comparison", "Cut", "Figure", "compare", "definition", "evaluate", "scores", "to_csv"]

Cut = Literal["total", "grid", "community", "street", "department", "person", "category", "workflow"]
CUTS: Final[tuple[Cut, ...]] = get_args(Cut)
_PLACES: Final[dict[str, Level]] = {"grid": "grid", "community": "community", "street": "street"}


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: `yes` of `among` are its cases (ids), so anybody may look at them. `of`: the cut's value.

    `exempt`: ids that a granted appeal took out, though the fact that they were overdue stays.
    """

    measure: str
    of: str
    among: tuple[str, ...]
    yes: tuple[str, ...]
    exempt: tuple[str, ...]
    definition: str

    @property
    def rate(self) -> float | None:
        """The share; None where there is nothing to divide by."""
        return len(self.yes) / len(self.among) if self.among else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure, and its rates of the period before (环比) and of a year ago (同比)."""

    figure: Figure
    before: float | None
    last_year: float | None


def definition(name: str, among: str) -> str:
    """What the figure is, in words."""
    return f"{MEASURES[name].words} ÷ {SETS[among].words}"


def evaluate(
    cases: Iterable[Case],
    period: Period,
    cut: Cut,
    time: WorkingTime,
    denominators: Mapping[str, str],
    now_ms: int,
) -> list[Figure]:
    """All measures of the period, as it was at its end (or is now, while it lasts), by the cut's values."""
    at_ms = min(period.until_ms - 1, now_ms)
    known = [measured(case, time, at_ms) for case in cases if case.reported_ms <= at_ms]
    found = []
    for name, measure in MEASURES.items():
        among = denominators.get(name, measure.sets[0])
        held: dict[str, list[Measured]] = defaultdict(list)
        for each in known:
            if SETS[among].holds(each, period):
                held[_value(each.case, cut, measure)].append(each)
        if cut == "total":
            held.setdefault("", [])
        found += [_figure(name, value, held[value], period, among) for value in sorted(held)]
    return found


def compare(
    figures: Iterable[Figure], before: Iterable[Figure], last_year: Iterable[Figure]
) -> list[Comparison]:
    """Each figure beside the same one of the two other periods."""
    earlier, year_ago = ({(f.measure, f.of): f.rate for f in each} for each in (before, last_year))
    return [Comparison(f, earlier.get((f.measure, f.of)), year_ago.get((f.measure, f.of))) for f in figures]


def scores(figures: Iterable[Figure], weights: Mapping[str, float]) -> dict[str, float | None]:
    """Points of each value of the cut: weight x rate, x (1 - rate) of what is bad; None without a rate."""
    rates: dict[str, dict[str, float | None]] = defaultdict(dict)
    for figure in figures:
        rates[figure.of][figure.measure] = figure.rate
    return {of: _points(held, weights) for of, held in sorted(rates.items())}


def to_csv(comparisons: Sequence[Comparison], period: Period, names: Mapping[str, str]) -> str:
    """One line a figure, with its definition; `names`: what the values of the cut are called."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["period", "measure", "指标", "of", "name", "yes", "among", "rate", "before", "last_year",
                    "exempt", "definition"])  # fmt: skip
    for each in comparisons:
        figure = each.figure
        rates = (_rounded(rate) for rate in (figure.rate, each.before, each.last_year))
        row = [
            str(period),
            figure.measure,
            MEASURES[figure.measure].chinese,
            cell(figure.of),
            cell(names.get(figure.of, "")),
        ]
        table.writerow(
            [*row, len(figure.yes), len(figure.among), *rates, len(figure.exempt), figure.definition]
        )
    return out.getvalue()


def _figure(name: str, value: str, held: Sequence[Measured], period: Period, among: str) -> Figure:
    measure = MEASURES[name]
    exempt = [each for each in held if measure.timed and each.exempt and each.late]
    counted = [each for each in held if each not in exempt] if exempt else held
    return Figure(
        name,
        value,
        tuple(each.case.id for each in counted),
        tuple(each.case.id for each in counted if measure.of(each, period)),
        tuple(each.case.id for each in exempt),
        definition(name, among),
    )


def _value(case: Case, cut: Cut, measure: Measure) -> str:
    if cut == "total":
        return ""
    if cut in _PLACES:
        level = _PLACES[cut]
        known = len(case.place) >= DEFAULT_SCHEME.length(level)
        return DEFAULT_SCHEME.ancestor(case.place, level) if known else ""
    if cut == "person":
        return case.person if measure.who == "person" else case.receiver
    return str(getattr(case, cut))


def _points(rates: Mapping[str, float | None], weights: Mapping[str, float]) -> float | None:
    points = 0.0
    for name, weight in weights.items():
        rate = rates.get(name)
        if rate is None:
            return None
        points += weight * (rate if MEASURES[name].high_is_good else 1 - rate)
    return points


def _rounded(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.4f}"
