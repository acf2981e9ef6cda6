"""Hand-made questions and blocks, without a store."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime

import numpy as np
import shapely

from schemas.calendar import ZONE
from schemas.measures import MEASURES
from schemas.places.layer import GridHistory
from schemas.places.registry import PlaceRegistry, known_places
from schemas.places.synthetic import synthetic_layer
from taishi.analysis.blocks import Block
from taishi.analysis.boundaries import Boundaries
from taishi.analysis.question import Known, Question, Wish, resolve

NOW = datetime(2026, 11, 26, 10, 30, tzinfo=ZONE)
LAYER = synthetic_layer("370202")
PLACES = PlaceRegistry(known_places("370202"), LAYER)
ONE = Boundaries(GridHistory((LAYER,)), "370202")
MOVED_DAY = date(2026, 11, 25)
_MOVED = replace(
    LAYER,
    valid_from=MOVED_DAY,
    synthetic=False,
    grids=tuple(
        replace(g, name=g.name + "（新）", polygon=shapely.affinity.translate(g.polygon, 0.001))
        for g in LAYER.grids
    ),
)
TWO = Boundaries(GridHistory((LAYER, _MOVED)), "370202")
"""New boundaries, and names, from `MOVED_DAY` on."""


def ask(*metrics: str, **wished: object) -> Question:
    return resolve(Wish(metrics, **wished), Known((PLACES,), NOW, (10, 60, 3600)))


def at_ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp() * 1000)


def block(
    question: Question, places: Sequence[str], windows: Mapping[str, Mapping[str, Sequence[float | None]]]
) -> Block:
    """`windows`: local start -> measure -> a value a place; what is not said is 0, None a missing window."""
    names = [*(measure.name for measure in MEASURES[question.domain]), "complete"]
    values = {name: np.zeros((len(windows), len(places))) for name in names}
    values["complete"] += 1
    for row, given in enumerate(windows.values()):
        for name, cells in given.items():
            for column, cell in enumerate(cells):
                if cell is None:
                    for every in values.values():
                        every[row, column] = np.nan
                else:
                    values[name][row, column] = cell
    return Block(np.array([at_ms(start) for start in windows], np.int64), tuple(places), values)
