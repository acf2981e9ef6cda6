"""A block as rows of a table: a window of a place each, by time and place, with what is to be known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from operations.outgoing.masking import BASES, K
from schemas.calendar import ZONE
from schemas.measures import Ratio
from schemas.store import window_name
from taishi.analysis.blocks import UNKNOWN, Block, Floats, Int64s
from taishi.analysis.boundaries import NONE, Boundaries
from taishi.analysis.figures import Figure
from taishi.analysis.question import Question

__all__ = [
    "BEFORE",
    "BEHIND",
    "chosen",
    "figure_values",
    "formed",
    "schema_of",
    "share",
    "table",
    "unknown_share",
]

BEFORE: Final[Mapping[str, tuple[pa.DataType, str]]] = {
    "start": (pa.timestamp("ms", str(ZONE)), "start of the window"),
    "window": (pa.string(), "length of the window"),
    "level": (pa.string(), "level of the place: district, street, community or grid"),
    "place": (pa.string(), "code of the place"),
    "name": (pa.string(), "name of the place by the boundaries in force then"),
}
"""Columns before the figures, with their type and what they are."""
BEHIND: Final[Mapping[str, tuple[pa.DataType, str]]] = {
    "complete": (pa.bool_(), "every part of the pipeline had said the window; false where missing"),
    "missing": (pa.bool_(), "no such window is in the store; the figures are empty"),
    "unknown_share": (pa.float64(), "share of the spaces or beds whose sensors are silent"),
    "simulated_share": (pa.float64(), "share of the window's readings that are simulated; empty without any"),
    "masked": (pa.bool_(), f"a count of 1 to {K - 1} people, or one that would tell it, is left out"),
    "boundary_valid_from": (pa.date32(), "day from which the boundaries used were in force"),
}
"""Columns behind the figures."""


def schema_of(question: Question) -> pa.Schema:
    """Names, types, and of each its unit and meaning."""
    figures = [
        _field(f.name, pa.int64() if f.whole else pa.float64(), f.unit, f.description)
        for f in question.figures
    ]
    before, behind = (
        [_field(name, kind, "", text) for name, (kind, text) in columns.items()]
        for columns in (BEFORE, BEHIND)
    )
    return pa.schema([*before, *figures, *behind])


def table(question: Question, block: Block, boundaries: Boundaries) -> pa.Table:
    """The rows of a block whose places are those asked for (`chosen`); a window not there is a row too."""
    windows, places = len(block.starts_ms), len(block.places)
    row, column = np.repeat(np.arange(windows), places), np.tile(np.arange(places), windows)
    missing = np.isnan(block.values["complete"])
    asked, rows = {figure.name for figure in question.figures}, row.size
    concealed = [hidden for name, hidden in block.hidden.items() if name in asked]
    masked = np.logical_or.reduce(concealed) if concealed else np.zeros(missing.shape, np.bool_)
    columns = {
        "start": pa.array(block.starts_ms[row]).cast(BEFORE["start"][0]),
        "window": _repeated(window_name(question.window_s), rows),
        "level": _repeated(question.level, rows),
        "place": pa.array(block.places, pa.string()).take(pa.array(column)),
        **_boundaries(block, boundaries, row, column),
        **{f.name: _numbers(figure_values(f, block), whole=f.whole) for f in question.figures},
        "complete": pa.array((block.values["complete"] == 1).ravel()),
        "missing": pa.array(missing.ravel()),
        "unknown_share": _numbers(unknown_share(question, block)),
        "simulated_share": _numbers(share(block.values["readings_simulated"], block.values["readings"])),
        "masked": pa.array(masked.ravel()),
    }
    schema = schema_of(question)
    return pa.table([columns[name] for name in schema.names], schema=schema)


def chosen(question: Question, block: Block) -> Block:
    """The places of the level asked for that lie in those asked for."""
    wanted = [column for column, place in enumerate(block.places) if question.takes(place)]
    return block.at(np.array(wanted, np.int64))


def figure_values(figure: Figure, block: Block) -> Floats:
    """The figure of each window and place; NaN where it cannot be formed or is not given."""
    return block.values[figure.name] if figure.ratio is None else formed(figure.ratio, block.values)


def formed(ratio: Ratio, sums: Mapping[str, Floats]) -> Floats:
    """`Ratio.of`, of arrays: NaN where there is nothing below the line."""
    part, *below = (sums[name] for name in ratio.sums)
    return share(part, below[0] - below[1] if len(below) > 1 else below[0])


def unknown_share(question: Question, block: Block) -> Floats:
    """What is silent; of beds only where a figure of beds is asked for, and where neither count is hidden."""
    silent, of = UNKNOWN.get(question.domain, ("", ""))
    beds_only = question.masked and not any(BASES[question.domain][f.name] == of for f in question.figures)
    if not silent or beds_only:
        return np.full(block.values["complete"].shape, np.nan)
    return share(block.values[silent], block.values[of])


def share(part: Floats, whole: Floats | Int64s) -> Floats:
    """`part` / `whole`, cell by cell; NaN where there is no whole."""
    result: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return result


def _boundaries(block: Block, boundaries: Boundaries, row: Int64s, column: Int64s) -> dict[str, pa.Array]:
    """Names and days of the layer that was in force in each window."""
    layer = boundaries.in_force(block.starts_ms)
    names = [[boundaries.name(n, place) for place in block.places] for n in range(len(boundaries.layers))]
    flat = [name for of_layer in names for name in of_layer]
    days = pa.array([each.valid_from for each in boundaries.layers], pa.date32())
    absent = layer[row] == NONE
    return {
        "name": pa.array(flat, pa.string()).take(
            pa.array(layer[row] * len(block.places) + column, mask=absent)
        ),
        "boundary_valid_from": days.take(pa.array(layer[row], mask=absent)),
    }


def _numbers(values: Floats, *, whole: bool = False) -> pa.Array:
    flat = values.ravel()
    absent = np.isnan(flat)
    if not whole:
        return pa.array(flat, mask=absent)
    return pa.array(np.rint(np.where(absent, 0, flat)).astype(np.int64), mask=absent)


def _repeated(text: str, rows: int) -> pa.Array:
    return pa.repeat(pa.scalar(text, pa.string()), rows)


def _field(name: str, kind: pa.DataType, unit: str, description: str) -> pa.Field:
    said = {"description": description} | ({"unit": unit} if unit else {})
    return pa.field(name, kind, metadata=said)
